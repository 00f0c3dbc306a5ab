"""All trials in one table, each with its learning curves for who wants to see them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from study import formats
from study.report import general, parameters
from study.report.content import Section, TrialRow, TrialTable
from study.report.record import Record, ReportedStudy
from study.trials import StoredTrial, rank

LONGEST = 200  # drawn steps of a curve
MOST = 60_000  # drawn steps of all curves together, each about ten bytes of the page

Found = tuple[int, ReportedStudy, StoredTrial, bool]  # with the study's place; level with the best


def all_trials(record: Record, trials: pd.DataFrame) -> Section | None:
    """Every trial of all studies, the best first; pruned ones come last, whatever they reached."""
    if trials.empty:
        return None
    each = ((place, s, trial) for place, s in enumerate(record.searches) for trial in s.trials)
    found: list[Found] = [
        (*one, bool(is_level))
        for one, is_level in zip(each, trials["level_with_best"], strict=True)
    ]
    found.sort(key=lambda row: (row[2].state != "COMPLETE", rank(row[2])))
    drawn = drawn_validations(record.protocol.validation_steps, len(found))
    table = TrialTable(
        f"The table of all {formats.plural(len(found), 'trial')}",
        general.TRIAL_TABLE.format(items=record.items) + _left_out(record, drawn),
        _header(record, found[0][2].n_val),
        list(_rows(record, found, drawn)),
        [search.title for search in record.searches],
        sorted({trial.outcome for _, _, trial, _ in found}),
        _facts(record, found[0][2].n_val, drawn),
    )
    return Section("trials", "All trials", trials=table)


def drawn_validations(steps: Sequence[int], n_trials: int) -> list[int]:
    """The places of the validations that each curve shows: all, or evenly fewer and the last."""
    count = len(steps)
    every = max(1, -(-count // LONGEST), -(-count * n_trials // MOST))
    return sorted({*range(0, count, every), count - 1})


def _left_out(record: Record, drawn: Sequence[int]) -> str:
    if len(drawn) == len(record.protocol.validation_steps):
        return ""
    return f" The curves show every {formats.ordinal(drawn[1])} validation."


def _header(record: Record, n_val: int) -> list[str]:
    own = [parameters.title(name) for name in parameters.names(record)]
    reached = ["Lowest validation error", f"Errors of {n_val:,}", "At step", "Error at the end"]
    return ["Model", "Trial", *own, *reached, "Loss", "Outcome", "Level with the best"]


def _rows(record: Record, found: Sequence[Found], drawn: Sequence[int]) -> Iterator[TrialRow]:
    names = parameters.names(record)
    for place, search, trial, is_level in found:
        cells = [
            search.title,
            str(trial.number),
            *(_value(trial.parameters.get(name)) for name in names),
            formats.percent(trial.val_error),
            f"{trial.val_errors:,}",
            f"{trial.step:,}",
            formats.percent(trial.final_error),
            formats.rate(trial.val_loss) if math.isfinite(trial.val_loss) else "–",
            trial.outcome,
            "yes" if is_level else "no",
        ]
        is_best = search.best is not None and trial.number == search.best.number
        yield TrialRow(cells, place, is_best, *_curves(trial, drawn))


def _value(parameter: object) -> str:
    return "–" if parameter is None else formats.value(parameter)


def _curves(trial: StoredTrial, drawn: Sequence[int]) -> tuple[str, str]:
    """Validation errors and losses, as far as the trial went."""
    places = [place for place in drawn if place < len(trial.curve["step"])]
    errors, losses = (trial.curve[name][places] for name in ("val_errors", "val_loss"))
    return _written(errors), _written(losses)


def _written(values: np.ndarray) -> str:
    return ",".join(f"{value:.4g}" if np.isfinite(value) else "" for value in values)


def _facts(record: Record, n_val: int, drawn: Sequence[int]) -> str:
    steps = record.protocol.validation_steps
    facts = {
        "n": n_val,
        "steps": [steps[place] for place in drawn],
        "targets": [search.target for search in record.searches],
        "looks": [record.titles.index(search.title) for search in record.searches],
    }
    return json.dumps(facts, separators=(",", ":"))
