"""The winners' training: learning curves with their spread over seeds, and weights."""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.report.record import Record, ReportedStudy
from study.report.tables.searching import categorical
from study.trials import StoredTrial

Weights = dict[str, np.ndarray]
SHOWN_UNITS = 25  # hidden units in the contact sheet


def curves(record: Record, search: ReportedStudy, best: StoredTrial) -> pd.DataFrame:
    """A trial's learning curves, a row a validation; training figures are of one batch.

    ``val_loss_low`` and so on are the lowest and the highest of the same configuration on fresh
    seeds; NaN where there are none.
    """
    curve, batch = best.curve, search.protocol.batch_size
    frame = pd.DataFrame(
        {
            "model": search.title,
            "trial": best.number,
            "step": curve["step"].astype(int),
            "train_loss": curve["train_loss"],
            "val_loss": curve["val_loss"],
            "train_error": curve["train_errors"] / batch,
            "val_error": curve["val_errors"] / best.n_val,
            "best": curve["step"] == best.step,
        }
    )
    for name, scale in (("val_loss", 1), ("val_error", best.n_val)):
        stored = {"val_loss": "val_loss", "val_error": "val_errors"}[name]
        low, high = _spread(record, search, best, stored, len(frame))
        frame = frame.assign(**{f"{name}_low": low / scale, f"{name}_high": high / scale})
    return frame.assign(model=categorical(frame["model"], record))


def _spread(
    record: Record, search: ReportedStudy, best: StoredTrial, name: str, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest of the replicates' curves, (V,) each."""
    found = [
        np.array(row["curve"][name], float)
        for row in record.replicates
        if row["study"] == search.name and row["finalist"] == best.number
    ] or [np.full(rows, np.nan)]
    return np.fmin.reduce(found), np.fmax.reduce(found)


def linear_weights(weights: Weights) -> pd.DataFrame:
    """The 784 weights of the linear model by the pixel's row and column."""
    return pixels(weights["linear.weight"]).drop(columns="unit")


def unit_weights(weights: Weights) -> pd.DataFrame:
    """The incoming weights of the hidden units with the largest outgoing weights."""
    outgoing = weights["output.weight"].reshape(-1)
    units = np.argsort(-np.abs(outgoing), kind="stable")[:SHOWN_UNITS]
    return pixels(weights["hidden.weight"][units]).assign(
        outgoing=lambda frame: outgoing[units][frame["unit"]],
        unit=lambda frame: units[frame["unit"]],
    )


def pixels(weights: np.ndarray) -> pd.DataFrame:
    """(H, 784) weights, a row a pixel of a unit."""
    unit, row, column = np.indices((len(weights), 28, 28)).reshape(3, -1)
    values = {"unit": unit, "row": row, "column": column, "weight": weights.reshape(-1)}
    return pd.DataFrame(values).astype({"weight": float})
