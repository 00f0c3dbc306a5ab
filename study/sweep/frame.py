"""The rows as a table: ``sweep.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from study.sweep.rows import Row, Side

if TYPE_CHECKING:
    import pandas as pd

Cells = dict[str, object]


def signed_gap(row: Row) -> float:
    """The first of two models' error less the second's, a fraction."""
    first, second = row.sides.values()
    return (first.errors - second.errors) / row.n_val


def frame_of_pairs(found: Sequence[Row]) -> pd.DataFrame:
    """Pairs and two models: errors also as fractions, the gap in percentage points."""
    import pandas as pd

    return pd.DataFrame([_pair(row) for row in found])


def _pair(row: Row) -> Cells:
    assert row.data.pair is not None
    first, second = row.data.pair
    sides = row.sides.items()
    return {
        "first": first,
        "second": second,
        "winner": row.winner,
        "gap_points": round(100 * signed_gap(row), 4),
        **{f"{model}_error": side.errors / row.n_val for model, side in sides},
        **{f"{model}_errors": side.errors for model, side in sides},
        "n_val": row.n_val,
        **{name: count for model, side in sides for name, count in _counts(model, side).items()},
        "verdict": row.verdict,
        "note": row.note,
    }


def frame(found: Sequence[Row]) -> pd.DataFrame:
    """Any data sets and models: after the data and the winner, four columns a model."""
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
        "winner": row.winner,
        "gap_points": round(100 * row.gap, 4),
        "n_val": row.n_val,
        **{name: value for cells in models for name, value in cells.items()},
        "verdict": row.verdict,
        "note": row.note,
    }


def _counts(model: str, side: Side) -> Cells:
    return {f"{model}_complete": side.complete, f"{model}_trials": side.trials}
