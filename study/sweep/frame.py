"""The rows as a table: ``sweep.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from study.sweep.differences import Difference
from study.sweep.rows import Row, Side

if TYPE_CHECKING:
    import pandas as pd

Cells = dict[str, object]


def frame_of_pairs(found: Sequence[Row]) -> pd.DataFrame:
    """Pairs and two models; the gap is the first's error less the second's, in points."""
    import pandas as pd

    return pd.DataFrame([_pair(row) for row in found])


def _pair(row: Row) -> Cells:
    assert row.data.pair is not None
    first, second = row.data.pair
    sides = row.sides.items()
    return {
        "first": first,
        "second": second,
        "class": row.kind,
        **_judged(row, row.differences[0]),
        **{f"{model}_error": side.errors / row.n_val for model, side in sides},
        **{f"{model}_errors": side.errors for model, side in sides},
        "n_val": row.n_val,
        **{name: count for model, side in sides for name, count in _counts(model, side).items()},
        **_rest(row),
    }


def frame(found: Sequence[Row]) -> pd.DataFrame:
    """Any data sets and models: after the data and the winner, four columns a model.

    The gap is the error of the model ``against`` less that of the leader, in points.
    """
    import pandas as pd

    return pd.DataFrame([_data_set(row) for row in found])


def _data_set(row: Row) -> Cells:
    first, second = row.classes
    models = [
        {f"{model}_error": side.errors / row.n_val, f"{model}_errors": side.errors}
        | _counts(model, side)
        for model, side in row.sides.items()
    ]
    return {
        "data": row.data.prefix,
        "rows": row.n_train + row.n_val,
        "columns": row.columns,
        "first": first,
        "second": second,
        "class": row.kind,
        "leader": row.leader,
        "against": row.closest.more,
        **_judged(row, row.closest),
        "n_val": row.n_val,
        **{name: value for cells in models for name, value in cells.items()},
        **_rest(row),
    }


def _judged(row: Row, found: Difference) -> Cells:
    """The difference that decides, its 95 % interval, both p values, and what they rest on."""
    return {
        "gap_points": round(100 * found.mean, 8),
        "lower_points": round(100 * found.interval.lower, 8),
        "upper_points": round(100 * found.interval.upper, 8),
        "p": found.p,
        "p_adjusted": found.p_adjusted,
        "evidence": "confirmation" if row.held_out else "validation",
    }


def _rest(row: Row) -> Cells:
    return {"verdict": row.verdict, "note": row.note, **asdict(row.origin)}


def _counts(model: str, side: Side) -> Cells:
    return {f"{model}_complete": side.complete, f"{model}_trials": side.trials}
