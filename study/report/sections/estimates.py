"""Errors in tables: what was judged, and what each study's own search found.

No row has both: the searches that were judged were made anew, on fewer images.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from study import formats, stats
from study.report import general, words
from study.report.content import Table
from study.report.record import Record, ReportedStudy
from study.trials.selection import optuna_best, recommended

if TYPE_CHECKING:
    from study.stats import CorrectedMean
    from study.trials import StoredTrial


def tables(record: Record) -> list[Table]:
    """What was judged, once it was, and what was found; a row a study."""
    return [*([judged(record)] if record.comparison else []), found(record)]


def searches(record: Record) -> str:
    """What the judged searches were: ``7 searches, each of 16 trials on 8,571 images``."""
    assert record.comparison is not None
    j = record.comparison.pairs[0].judged
    trials = formats.plural(j.n_trials, "trial")
    return f"{j.n_splits} searches, each of {trials} on {j.n_fit:,} training {record.items}"


def judged(record: Record) -> Table:
    """The errors on held-out images of the best trials of the searches."""
    assert record.comparison is not None
    rows = [
        [
            record.search_of(side.study).title,
            formats.percent(side.holdout.mean),
            formats.mean_interval(side.holdout),
        ]
        for side in record.comparison.sides
    ]
    caption = f"Error on held-out {record.items}: {searches(record)}"
    return Table(caption, ["Model", "Error", "95 % interval"], rows, kind="judged")


def held_out(error: CorrectedMean) -> str:
    """The error above its interval."""
    return f"{formats.percent(error.mean)}\n{formats.mean_interval(error)}"


def is_explained(record: Record) -> bool:
    """Whether the table of what was judged says what the simplest trial is."""
    c = record.comparison
    return c is not None and all(side.simplest_holdout for side in c.sides)


def simplicity(record: Record) -> str:
    """What the simplest trials cost or gain against the best ones, on the same images."""
    assert record.comparison is not None
    costs = {record.search_of(s.study).noun: s.simplicity for s in record.comparison.sides}
    known = {noun: cost for noun, cost in costs.items() if cost is not None}
    if len(known) < len(costs):
        return (
            "What the simplest trial costs was not judged: the confirmation is of a version that"
            " judged only the best one."
        )
    more = [_points(n, cost) for n, cost in known.items() if cost.interval.lower > 0]
    less = [_points(n, _mirrored(cost)) for n, cost in known.items() if cost.interval.upper < 0]
    level = [
        f"{noun} ({100 * cost.mean:+.2f} percentage points, {_interval(cost)})"
        for noun, cost in known.items()
        if cost.interval.lower <= 0 <= cost.interval.upper
    ]
    said = {
        "In place of the best trial it costs": more,
        "In place of the best trial it gains": less,
        "What it costs cannot be told from 0 for": level,
    }
    return " ".join(f"{what} {formats.listed(who)}." for what, who in said.items() if who)


def _points(noun: str, cost: CorrectedMean) -> str:
    return f"{noun} {100 * cost.mean:.2f} percentage points ({_interval(cost)})"


def _interval(cost: CorrectedMean) -> str:
    ends = formats.points_interval(cost)
    return f"{ends}, with 95 % confidence" if cost.is_bound else f"95 % interval {ends}"


def _mirrored(cost: CorrectedMean) -> CorrectedMean:
    """What is gained, not what is lost."""
    return replace(cost, mean=-cost.mean, interval=cost.interval.mirrored())


def found(record: Record) -> Table:
    """Each search's best settings and their lowest error, with the cost of the search."""
    aims = any(search.target is not None for search in record.searches)
    header = [
        "Model",
        "Best settings",
        "Lowest validation error",
        *(["Target"] if aims else []),
        "Trials",
        "Training time",
    ]
    rows = [
        [
            search.title,
            *_best(search),
            *([_target(search)] if aims else []),
            words.counted(search),
            formats.seconds(search.seconds),
        ]
        for search in record.searches
    ]
    whose = "each study’s own search" if len(rows) > 1 else "the search"
    on = f"on {record.protocol.n_train:,} training {record.items}"
    return Table(f"Best settings: {whose}, {on}", header, rows, kind="found")


def _best(search: ReportedStudy) -> list[str]:
    best = search.best
    if best is None:
        return ["no trial trained to the end", "–"]
    return [words.parameters(best), formats.error(best.val_errors, best.n_val)]


def trials(record: Record) -> Table:
    """Each search's best trial with its interval, and the simplest one that is level with it."""
    header = [
        "Model",
        "Best trial\n95 % interval",
        "Simplest trial within one\nstandard error of the best",
    ]
    rows = [[search.title, *_trials(search, best)] for search, best in record.winners]
    note = [*([] if is_explained(record) else [general.SIMPLEST]), *_as_optuna(record)]
    caption = f"The best trial and the simplest, on the validation {record.items}"
    return Table(caption, header, rows, " ".join(note), kind="simplest")


def _trials(search: ReportedStudy, best: StoredTrial) -> list[str]:
    """The best trial and the simplest one: error, number and hyperparameters, a line each."""
    ends = stats.wilson(best.val_errors, best.n_val)
    simple = recommended(search.stored.plan, search.trials)
    return [
        _trial(best, formats.counted_interval(ends, best.n_val)),
        "the same trial" if simple.number == best.number else _trial(simple),
    ]


def _trial(trial: StoredTrial, *more: str) -> str:
    one_by_one = [formats.parameters({k: v}) for k, v in trial.parameters.items()]
    error = formats.error(trial.val_errors, trial.n_val)
    return "\n".join([error, *more, f"trial {trial.number}", *one_by_one])


def _as_optuna(record: Record) -> list[str]:
    """Where Optuna calls another trial the best: its number, and why."""
    others = [
        f"trial {other.number} for {search.noun}"
        for search, best in record.winners
        if (other := optuna_best(search.trials)).number != best.number
    ]
    if not others:
        return []
    return [
        f"Optuna’s best_trial is another one with as many errors: {formats.listed(others)}. Of"
        " equal ones Optuna takes the first, and this page the one with the lowest loss."
    ]


def _target(search: ReportedStudy) -> str:
    if search.target is None:
        return "none"
    rule = " for the interval’s upper end" if search.stored.plan.target_rule == "wilson" else ""
    met = "met" if search.target_met else "missed"
    return f"{formats.short_percent(search.target)}{rule}: {met}"
