"""The searches: every trial, the best ones, and what a shorter search would have found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from study import stats
from study.report.record import Record

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
SEARCH_SIZES = 24  # points of a curve of expected errors


def by_model(rows: list[dict[str, Any]], record: Record) -> pd.DataFrame:
    """Rows as a frame whose column ``model`` is categorical."""
    frame = pd.DataFrame(rows)
    return frame.assign(model=categorical(frame["model"], record)) if rows else frame


def categorical(titles: pd.Series, record: Record) -> pd.Series:
    """Titles with all of the report's as their categories."""
    return titles.astype(pd.CategoricalDtype(record.titles))


def trials(record: Record) -> pd.DataFrame:
    """Every finished trial of both studies, a row each, best so far included."""
    rows = [
        {
            "model": search.title,
            "study": search.name,
            "trial": trial.number,
            **{n: getattr(trial, n, trial.parameters.get(n)) for n in TRIAL_FIELDS},
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
        .assign(model=lambda frame: categorical(frame["model"], record))
        .pipe(_with_best_so_far)
        .pipe(_with_level)
    )


def _with_best_so_far(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the lowest error of this and earlier trials, pruned ones left out."""
    competing = frame["val_error"].where(frame["state"] == "COMPLETE").astype(float)
    best = competing.groupby(frame["study"]).cummin()
    return frame.assign(best_so_far=best.groupby(frame["study"]).ffill())


def _with_level(frame: pd.DataFrame) -> pd.DataFrame:
    """Mark the complete trials within one standard error of their study's best."""
    level = pd.Series(False, index=frame.index)
    for _, group in frame[frame["state"] == "COMPLETE"].groupby("study"):
        n = int(group["n_val"].iloc[0])
        level[group.index] = stats.level_with_best(group["val_errors"].to_numpy(), n)
    return frame.assign(level_with_best=level)


def answer(record: Record) -> pd.DataFrame:
    """Each winner's lowest error with its Wilson interval, its target, and what it is worth.

    ``holdout_error`` is the mean error of whole searches on images that played no part in them,
    with its corrected interval; NaN before ``study.confirm``.
    """
    return by_model(
        [
            {
                "model": search.title,
                "study": search.name,
                "trial": best.number,
                "val_errors": best.val_errors,
                "n_val": best.n_val,
                "val_error": best.val_error,
                "wilson_lower": interval.lower,
                "wilson_upper": interval.upper,
                **_holdout(record, search.name),
                "target": search.target,
                "target_met": search.target_met,
            }
            for search, best in record.winners
            for interval in [stats.wilson(best.val_errors, best.n_val)]
        ],
        record,
    )


def _holdout(record: Record, study: str) -> dict[str, float]:
    names, c = ("holdout_error", "holdout_lower", "holdout_upper"), record.comparison
    if c is None:
        return dict.fromkeys(names, np.nan)
    [found] = [side.holdout for side in c.sides if side.study == study]
    ends = (found.mean, max(found.interval.lower, 0.0), found.interval.upper)
    return dict(zip(names, ends, strict=True))


def learning_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """What the figure of error against learning rate shows, from :func:`trials`."""
    names = "model trial outcome learning_rate val_errors n_val val_error target level_with_best"
    return frame[names.split()].reset_index(drop=True)


def hidden_units(frame: pd.DataFrame) -> pd.DataFrame:
    """Trials of models with hidden units, by learning rate and units, from :func:`trials`."""
    names = "model trial outcome learning_rate hidden_units val_errors n_val val_error"
    return frame.loc[frame["hidden_units"].notna(), names.split()].reset_index(drop=True)


def history(frame: pd.DataFrame) -> pd.DataFrame:
    """Errors in the order of the trials, from :func:`trials`."""
    names = "model trial outcome val_errors n_val val_error best_so_far target"
    return frame[names.split()].reset_index(drop=True)


def expected(record: Record) -> pd.DataFrame:
    """The expected lowest error of n trials drawn from each study's, n up to half of them.

    ``seconds`` is what n trials of that study took on average.
    """
    rows = []
    for search in record.searches:
        errors = [trial.val_error for trial in search.trials if trial.state == "COMPLETE"]
        if len(errors) < 2:
            continue
        per_trial = search.seconds / len(search.trials)
        for n in np.unique(np.geomspace(1, len(errors) // 2, SEARCH_SIZES).round().astype(int)):
            rows.append(
                {
                    "model": search.title,
                    "study": search.name,
                    "trials": int(n),
                    "seconds": n * per_trial,
                    "expected_error": stats.expected_best(errors, int(n)),
                    "n_val": search.trials[0].n_val,
                    "target": search.target,
                }
            )
    return by_model(rows, record)


def importance(record: Record) -> pd.DataFrame:
    """The share of each hyperparameter, for the studies of which it can be told."""
    return by_model(
        [
            {
                "model": search.title,
                "study": search.name,
                "parameter": name.replace("_", " "),
                "importance": share,
            }
            for search in record.searches
            for name, share in search.importance.items()
        ],
        record,
    )
