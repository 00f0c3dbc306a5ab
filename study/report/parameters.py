"""The hyperparameters of a report's studies: what was searched of each, and where it stands.

Each has a column in the tables, and files that are named after the column. A parameter that is
named like another column, or like another file, gets another name there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from study import formats
from study.report.record import Record, ReportedStudy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LONGEST = 40  # letters of a column's name
_COLUMNS = {
    *("model", "study", "trial", "state", "outcome", "target", "started_utc", "finished_utc"),
    *("val_errors", "n_val", "val_error", "val_loss", "step", "final_error", "final_errors"),
    *("first_step_at_target", "diverged_at", "best_so_far", "level_with_best", "curve"),
    *("replicate", "finalist", "split", "holdout_errors", "n_holdout", "holdout_error"),
    *("of_best", "search_final_error", "search_val_error", "simplest_val_errors"),
    *("simplest_holdout_errors", "simplest_holdout_error"),
    *("mark", "height", "best_height", "place", "index"),  # while a figure is drawn
}
_FILES = {
    *("answer", "averages", "classes", "coefficients", "columns", "curves", "data"),
    *("distribution", "error", "examples", "expected_trials", "history", "importance", "loss"),
    *("mcnemar", "misread", "pairs", "predictions", "replicates", "scores", "splits", "sure"),
    *("thresholds", "trials", "units", "weights"),
}


def names(record: Record) -> list[str]:
    """All hyperparameters, fixed ones too, in the order of the spaces."""
    return list(dict.fromkeys(name for s in record.searches for name in s.stored.plan.space))


def columns(record: Record) -> dict[str, str]:
    """The column of each hyperparameter."""
    found: dict[str, str] = {}
    for name in names(record):
        column = re.sub(r"\W", "_", name)[:LONGEST]  # it is in the names of files, too
        while column in _COLUMNS | _FILES or column in found.values():
            column += "_parameter"
        found[name] = column
    return found


def searched(search: ReportedStudy) -> dict[str, BaseDistribution]:
    """The hyperparameters of a study that were not fixed, with their distributions."""
    space = search.stored.plan.space
    return {name: found for name, found in space.items() if not found.single()}


def varied(search: ReportedStudy) -> list[str]:
    """Those of which its trials have more than one value."""
    return [
        name
        for name in searched(search)
        if len({str(trial.parameters.get(name)) for trial in search.trials}) > 1
    ]


def choices(record: Record, name: str) -> list[str] | None:
    """What a hyperparameter was chosen from, in order, over all studies; None for a number."""
    spaces = [search.stored.plan.space for search in record.searches]
    found = [getattr(space[name], "choices", None) for space in spaces if name in space]
    if all(each is None for each in found):
        return None
    values = [
        str(value)
        for search in record.searches
        for value in getattr(search.stored.plan.space.get(name), "choices", None)
        or sorted({trial.parameters.get(name) for trial in search.trials} - {None}, key=str)
    ]
    return list(dict.fromkeys(values))


def cells(record: Record) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function from a configuration to the cells of a row; None for what a model lacks."""
    known = [(name, column, choices(record, name)) for name, column in columns(record).items()]

    def of(configuration: Mapping[str, Any]) -> dict[str, Any]:
        return {
            column: str(configuration[name]) if among else configuration[name]
            for name, column, among in known
            if name in configuration
        }

    return lambda configuration: {column: None for _, column, _ in known} | of(configuration)


def typed(frame: pd.DataFrame, record: Record) -> pd.DataFrame:
    """Whole numbers stay whole where some rows have none."""
    whole = [
        column
        for name, column in columns(record).items()
        if column in frame and _is_whole(record, name)
    ]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _is_whole(record: Record, name: str) -> bool:
    spaces = [search.stored.plan.space for search in record.searches]
    found = [space[name] for space in spaces if name in space]
    return all(type(each).__name__ == "IntDistribution" for each in found)


def title(name: str) -> str:
    """The head of a column: ``Learning rate``."""
    text = formats.parameter_name(name)
    return f"{text[:1].upper()}{text[1:]}"


def is_counted(name: str, value: object) -> bool:
    """Whether it is said with a plural: ``hidden units are 16``."""
    return name.endswith("s") and isinstance(value, int) and not isinstance(value, bool)
