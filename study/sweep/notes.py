"""Which rows can't be counted with the others, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from study.errors import StudyError
from study.sweep.rows import Found, Row

SHOWN = 3  # differing settings that a note names
OF_DATA = {
    *("dataset", "n_train", "batch_size", "normalisation", "order", "label", "inputs", "target"),
}
"""Settings that depend on the data: of a person's own data they are not compared."""


def marked(found: Found, n_trials: int, *, until_target: bool) -> list[Row]:
    """The rows by data set, each with a note where it can't be compared with the others.

    Args:
        found: What was read.
        n_trials: How many trials a complete search has.
        until_target: Whether a search that met its target is complete with fewer.
    """
    rows = sorted(
        (row for row in found.values() if isinstance(row, Row)), key=lambda row: row.data.place
    )
    usual = _usual(rows), _usual([row for row in rows if row.data.pair])
    notes = [[*_missing(row, n_trials, until_target), *_unlike(row, *usual)] for row in rows]
    return [replace(row, note=", ".join(note)) for row, note in zip(rows, notes, strict=True)]


def unreadable(found: Found) -> list[str]:
    """The data sets that can't be read, and why, a line each."""
    return [
        f"{data.name}: {error}"
        for data, error in sorted(found.items(), key=lambda item: item[0].place)
        if isinstance(error, StudyError)
    ]


def _usual(rows: Sequence[Row]) -> Row | None:
    """A row with the settings that most rows have; the first one where several are as common."""
    counts = Counter(map(_settings, rows))
    return max(rows, key=lambda row: counts[_settings(row)], default=None)


def _settings(row: Row) -> str:
    but = () if row.data.pair else OF_DATA
    sides = [
        {name: value for name, value in side.settings.items() if name not in but}
        for side in row.sides.values()
    ]
    return json.dumps(sides, sort_keys=True)


def _missing(row: Row, n_trials: int, until_target: bool) -> Iterator[str]:
    """The searches that have too few trials."""
    for model, side in row.sides.items():
        if side.trials < n_trials and not (until_target and side.target_met):
            yield f"{model} has {side.trials} of {n_trials} trials"


def _unlike(row: Row, usual: Row | None, usual_pair: Row | None) -> Iterator[str]:
    """The settings in which the row differs from most rows, and a pair from most pairs."""
    others = [other for other in (usual, row.data.pair and usual_pair) if other]
    differing = {name: words for other in others for name, words in _differences(row, other)}
    yield from list(differing.values())[:SHOWN]
    if len(differing) > SHOWN:
        yield f"and {len(differing) - SHOWN} more"


def _differences(row: Row, other: Row) -> Iterator[tuple[str, str]]:
    but = () if row.data.pair and other.data.pair else OF_DATA
    for own, others in zip(row.sides.values(), other.sides.values(), strict=True):
        for name in {**others.settings, **own.settings}:
            here, there = own.settings.get(name), others.settings.get(name)
            if here != there and name not in but:
                yield name, f"{name} {here}, not {there}"
