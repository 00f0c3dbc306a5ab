"""The winners' training: learning curves with their spread over seeds, and weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from study.report.record import Record, ReportedStudy
from study.report.tables.searching import categorical, without_target
from study.trials import StoredTrial

Weights = dict[str, np.ndarray]
SHOWN_UNITS = 25  # hidden units in the contact sheet
SHOWN_COLUMNS = 20  # columns of a table in a figure of weights


def curves(record: Record) -> pd.DataFrame:
    """The best trials' learning curves, a row a validation; training figures are of one batch.

    ``val_loss_low`` and so on are the lowest and the highest of the same configuration on fresh
    seeds; NaN where there are none. The target is there where a study has one.
    """
    found = [_curve(record, search, best) for search, best in record.winners]
    return without_target(pd.concat(found, ignore_index=True)) if found else pd.DataFrame()


def _curve(record: Record, search: ReportedStudy, best: StoredTrial) -> pd.DataFrame:
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
            "target": np.nan if search.target is None else search.target,
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


def linear_weights(weights: Weights, shape: tuple[int, ...] = (28, 28)) -> pd.DataFrame:
    """The weights of the linear model by the pixel's row and column."""
    return pixels(weights["linear.weight"], shape).drop(columns="unit")


def unit_weights(weights: Weights, shape: tuple[int, ...] = (28, 28)) -> pd.DataFrame:
    """The incoming weights of the hidden units with the largest outgoing weights."""
    outgoing, units = _largest_units(weights)
    return pixels(weights["hidden.weight"][units], shape).assign(
        outgoing=lambda frame: outgoing[units][frame["unit"]],
        unit=lambda frame: units[frame["unit"]],
    )


def _largest_units(weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    outgoing = weights["output.weight"].reshape(-1)
    return outgoing, np.argsort(-np.abs(outgoing), kind="stable")[:SHOWN_UNITS]


def pixels(weights: np.ndarray, shape: tuple[int, ...]) -> pd.DataFrame:
    """(U, D) weights of images of a shape (H, W) or (H, W, 3), a row a pixel of a unit.

    Of three colours it is the mean.
    """
    values = weights.reshape(len(weights), *shape)
    values = values.mean(axis=3) if values.ndim == 4 else values
    unit, row, column = np.indices(values.shape).reshape(3, -1)
    found = {"unit": unit, "row": row, "column": column, "weight": values.reshape(-1)}
    return pd.DataFrame(found).astype({"weight": float})


def coefficients(weights: Weights, columns: Sequence[str]) -> pd.DataFrame:
    """The linear model's weight of each column of a table, the largest first."""
    found = weights["linear.weight"].reshape(-1).astype(float)
    order = np.argsort(-np.abs(found), kind="stable")
    return pd.DataFrame({"column": np.array(columns, object)[order], "weight": found[order]})


def unit_columns(weights: Weights, columns: Sequence[str]) -> pd.DataFrame:
    """The incoming weights of hidden units from the columns that they weigh most.

    Units are those with the largest outgoing weights, columns those with the largest sum of
    |incoming · outgoing| over all units; a row a column of a unit.
    """
    outgoing, units = _largest_units(weights)
    incoming = weights["hidden.weight"].astype(float)
    weighed = np.abs(incoming * outgoing[:, None]).sum(axis=0)
    chosen = np.argsort(-weighed, kind="stable")[:SHOWN_COLUMNS]
    unit, column = np.indices((len(units), len(chosen))).reshape(2, -1)
    return pd.DataFrame(
        {
            "unit": units[unit],
            "column": np.array(columns, object)[chosen][column],
            "weight": incoming[units[unit], chosen[column]],
            "outgoing": outgoing[units[unit]],
        }
    )
