"""Hold a study for a search: look first, lock, open, compare manifests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from study.storage.lock import lock
from study.storage.manifest import check_manifest
from study.storage.manifest import manifest as stored_manifest
from study.storage.opening import load_study, open_study, study_names
from study.storage.reading import frozen_trials
from study.storage.urls import check_name, resolve, sqlite_path

if TYPE_CHECKING:
    from optuna import Study


@contextmanager
def hold(
    storage: str,
    name: str,
    manifest: Mapping[str, Any],
    remedy: str = "choose another --study-name",
) -> Iterator["Study"]:
    """The study ``name``, locked, open to append to, and searched under ``manifest``.

    Args:
        storage: A path or a URL.
        name: The study's name.
        manifest: What the study must be; a fresh study gets it.
        remedy: What a person can do where it is something else.

    Raises:
        StudyError: The storage, the name or the study can't be used, or the study was
            searched under another manifest. Nothing on disk is changed then.
        BusyError: Another process holds the study.
        ResourceError: The storage can't be written.
    """
    check_name(name)
    require_fit(storage, name, manifest, remedy)
    with lock(storage, name):
        study = open_study(storage, name)
        check_manifest(study, manifest, remedy)
        yield study


def require_fit(storage: str, name: str, manifest: Mapping[str, Any], remedy: str) -> None:
    """Refuse, without a trace, a study that is there and is not what ``manifest`` says.

    Raises:
        StudyError: See :func:`hold`.
    """
    path = sqlite_path(resolve(storage))
    if path is None or not path.exists() or name not in study_names(storage):
        return
    study = load_study(storage, name)
    if stored_manifest(study) is not None or frozen_trials(study):
        check_manifest(study, manifest, remedy)
