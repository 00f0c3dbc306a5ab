"""Trials as data frames: what every figure and table shows.

Errors are fractions (``val_error``) or counts (``val_errors`` of ``n_val``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from study import stats
from study.dataset import DigitPair, normalise
from study.report.record import Record, Searched
from study.trials import StoredTrial

TRIAL_FIELDS = [
    "state",
    "outcome",
    "learning_rate",
    "hidden_units",
    "val_errors",
    "n_val",
    "val_error",
    "val_loss",
    "step",
    "final_error",
    "first_step_at_target",
    "diverged_at",
]
WHOLE = ("hidden_units", "first_step_at_target", "diverged_at")
Weights = dict[str, np.ndarray]
SHOWN_UNITS = 25  # hidden units in the contact sheet


def trials(record: Record) -> pd.DataFrame:
    """Every finished trial of both studies, a row each, best so far included."""
    rows = [
        {
            "model": search.model.name,
            "study": search.name,
            "trial": trial.number,
            **{name: getattr(trial, name) for name in TRIAL_FIELDS},
            "target": search.target,
            "started_utc": start.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "finished_utc": end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        for search in record.searches
        for trial, (start, end) in zip(search.trials, search.times, strict=True)
    ]
    columns = ["model", "study", "trial", *TRIAL_FIELDS, "target", "started_utc", "finished_utc"]
    return (
        pd.DataFrame(rows, columns=columns)
        .astype(dict.fromkeys(WHOLE, "Int64"))
        .pipe(_with_best_so_far)
        .pipe(_with_level)
    )


def _with_best_so_far(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the lowest error of this and earlier trials, pruned ones left out."""
    competing = frame["val_error"].where(frame["state"] == "COMPLETE").astype(float)
    best = competing.groupby(frame["model"]).cummin()
    return frame.assign(best_so_far=best.groupby(frame["model"]).ffill())


def _with_level(frame: pd.DataFrame) -> pd.DataFrame:
    """Mark the complete trials within one standard error of their study's best."""
    level = pd.Series(False, index=frame.index)
    for _, group in frame[frame["state"] == "COMPLETE"].groupby("model"):
        n = int(group["n_val"].iloc[0])
        level[group.index] = stats.level_with_best(group["val_errors"].to_numpy(), n)
    return frame.assign(level_with_best=level)


def answer(record: Record) -> pd.DataFrame:
    """Each winner's error with its 95 % Wilson interval, and its target."""
    return pd.DataFrame(
        [
            {
                "model": search.model.name,
                "study": search.name,
                "trial": best.number,
                "val_errors": best.val_errors,
                "n_val": best.n_val,
                "val_error": best.val_error,
                "wilson_lower": interval.lower,
                "wilson_upper": interval.upper,
                "target": search.target,
                "target_met": search.target_met,
            }
            for search, best in record.winners
            for interval in [stats.wilson(best.val_errors, best.n_val)]
        ]
    )


def learning_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """What the figure of error against learning rate shows, from :func:`trials`."""
    names = "model trial outcome learning_rate val_errors n_val val_error target level_with_best"
    return frame[names.split()].reset_index(drop=True)


def hidden_units(frame: pd.DataFrame) -> pd.DataFrame:
    """The MLP's trials by learning rate and hidden units, from :func:`trials`."""
    names = [
        "trial",
        "outcome",
        "learning_rate",
        "hidden_units",
        "val_errors",
        "n_val",
        "val_error",
    ]
    return frame.loc[frame["hidden_units"].notna(), names].reset_index(drop=True)


def history(frame: pd.DataFrame) -> pd.DataFrame:
    """Errors in the order of the trials, from :func:`trials`."""
    names = "model trial outcome val_errors n_val val_error best_so_far target"
    return frame[names.split()].reset_index(drop=True)


def curves(search: Searched, best: StoredTrial) -> pd.DataFrame:
    """A trial's learning curves, a row a validation; training figures are of one batch."""
    curve, batch = best.curve, search.protocol.batch_size
    return pd.DataFrame(
        {
            "model": search.model.name,
            "trial": best.number,
            "step": curve["step"].astype(int),
            "train_loss": curve["train_loss"],
            "val_loss": curve["val_loss"],
            "train_error": curve["train_errors"] / batch,
            "val_error": curve["val_errors"] / best.n_val,
            "best": curve["step"] == best.step,
        }
    )


def linear_weights(weights: dict[str, np.ndarray]) -> pd.DataFrame:
    """The 784 weights of the linear model by the pixel's row and column."""
    return _pixels(weights["linear.weight"]).drop(columns="unit")


def unit_weights(weights: dict[str, np.ndarray]) -> pd.DataFrame:
    """The incoming weights of the hidden units with the largest outgoing weights."""
    outgoing = weights["output.weight"].reshape(-1)
    units = np.argsort(-np.abs(outgoing), kind="stable")[:SHOWN_UNITS]
    return _pixels(weights["hidden.weight"][units]).assign(
        outgoing=lambda frame: outgoing[units][frame["unit"]],
        unit=lambda frame: units[frame["unit"]],
    )


def _pixels(weights: np.ndarray) -> pd.DataFrame:
    """(H, 784) weights, a row a pixel of a unit."""
    unit, row, column = np.indices((len(weights), 28, 28)).reshape(3, -1)
    values = {"unit": unit, "row": row, "column": column, "weight": weights.reshape(-1)}
    return pd.DataFrame(values).astype({"weight": float})


def data_counts(pair: DigitPair) -> pd.DataFrame:
    """How many images of each class train and validate."""
    split = np.where(np.arange(len(pair.labels)) < pair.n_train, "training", "validation")
    return (
        pd.DataFrame({"split": split, "class": np.array(pair.classes)[pair.labels]})
        .groupby(["split", "class"])
        .size()
        .unstack(fill_value=0)
        .reindex(columns=list(pair.classes), fill_value=0)
        .assign(all=lambda counts: counts.sum(axis=1))
        .rename(columns=str)
        .reset_index()
    )


def wrong(pair: DigitPair, best: StoredTrial) -> np.ndarray:
    """Which validation images the trial misread at its best step, (n_val,) bool."""
    return np.asarray(best.predictions != pair.labels[pair.n_train :].astype(bool))


def misread(record: Record, pair: DigitPair) -> pd.DataFrame:
    """The validation images that at least one winner misread, a row each.

    ``p_<model>`` is the probability that the model gives the second class, where its
    weights are there.
    """
    mistakes = {s.model.name: wrong(pair, best) for s, best in record.winners}
    places = np.flatnonzero(np.logical_or.reduce(list(mistakes.values())))
    frame = pd.DataFrame({"image": places, "class": _classes(pair)[places]})
    for search, best in record.winners:
        name = search.model.name
        says = np.array(pair.classes)[best.predictions[places].astype(int)]
        chance = _probabilities(search, pair.raw[pair.n_train + places])
        frame = frame.assign(
            **{f"{name}_says": says, f"{name}_wrong": mistakes[name][places], f"p_{name}": chance}
        )
    return frame


def _classes(pair: DigitPair) -> np.ndarray:
    """The validation images' classes, (n_val,)."""
    return np.array(pair.classes)[pair.labels[pair.n_train :]]


def _probabilities(search: Searched, raw: np.ndarray) -> np.ndarray:
    """P(second class) of (n, 28, 28) images; NaN where the weights are missing.

    What ``study.models`` computes, in float64 and without torch.
    """
    if search.weights is None:
        return np.full(len(raw), np.nan)
    w = {name: tensor.astype(float) for name, tensor in search.weights.items()}
    x = normalise(raw).astype(float)
    if "hidden.weight" in w:
        x = np.maximum(x @ w["hidden.weight"].T + w["hidden.bias"], 0)
        logits = x @ w["output.weight"].T + w["output.bias"]
    else:
        logits = x @ w["linear.weight"].T + w["linear.bias"]
    return np.asarray(np.round(1 / (1 + np.exp(-logits[:, 0])), 6))
