"""Ten classes against ten: the winner of each pair, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.sweep.data_sets import DataSet
from study.sweep.rows import NOT_COUNTED, Row
from study.sweep.sentences import gap, points, short

STEPS = (0.1, 0.5, 1.0, 2.0)  # percentage points: where a cell's colour changes
COLOURS = ("linear", "mlp")  # of the first model, and of the second


@dataclass(frozen=True)
class Cell:
    """A pair's place in the matrix."""

    text: str
    title: str  # the two errors, on how many trials each rests, and the difference
    kind: str  # the classes that colour it
    link: str | None  # to the pair's report, if there is one of what the storage has now


def matrix(found: Sequence[Row], links: Mapping[DataSet, str | None]) -> list[list[Cell | None]]:
    """Ten rows of ten cells: a pair stands at both of its places."""
    cells = {
        place: _cell(row, links.get(row.data))
        for row in found
        if (pair := row.data.pair)
        for place in (pair, pair[::-1])
    }
    return [[cells.get((first, second)) for second in range(10)] for first in range(10)]


def _cell(row: Row, link: str | None) -> Cell:
    errors = "; ".join(
        f"{short(model)} {row.error(model)}, {side.complete} of {side.trials} trials"
        for model, side in row.sides.items()
    )
    [lead] = row.leads
    title = f"{row.data.title}: {errors}; difference {gap(lead)}"
    if not row.is_counted:
        title, kind, text = f"{title}; not counted: {row.note}", "noted", NOT_COUNTED
    elif row.winner:
        step = sum(100 * row.gap >= edge for edge in STEPS)
        kind = f"{COLOURS[list(row.sides).index(row.winner)]} step{step}"
        text = short(row.winner)
    else:
        kind, text = "unclear", "not clear"
    return Cell(f"{text} {points(row.gap)}", title, kind, link)
