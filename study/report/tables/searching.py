"""The searches: every trial, the best ones, and what a shorter search would have found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from study import formats, stats
from study.report import parameters
from study.report.record import Record

BEFORE, AFTER = (
    ("state", "outcome"),
    (
        *("val_errors", "n_val", "val_error", "val_loss", "step", "final_error"),
        *("first_step_at_target", "diverged_at"),
    ),
)  # the fields of a trial, before and after its hyperparameters
WHOLE = ("first_step_at_target", "diverged_at")
SEARCH_SIZES = 24  # points of a curve of expected errors


def by_model(rows: list[dict[str, Any]], record: Record) -> pd.DataFrame:
    """Rows as a frame whose column ``model`` is categorical."""
    frame = pd.DataFrame(rows)
    return frame.assign(model=categorical(frame["model"], record)) if rows else frame


def categorical(titles: pd.Series, record: Record) -> pd.Series:
    """Titles with all of the report's as their categories."""
    return titles.astype(pd.CategoricalDtype(record.titles))


def trials(record: Record) -> pd.DataFrame:
    """Every finished trial of all studies, a row each, best so far included."""
    cells = parameters.cells(record)
    rows = [
        {
            "model": search.title,
            "study": search.name,
            "trial": trial.number,
            **{name: getattr(trial, name) for name in BEFORE},
            **cells(trial.parameters),
            **{name: getattr(trial, name) for name in AFTER},
            "target": search.target,
            "started_utc": start.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "finished_utc": end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        for search in record.searches
        for trial, (start, end) in zip(search.trials, search.times, strict=True)
    ]
    own = parameters.columns(record).values()
    columns = ["model", "study", "trial", *BEFORE, *own, *AFTER, "target"]
    return (
        pd.DataFrame(rows, columns=[*columns, "started_utc", "finished_utc"])
        .astype(dict.fromkeys(WHOLE, "Int64"))
        .pipe(parameters.typed, record)
        .assign(model=lambda frame: categorical(frame["model"], record))
        .pipe(without_target, "first_step_at_target")
        .pipe(_with_best_so_far)
        .pipe(_with_level)
    )


def without_target(frame: pd.DataFrame, *others: str) -> pd.DataFrame:
    """Without the columns of targets where no study has one."""
    if frame.empty or frame["target"].notna().any():
        return frame.astype({"target": float}) if len(frame) else frame
    return frame.drop(columns=["target", *others])


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


def learning_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """What the figure of error against learning rate shows, from :func:`trials`."""
    return against(frame, "learning_rate")


def against(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Errors against one hyperparameter, of the models that have it, from :func:`trials`."""
    names = ["model", "trial", "outcome", column, "val_errors", "n_val", "val_error", "target"]
    return _taking(frame[frame[column].notna()], [*names, "level_with_best"])


def pair(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Trials by two hyperparameters, of the models that have both, from :func:`trials`."""
    names = ["model", "trial", "outcome", x, y, "val_errors", "n_val", "val_error"]
    return _taking(frame[frame[x].notna() & frame[y].notna()], names)


def _taking(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """These columns, as far as they are there: without a target there is no column of it."""
    return frame[[name for name in names if name in frame]].reset_index(drop=True)


def history(frame: pd.DataFrame) -> pd.DataFrame:
    """Errors in the order of the trials, from :func:`trials`."""
    names = "model trial outcome val_errors n_val val_error best_so_far target"
    return _taking(frame, names.split())


def distribution(frame: pd.DataFrame) -> pd.DataFrame:
    """The errors of each study's trials from the lowest on, from :func:`trials`.

    ``share`` is how many of its trials have this error or a lower one, a fraction: the empirical
    distribution function. Pruned trials are left out.
    """
    names = "model trial outcome val_errors n_val val_error share target"
    complete = frame[frame["state"] == "COMPLETE"].sort_values(
        ["model", "study", "val_error", "trial"]
    )
    errors = complete.groupby(["model", "study"], observed=True)["val_error"]
    return _taking(complete.assign(share=errors.rank("max", pct=True)), names.split())


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
    return without_target(by_model(rows, record))


def importance(record: Record) -> pd.DataFrame:
    """The share of each hyperparameter, for the studies of which it can be told."""
    return by_model(
        [
            {
                "model": search.title,
                "study": search.name,
                "parameter": formats.parameter_name(name),
                "importance": share,
            }
            for search in record.searches
            for name, share in search.importance.items()
        ],
        record,
    )
