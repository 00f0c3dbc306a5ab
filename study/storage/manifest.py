"""What a study was: its protocol, data, seed and space, kept with it and held against it."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.storage.explain import explaining
from study.storage.machine import set_machine
from study.storage.reading import frozen_trials
from study.storage.reconnecting import waiting
from study.storage.urls import shown

if TYPE_CHECKING:
    from optuna import Study

_KEY = "manifest"
_SHOWN = 3  # differing fields that a message names
_ABSENT = object()


def manifest(study: "Study") -> dict[str, Any] | None:
    """The study's manifest as JSON gives it back (tuples are lists); ``None`` if it has none.

    Raises:
        StudyError: What is stored there is not a JSON object.
    """
    with explaining(_named(study)):
        try:
            stored = waiting(study, lambda: study.user_attrs).get(_KEY)
        except (TypeError, ValueError) as error:  # no JSON, or no text at all
            raise StudyError(_damaged(study)) from error
    if stored is not None and not isinstance(stored, dict):
        raise StudyError(_damaged(study))
    return stored


def set_manifest(study: "Study", content: Mapping[str, Any]) -> None:
    """Keep ``content``, which JSON can hold, as the study's manifest."""
    with explaining(_named(study)):
        waiting(study, lambda: study.set_user_attr(_KEY, dict(content)))


def check_manifest(
    study: "Study", wanted: Mapping[str, Any], remedy: str = "choose another --study-name"
) -> None:
    """Give a fresh study the manifest ``wanted`` and this machine; hold others to their own.

    Args:
        study: The study.
        wanted: What it must be.
        remedy: What a person can do, for the message, where it is something else.

    Raises:
        StudyError: The study's manifest differs (the message names the first differing
            fields, old → new), or it has trials and no manifest. Nothing is changed.
    """
    asked = json.loads(json.dumps(dict(wanted)))
    stored = manifest(study)
    if stored is None:
        _require_no_trials(study)
        set_machine(study)  # first, so that a study with a manifest has it, whenever one is killed
        set_manifest(study, asked)
    elif stored != asked:
        differences = list(_differences(stored, asked))
        more = len(differences) - _SHOWN
        listed = ", ".join(differences[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        raise StudyError(
            f"{_named(study)}: was searched with other settings ({listed}): use those, or {remedy}"
        )


def _require_no_trials(study: "Study") -> None:
    count = len(frozen_trials(study))
    if count:
        raise StudyError(
            f"{_named(study)}: has {count} trials of another program: choose another --study-name"
        )


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


def _named(study: "Study") -> str:
    return f"study {shown(study.study_name)}"


def _damaged(study: "Study") -> str:
    return f"{_named(study)}: its manifest is damaged: choose another --study-name"
