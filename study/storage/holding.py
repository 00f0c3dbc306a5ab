"""Hold a study for a search: lock, open, compare manifests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from study.storage.lock import lock
from study.storage.manifest import FIRST_NAME, check_manifest
from study.storage.opening import open_study
from study.storage.urls import check_name

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
        manifest: What the study must be; a fresh study gets it, with its name.
        remedy: What a person can do where it is something else.

    Raises:
        StudyError: The storage, the name or the study can't be used, or the study was
            searched under another manifest.
        BusyError: Another process holds the study.
        ResourceError: The storage can't be written.
    """
    check_name(name)
    with lock(storage, name):
        study = open_study(storage, name)
        check_manifest(study, {**manifest, FIRST_NAME: name}, remedy)
        yield study
