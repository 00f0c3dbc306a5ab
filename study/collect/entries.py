"""What was found of one person: the studies of all models, or why they can't be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from study import storage as store
from study.collect.finding import Place
from study.errors import StudyError
from study.margin import Margin
from study.storage.searched import Searched
from study.storage.urls import shown
from study.sweep import table
from study.sweep.data_sets import DataSet
from study.sweep.rows import Row

_ENDS = "/-_."  # of what stands before the model in a study's name


@dataclass(frozen=True)
class Entry:
    """The studies of one person, a model each."""

    name: str  # the storage, and what the studies' names begin with: class.db: ada
    row: Row
    trials_sha256: tuple[str, ...]  # of the trials of each model: the same for the same trials
    recorded: tuple[str, ...]  # when each model's last trial was recorded, in UTC
    notes: tuple[str, ...] = ()  # in what it differs from most, and who handed in the same


@dataclass(frozen=True)
class Skipped:
    """What was not taken, and why, in words."""

    name: str
    why: str


def entries(place: Place, models: Sequence[str], margin: Margin) -> Iterator[Entry | Skipped]:
    """Everybody's studies in a storage, which is only read.

    Args:
        place: Where it is.
        models: Each person has a study of each, called ``linear``; or ``ada/linear`` or
            ``ada-linear`` where several people share a storage.
        margin: Of the verdicts.
    """
    if place.wrong:
        yield Skipped(place.name, place.wrong)
        return
    try:
        names = store.study_names(place.storage)
    except StudyError as error:
        yield Skipped(place.name, _without_path(error, place))
        return
    prefixes = _prefixes(names, models)
    for prefix in prefixes:
        name = f"{place.name}: {prefix.rstrip(_ENDS)}" if prefix else place.name
        try:
            yield _entry(name, place.storage, prefix, models, margin)
        except StudyError as error:
            yield Skipped(name, _without_path(error, place))
    if not prefixes:
        listed = f"it holds {', '.join(map(shown, names[:5]))}" if names else "it holds none"
        yield Skipped(place.name, f"has no studies {' and '.join(models)}: {listed}")


def _prefixes(names: Sequence[str], models: Sequence[str]) -> list[str]:
    """What the names of one person's studies begin with: nothing, or ``ada/``."""
    found = [name.removesuffix(models[0]) for name in names if name.endswith(models[0])]
    return [
        prefix
        for prefix in sorted(found)
        if (not prefix or prefix[-1] in _ENDS)
        and {*names}.issuperset(prefix + model for model in models)
    ]


def _entry(name: str, storage: str, prefix: str, models: Sequence[str], margin: Margin) -> Entry:
    """Raises StudyError where a study is damaged, has no trial, or is not comparable."""
    searches = {model: Searched.read(storage, prefix + model) for model in models}
    row = table.row_of(DataSet(name, prefix), searches, margin)
    if row is None:
        empty = [search.name for search in searches.values() if search.best is None]
        raise StudyError(f"study {shown(empty[0])}: has no trial that was trained to the end")
    digests = tuple(side.sha256 for side in row.sides.values())
    return Entry(name, row, digests, tuple(map(_recorded, searches.values())))


def _recorded(search: Searched) -> str:
    ends = [trial.datetime_complete for trial in search.frozen if trial.datetime_complete]
    return max(end.astimezone(UTC) for end in ends).isoformat()  # Optuna gives naive local time


def _without_path(error: StudyError, place: Place) -> str:
    """The message without the storage's own path, which the page has already."""
    words = str(error).removeprefix(f"{place.storage}: ")
    return words.replace(f" in {place.storage}: ", ": ")
