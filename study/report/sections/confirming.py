"""The comparison: how the verdict came about, and what describes the models beside it."""

from __future__ import annotations

from re import sub
from typing import TYPE_CHECKING

import pandas as pd

from study import formats, stats
from study.margin import DEFAULT_MARGIN
from study.report import figures, general, tables, words
from study.report.content import Section, Table, with_legend
from study.report.record import Record
from study.report.rendering import Chart
from study.report.sections import estimates, pairs
from study.stats.decision import ALPHA

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison
    from study.confirm.side import Side
    from study.confirm.verdict import Judged, Verdict
    from study.stats import Outperforming


def comparison(record: Record, trials: pd.DataFrame) -> Section | None:
    """The verdict on held-out images, then what describes it; None before ``study.confirm``."""
    c = record.comparison
    if c is None:
        return None
    [pair, *others] = c.pairs
    only = None if others else pair
    return Section(
        "comparison",
        "Does it hold up?",
        [
            _rule(record, pair),
            _power(pair.verdict, only),
            _design(pair.judged),
            *([_found(record, only)] if only else []),
            _described(record, pair, only),
            _mcnemars(record, only),
            _strangers(record),
        ],
        charts=[_splits(record), _replicates(record)],
        tables=[
            _judged(record),
            _own(record),
            pairs.power(record) if others else _mcnemar(record, pair),
        ],
        frames=[
            ("mcnemar", tables.mcnemar(record)),
            *([("pairs", tables.pairs(record))] if others else []),
        ],
    )


def _rule(record: Record, pair: Comparison) -> str:
    rule = general.RULE if pair.n_pairs == 1 else general.RULE_OF_PAIRS
    return rule.format(items=record.items, pairs=pair.n_pairs)


def _power(verdict: Verdict, only: Comparison | None) -> str:
    """What the margin is, and what the design finds."""
    stated = verdict.stated_margin
    return " ".join(
        [
            general.MARGIN.format(words=stated.words),
            *([general.WHY_RELATIVE] if stated == DEFAULT_MARGIN else []),
            general.POWER,
            *([verdict.power] if only else []),
        ]
    )


def _design(judged: Judged) -> str:
    """How images were held out."""
    items = judged.items
    search = general.SEARCH_MADE.format(trials=formats.plural(judged.n_trials, "trial"))
    if not judged.folds:
        return (
            f"{judged.n_splits} times all {items} were split at random into training, validation"
            f" and held-out {items}. Each time {search} on {judged.n_fit:,} training {items}, and"
            " its best trial, at its best step, was judged on the held-out ones."
        )
    return (
        f"The {items} were divided at random, class by class, into {judged.folds}"
        f" parts{_anew(judged)}. {_in_turn(judged)}: each time {search} on the others,"
        f" {judged.n_fit:,} of them for training and the rest for validation, and its best trial"
        " and its simplest one, each at its best step, were judged on the part."
        f" {_counted(judged)}"
    )


def _anew(judged: Judged) -> str:
    if judged.n_splits <= judged.folds:
        return ""
    return f", and divided anew after each round of {judged.folds}"


def _in_turn(judged: Judged) -> str:
    if judged.n_splits < judged.folds:
        return f"One after another, {judged.n_splits} of them were held out"
    return "One after another, all of them were held out"


def _counted(judged: Judged) -> str:
    """How many images were judged, and how often."""
    rounds, rest = divmod(judged.n_splits, judged.folds)
    if judged.n_splits <= judged.folds:
        return f"So {judged.n_images:,} {judged.items} were judged, each once."
    times = f"{'at least ' if rest else ''}{formats.plural(rounds, 'time')}"
    return f"So all {judged.n_images:,} {judged.items} were judged, each {times}."


def _found(record: Record, pair: Comparison) -> str:
    """The difference of the only pair, and how often its leader errs less."""
    a, b = (search.noun for search in record.searches)
    gap, leads = pair.difference, pair.verdict.leader != "A"
    ahead = pair.b_ahead_over_splits if leads else pair.b_ahead_over_splits.mirrored()
    kind = "95 % interval" if pair.judged.folds else "95 % interval, corrected for overlap,"
    ends = formats.points_interval(gap)
    said = f"{ends}, with 95 % confidence" if gap.is_bound else f"{kind} {ends}"
    leader = words.capital(b if leads else a)
    return (
        f"The errors on held-out {record.items} differ by {100 * gap.mean:+.2f} percentage points,"
        f" {a} minus {b} ({said}; p = {formats.p_value(gap.p)}). {leader} errs less in"
        f" {_of(ahead)} splits {_ties(ahead)}."
    )


def _of(ahead: Outperforming) -> str:
    return f"{ahead.probability * ahead.n_pairs:g} of {ahead.n_pairs}"


def _ties(ahead: Outperforming) -> str:
    ends = f"{ahead.interval.lower:.2f} to {ahead.interval.upper:.2f}"
    return general.TIES.format(probability=f"{ahead.probability:.2f}", ends=ends)


def _described(record: Record, pair: Comparison, only: Comparison | None) -> str:
    """What fresh seeds say, named as a description."""
    seeds = formats.plural(pair.n_seeds, "replicate")
    return " ".join(
        [
            general.DESCRIBED.format(items=record.items),
            general.REPLICATE.format(seeds=seeds),
            *([_on_fresh_seeds(record, only)] if only else []),
        ]
    )


def _on_fresh_seeds(record: Record, pair: Comparison) -> str:
    a, b = (search.noun for search in record.searches)
    leads = pair.verdict.leader != "A"
    ahead = pair.b_outperforms_a if leads else pair.b_outperforms_a.mirrored()
    leader = b if leads else a
    return f"At the best step {leader} errs less on {_of(ahead)} seeds {_ties(ahead)}."


def _mcnemars(record: Record, only: Comparison | None) -> str:
    """What McNemar's test is, and for how many pairs of replicates it tells two models apart."""
    explained = general.MCNEMAR.format(items=record.items)
    if only is None:
        return f"{explained} {general.MCNEMARS}"
    tests = only.replicate_mcnemar
    low = sum(test.mid_p < ALPHA for test in tests)
    return (
        f"{explained} It is below {ALPHA} for {low} of the {len(tests)} pairs of replicates of"
        " one seed (tables/mcnemar.csv)."
    )


def _strangers(record: Record) -> str:
    """What no split of one collection can tell."""
    if record.protocol.dataset in words.HANDWRITTEN:
        return general.STRANGERS
    return general.FROM_ELSEWHERE.format(items=record.items)


def _replicates(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {_mean(side.replicates_best, side.n_val)} {general.ON_SEEDS_ALT}"
        f" {formats.error(side.raw_best_errors, side.n_val)}"
        for search, side in zip(record.searches, c.sides, strict=True)
    )
    high = 3.8 + 1.2 * (len(c.sides) - 2)  # inches
    return Chart(
        "replicates",
        f"The same hyperparameters on {c.pairs[0].n_seeds} fresh seeds",
        figures.replicates,
        tables.replicates(record),
        alt=f"{general.REPLICATES_ALT} {said}.",
        caption=general.REPLICATES,
        size=with_legend(len(c.sides), 7.6, high),
        narrow=with_legend(len(c.sides), 3.9, high),
        values=figures.replicates_values,
    )


def _splits(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {formats.percent(side.holdout.mean)} on held-out {record.items},"
        f" {100 * side.optimism:+.2f} {general.OPTIMISM_ALT}"
        for search, side in zip(record.searches, c.sides, strict=True)
    )
    splits = c.pairs[0].judged.n_splits
    return Chart(
        "splits",
        "What a search reports, and what it is worth",
        figures.splits,
        tables.splits(record),
        alt=f"{general.SPLITS_ALT.format(splits=splits, items=record.items)} {said}.",
        caption=general.SPLITS.format(items=record.items),
        size=with_legend(len(c.sides), 7.6, 4.2),
        narrow=with_legend(len(c.sides), 3.9, 4.2),
        values=figures.splits_values,
    )


def _judged(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    caption = f"What was judged: {estimates.searches(record)}"
    return _side_by_side(record, caption, [_on_held_out(side, record.items) for side in c.sides])


def _own(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    caption = f"Described: each study’s own search, on its validation {record.items}"
    note = general.CROSS_CHECK.format(items=record.items)
    return _side_by_side(record, caption, [_on_validation(side) for side in c.sides], note)


def _side_by_side(
    record: Record, caption: str, columns: list[dict[str, str]], note: str = ""
) -> Table:
    """A column a model; of more than two, a row a model."""
    titles = [search.title for search in record.searches]
    if len(columns) > 2:
        rows = [[title, *found.values()] for title, found in zip(titles, columns, strict=True)]
        return Table(caption, ["Model", *columns[0]], rows, note)
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return Table(caption, ["", *titles], rows, note)


def _on_held_out(side: Side, items: str) -> dict[str, str]:
    """What the searches that were judged are worth, and looked like."""
    simplest, cost = side.simplest_holdout, side.simplicity
    found = {
        f"Error on held-out {items}": estimates.held_out(side.holdout),
        "Optimism": f"{100 * side.optimism:+.2f} points",
    }
    if simplest is None or cost is None:
        return found
    return found | {
        "Simplest trial": estimates.held_out(simplest),
        "Simplest minus best": f"{100 * cost.mean:+.2f} points\n{formats.points_interval(cost)}",
    }


def _on_validation(side: Side) -> dict[str, str]:
    """What a study's own trials were counted as, from the most flattering on."""
    found = {
        "Best trial": formats.error(side.raw_best_errors, side.n_val),
        "Simplest trial": formats.error(side.recommended_errors, side.n_val),
        "Best trial on fresh seeds, at the best step": _mean(side.replicates_best, side.n_val),
        "The same, at the last step": _mean(side.replicates_final, side.n_val),
        "Bootstrap cross-check": formats.percent(side.bias_corrected.error),
    }
    return {name: sub(r" (?=\(|SD)", "\n", cell) for name, cell in found.items()}


def _mean(summary: stats.Summary, n: int) -> str:
    return f"{formats.error(summary.mean, n)}, SD {summary.sd:.1f}"


def _mcnemar(record: Record, c: Comparison) -> Table:
    """McNemar's table of the best trials of the two searches."""
    test = c.raw_mcnemar
    a, b = (search.title for search in record.searches)
    neither = c.a.n_val - c.a.raw_best_errors - test.c
    rows = [
        [f"{a} right", f"{neither:,}", f"{test.c:,}"],
        [f"{a} wrong", f"{test.b:,}", f"{c.a.raw_best_errors - test.b:,}"],
    ]
    ends = f"{100 * c.raw_difference.lower:+.2f} to {100 * c.raw_difference.upper:+.2f}"
    note = general.BEST_TRIALS.format(
        mid_p=formats.p_value(test.mid_p),
        exact_p=formats.p_value(test.exact_p),
        gap=f"{100 * (test.b - test.c) / c.a.n_val:+.2f}",
        ends=ends,
    )
    title = f"Described: the best trials of both searches on the same {record.items}"
    return Table(title, ["", f"{b} right", f"{b} wrong"], rows, note)
