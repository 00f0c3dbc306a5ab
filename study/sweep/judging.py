"""Judge all rows together: p values that hold for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from study.stats import holm
from study.sweep.rows import Row


def judged(rows: Sequence[Row]) -> list[Row]:
    """The rows with Holm's adjusted p values, over all pairs of models of all counted rows.

    Confirmed rows and the others are corrected apart: their p values test different things. So
    each of the two groups has a false claim with a chance of 5 % at most. A row that is not
    counted has no adjusted p.
    """
    for is_confirmed in (False, True):
        rows = _corrected(rows, is_confirmed)
    return list(rows)


def _corrected(rows: Sequence[Row], is_confirmed: bool) -> Sequence[Row]:
    group = [row for row in rows if row.is_counted and bool(row.held_out) == is_confirmed]
    found = [each.p for row in group for each in row.differences]
    adjusted = iter(holm(found).tolist() if found else ())
    corrected = {
        row.data: replace(
            row,
            differences=[replace(each, p_adjusted=next(adjusted)) for each in row.differences],
        )
        for row in group
    }
    return [corrected.get(row.data, row) for row in rows]
