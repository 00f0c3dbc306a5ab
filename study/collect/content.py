"""All that the page and the table show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from study.collect.entries import Entry, Skipped

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Content:
    """The submissions, and what was none."""

    entries: Sequence[Entry]  # with their notes, one or more
    skipped: Sequence[Skipped]
    models: tuple[str, ...]  # two or more


def frame(entries: Sequence[Entry]) -> pd.DataFrame:
    """A line a submission; errors are fractions."""
    import pandas as pd

    return pd.DataFrame([_cells(entry) for entry in entries])


def _cells(entry: Entry) -> dict[str, object]:
    row, origin = entry.row, entry.row.origin
    of_models = {
        f"{model}_{what}": value
        for model, side in row.sides.items()
        for what, value in {
            "error": side.errors / row.n_val,
            "errors": side.errors,
            "trials": side.trials,
            "complete": side.complete,
            "target_met": side.target_met,
            "held_out": row.held_out.get(model),
            "trials_sha256": side.sha256,
        }.items()
    }
    return {
        "submission": entry.name,
        **of_models,
        "n_val": row.n_val,
        "verdict": row.verdict,
        "notes": "; ".join(entry.notes),
        "recorded": max(entry.recorded),
        "seed": origin.seed,
        "protocol": origin.protocol,
        "data_sha256": origin.data_sha256,
        "versions": origin.versions,
        "machine": origin.machine,
    }
