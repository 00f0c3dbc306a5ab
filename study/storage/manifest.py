"""The manifest of a study: the protocol, data, seed and space that it was searched with."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.storage.attributes import named, stored_object, user_attributes, waiting
from study.storage.machine import set_machine
from study.storage.opening import load_study, study_names
from study.storage.reading import FINISHED, frozen_trials
from study.storage.urls import shown
from study.training.space import modern
from study.version import LIBRARIES

if TYPE_CHECKING:
    from optuna import Study

Wanted = Callable[[Mapping[str, Any] | None], Mapping[str, Any]]
"""The manifest that a study must have, given the one that it has, if any."""

_KEY = "manifest"
FIRST_NAME = "study"  # the manifest's field with the name that the study was searched under
# What decides which trials are trained, or when the search ends, but not how a trial is trained.
NOT_OF_A_TRIAL = {"target_rule", "sampler", "pruner", "generation", "cohort", "grid"}
_SHOWN = 3  # differing fields that a message names
_ABSENT = object()


def manifest(study: "Study") -> dict[str, Any] | None:
    """The study's manifest as JSON gives it back (tuples are lists); ``None`` if it has none.

    Raises:
        StudyError: What is stored there is not a JSON object.
    """
    return stored_object(study, _KEY, user_attributes)


def set_manifest(study: "Study", content: Mapping[str, Any]) -> None:
    """Store ``content``, which JSON can hold, as the study's manifest."""
    waiting(study, lambda: study.set_user_attr(_KEY, dict(content)))


def manifests(storage: str) -> dict[str, dict[str, Any]]:
    """The manifests of all studies in ``storage`` that have one to be read, by the names."""
    found: dict[str, dict[str, Any]] = {}
    for name in study_names(storage):
        with suppress(StudyError):  # a damaged one is refused where the study is read
            stored = manifest(load_study(storage, name))
            if stored is not None:
                found[name] = stored
    return found


def check_manifest(
    study: "Study", wanted: Wanted, remedy: str = "choose another --study-name"
) -> None:
    """Give a fresh study this machine and the manifest ``wanted``; compare that of any other.

    Args:
        study: The study.
        wanted: What it must be.
        remedy: What a person can do, for the message, where it is something else.

    Raises:
        StudyError: The study's manifest differs (the message names the first differing
            fields, old → new), or it has trials and no manifest. Nothing is changed.
    """
    stored = manifest(study)
    asked = json.loads(json.dumps(dict(wanted(stored))))
    if stored is None:
        count = sum(trial.state.name in FINISHED for trial in frozen_trials(study))
        if count:
            raise StudyError(
                f"{named(study)}: has {count} trials of another program: choose another "
                "--study-name"
            )
        set_machine(study)  # first, so that no kill leaves a manifest without it
        set_manifest(study, asked)
    elif listed := differences(stored, asked):
        raise StudyError(
            f"{named(study)}: was searched with other settings ({listed}): use those, or {remedy}"
        )


def first_name(stored: Mapping[str, Any], name: str) -> str:
    """The name that a study was searched under; ``name`` where its manifest does not keep it."""
    return str(stored.get(FIRST_NAME, name))


def trained_under(stored: Mapping[str, Any]) -> str:
    """SHA-256 of the settings in a manifest that a trial's training depends on."""
    left_out = NOT_OF_A_TRIAL | {FIRST_NAME, "versions"}
    kept = {name: part for name, part in stored.items() if name not in left_out}
    kept["source"] = stored.get("versions", {}).get(stored.get("model"))  # of a model from a file
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The first differing fields of two manifests, old → new; empty where there are none.

    The study's first name is no setting: a renamed study is the same study. Nor are the versions
    of libraries, which are compared by :mod:`study.storage.versions`.
    """
    found = list(_differences(_settings(stored), _settings(asked)))
    more = len(found) - _SHOWN
    return ", ".join(found[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _settings(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says in the present format, besides the name and the libraries."""
    kept = {name: part for name, part in _modern(content).items() if name != FIRST_NAME}
    versions = kept.get("versions", {})
    if isinstance(versions, dict):
        own = content.get("model")  # a person's model has the digest of its file there
        kept["versions"] = {n: v for n, v in versions.items() if n not in LIBRARIES or n == own}
    return kept


def _modern(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A search's manifest in the present format; what can't be read is compared as it is."""
    with suppress(AttributeError, LookupError, TypeError, ValueError):
        return modern(content)
    return content


def _differences(old: Any, new: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 (JSON)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            inner = f"{where}.{key}" if where else str(key)
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
    elif old is _ABSENT or new is _ABSENT or old != new:
        yield f"{shown(where)[1:-1]} {_json(old)} → {_json(new)}"


def _json(value: Any) -> str:  # noqa: ANN401 (JSON)
    if value is _ABSENT:
        return "absent"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
