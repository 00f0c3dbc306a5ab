"""Which studies a report is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study import storage
from study.errors import StudyError
from study.storage.urls import shell, shown
from study.training.registry import MODELS

if TYPE_CHECKING:
    from optuna import Study


def find(url: str, label: str) -> list[str]:
    """The studies to report where none is named: one of each kind of model that is there.

    Of a kind, it is the study called after it, or else the only one.

    Raises:
        StudyError: There is none, or several of a kind, none of them called after it.
    """
    names = storage.study_names(url)
    found: list[str] = []
    for kind in MODELS:
        # One that is called after a kind, and has lost what it is, is told as damaged.
        is_own = kind in names and _kind(storage.load_study(url, kind)) in (kind, None)
        own = [kind] if is_own else _of_kind(url, names, kind)
        if len(own) > 1:
            listed = ", ".join(shown(name) for name in own[:5])
            how = f"name one: {_option(len(found))}"
            raise StudyError(f"{label}: has {len(own)} {kind} studies ({listed}): {how}")
        found += own
    if not found:
        command = shell("study.search", url, "--model", next(iter(MODELS)))
        raise StudyError(f"{label}: holds no study to report: run `{command}`")
    return found


def _option(place: int) -> str:
    """What names the study at this place."""
    return ("--linear", "--mlp", "`python -m study.report NAME NAME …`")[min(place, 2)]


def _of_kind(url: str, names: list[str], kind: str) -> list[str]:
    return [name for name in names if _kind(storage.load_study(url, name)) == kind]


def _kind(study: Study) -> object:
    return (storage.manifest(study) or {}).get("model")
