"""What each hyperparameter does: errors against one, pairs of them, and where the best lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pandas as pd

from study import formats, stats
from study.report import figures, general, parameters, tables, words
from study.report.content import Section, with_legend
from study.report.figures.axes import Axis
from study.report.record import Record, ReportedStudy
from study.report.rendering import Chart
from study.report.sections import estimates
from study.report.sections.searching import importance
from study.trials import StoredTrial
from study.trials.selection import diagnosed

if TYPE_CHECKING:
    from study.stats import Diagnosis

RATE = "learning_rate"


def hyperparameters(record: Record, trials: pd.DataFrame) -> Section | None:
    """How the error depends on the learning rate, and on every other hyperparameter."""
    if trials.empty:
        return None
    varied = dict.fromkeys(name for s in record.searches for name in parameters.varied(s))
    others = [name for name in varied if name != RATE]
    pairs = [
        _pair(record, search, x, y, trials)
        for search in record.searches
        for x, y in combinations(parameters.varied(search), 2)
    ]
    charts = [_against_rate(record, trials), *(_against(record, n, trials) for n in others)]
    title = "What the learning rate does" if len(others) < 2 else "What each hyperparameter does"
    text = [general.LEVEL_AND_NEAR, *(_diagnosis(search) for search in record.searches)]
    more = [*_pairs(pairs), *_best_and_simplest(record), importance(record)]
    return Section("learning-rate", title, text, charts, more=more)


def _pairs(charts: Sequence[Chart]) -> list[Section]:
    return (
        [Section("learning-rate", "Two hyperparameters at once", charts=charts)] if charts else []
    )


def _best_and_simplest(record: Record) -> list[Section]:
    """The best trials with their intervals, beside simpler ones that are level with them."""
    if not record.winners:
        return []
    counts = [len(search.trials) for search, _ in record.winners]
    each = formats.listed([f"{count:,}" for count in counts[:-1]])
    last = formats.plural(counts[-1], "trial")
    lowest = general.LOWEST.format(
        The="Each" if len(counts) > 1 else "The",
        trials=last if len(set(counts)) == 1 else f"{each} and {last}",
        items=record.items,
    )
    title = "The best trial and the simplest"
    return [Section("learning-rate", title, [lowest], tables=[estimates.trials(record)])]


def _against_rate(record: Record, trials: pd.DataFrame) -> Chart:
    text = [_diagnosis(search) for search in record.searches]
    return Chart(
        RATE,
        "Error against learning rate",
        figures.learning_rate,
        tables.learning_rates(trials),
        alt=f"{general.AGAINST_RATE_ALT} {' '.join(text)}",
        caption=f"{general.EVERY_TRIAL} {_shaded(record)}{words.zeros(record, trials)}",
        size=with_legend(len(record.searches), 7.6, 4.4),
        narrow=with_legend(len(record.searches), 3.9, 4.4),
        values=figures.against_values,
    )


def _against(record: Record, name: str, trials: pd.DataFrame) -> Chart:
    """Errors against one hyperparameter, of all models that it was varied in."""
    axis = _axis(record, name)
    those = [search for search in record.searches if name in parameters.varied(search)]
    frame = tables.against(
        trials[trials["study"].isin([search.name for search in those])], axis.column
    )
    more = " Trials of one choice lie side by side." if axis.choices else f" {_shaded(record)}"
    models = formats.listed([search.noun for search in those])
    lowest = " ".join(_lowest(search, name) for search in those)
    return Chart(
        f"error_{axis.column}",
        f"Error against {axis.label}",
        partial(figures.against, axis=axis),
        frame,
        alt=f"{general.AGAINST_ALT.format(models=models, name=axis.label)} {lowest}".rstrip(),
        caption=f"{general.EVERY_TRIAL}{more}{words.zeros(record, frame)}",
        size=with_legend(len(those), 7.6, 4.4),
        narrow=with_legend(len(those), 3.9, 4.4),
        values=partial(figures.against_values, axis=axis),
    )


def _shaded(record: Record) -> str:
    return general.SHADED.format(items=record.items)


def _lowest(search: ReportedStudy, name: str) -> str:
    best = search.best
    if best is None:
        return ""
    value, error = formats.value(best.parameters[name]), formats.percent(best.val_error)
    return general.LOWEST_AT.format(model=search.title, error=error, value=value)


def _axis(record: Record, name: str) -> Axis:
    spaces = [search.stored.plan.space for search in record.searches]
    found = next(space[name] for space in spaces if name in space and not space[name].single())
    return Axis.of(name, parameters.columns(record)[name], found, parameters.choices(record, name))


def _pair(record: Record, search: ReportedStudy, x: str, y: str, trials: pd.DataFrame) -> Chart:
    """A study's trials by two of its hyperparameters."""
    across, up = _axis(record, x), _axis(record, y)
    frame = tables.pair(trials[trials["study"] == search.name], across.column, up.column)
    [best] = frame.nsmallest(1, "val_errors").to_dict("records")
    at = formats.listed([_said(axis, best[axis.column]) for axis in (across, up)])
    return Chart(
        _name(search, x, across.column, up.column),
        f"{search.title}: {up.label} and {across.label}",
        partial(figures.pair, x=across, y=up),
        frame,
        alt=general.PAIR_ALT.format(
            model=search.noun,
            across=across.label,
            up=up.label,
            error=formats.percent(best["val_error"]),
            place=at,
        ),
        caption=f"{general.PAIR_COLOURS}{words.zeros(record, frame)}",
        size=(7.6, 4.0) if x == RATE else (3.9, 3.4),
        narrow=(3.9, 4.0) if x == RATE else None,
        values=partial(figures.pair_values, x=across, y=up),
    )


def _name(search: ReportedStudy, x: str, across: str, up: str) -> str:
    """Of the chart's files: the usual MLP's size against its learning rate has the plain name."""
    if x != RATE:
        return f"{search.key}_{across}_{up}"
    alone = search.key == "mlp" and up in search.model.size_parameters
    return up if alone else f"{search.key}_{up}"


def _said(axis: Axis, value: Any) -> str:  # noqa: ANN401 (any value)
    return formats.parameters({axis.label: int(value) if axis.whole else value})


def _diagnosis(search: ReportedStudy) -> str:
    """Where the good and bad values of each hyperparameter lie, in words."""
    done = _done(search)
    if not done:
        return f"{search.title}: no trial was trained to the end."
    if not parameters.searched(search):
        rate = formats.rate(done[0].learning_rate)
        return f"{search.title}: nothing was searched: each trial has the learning rate {rate}."
    found = diagnosed(search.stored.plan, done)
    first, *others = [
        _number(name, found[name], done) if name in found else _choice(search, name, done)
        for name in sorted(parameters.searched(search), key=lambda name: name != RATE)
    ]
    opening = general.LEVEL.format(model=search.title)
    return " ".join([f"{opening} {first}", *(f"Their {what}" for what in others)])


def _done(search: ReportedStudy) -> list[StoredTrial]:
    return [trial for trial in search.trials if trial.state == "COMPLETE"]


def _number(name: str, diagnosis: Diagnosis, done: list[StoredTrial]) -> str:
    """The values that are level with the best, where the best lie, and what is too high."""
    value = done[0].parameters[name]
    low, high = diagnosis.level
    ends = (int(low), int(high)) if isinstance(value, int) else (low, high)
    are = "are" if parameters.is_counted(name, value) else "is"
    label = formats.parameter_name(name)
    apart = diagnosis.falls_apart_from
    falls = "" if apart is None else f" Training falls apart from {formats.rate(apart)}."
    return f"{label} {are} {_span(ends)}, and the best lie {_place(diagnosis)}.{falls}"


def _span(ends: tuple[float, float]) -> str:
    low, high = map(formats.value, ends)
    return low if low == high else f"from {low} to {high}"


def _place(diagnosis: Diagnosis) -> str:
    """Where the best trials lie in the range."""
    if diagnosis.at_limit:
        return "near 0, below which no value is possible"
    if diagnosis.edge is None:
        return "well inside the range searched"
    side = {"low": "lower", "high": "upper"}[diagnosis.edge]
    return f"near the {side} end of the range searched: try it wider"


def _choice(search: ReportedStudy, name: str, done: list[StoredTrial]) -> str:
    """How many of the trials that are level with the best have each choice, and which have not."""
    is_level = stats.level_with_best([trial.val_errors for trial in done], done[0].n_val)
    level = [trial for trial, is_it in zip(done, is_level, strict=True) if is_it]
    counts = Counter(formats.value(trial.parameters[name]) for trial in level)
    said = formats.listed([f"{choice} in {count:,}" for choice, count in counts.most_common()])
    tried = {formats.value(trial.parameters[name]) for trial in search.trials}
    choices: Any = parameters.searched(search)[name]
    others = [formats.value(c) for c in choices.choices if formats.value(c) not in counts]
    worse = [choice for choice in others if choice in tried]
    untried = [choice for choice in others if choice not in tried]
    return (
        f"{formats.parameter_name(name)} is {said}."
        + (f" No trial with {' or '.join(worse)} is level with the best." if worse else "")
        + (f" Not tried: {formats.listed(untried)}." if untried else "")
    )
