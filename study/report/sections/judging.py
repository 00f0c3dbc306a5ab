"""How a verdict came about: the design, the rule, and the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study import formats
from study.margin import DEFAULT_MARGIN
from study.report import general, tables
from study.report.content import Section, Table
from study.report.record import Record
from study.report.sections import estimates, pairs

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison
    from study.confirm.side import Side
    from study.confirm.verdict import Judged, Verdict
    from study.stats import Outperforming


def judging(record: Record, pair: Comparison, only: Comparison | None) -> Section:
    """How the verdict came about: the rule, the design, and the numbers."""
    several = record.comparison is not None and only is None
    return Section(
        "comparison",
        "How the models were judged",
        [
            _design(pair.judged),
            _rule(record, pair),
            _power(pair.verdict, only),
            *([_found(record, only)] if only else []),
        ],
        tables=[_judged(record), *([pairs.power(record)] if several else [])],
        frames=[("pairs", tables.pairs(record))] if several else [],
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


def _found(record: Record, pair: Comparison) -> str:
    """The difference of the only pair, and how often its leader errs less."""
    a, b = (search.noun for search in record.searches)
    gap, (leader, ahead) = pair.difference, leading(record, pair)
    kind = "95 % interval" if pair.judged.folds else "95 % interval, corrected for overlap,"
    ends = formats.points_interval(gap)
    said = f"{ends}, with 95 % confidence" if gap.is_bound else f"{kind} {ends}"
    return (
        f"The errors on held-out {record.items} differ by {100 * gap.mean:+.2f} percentage points,"
        f" {a} minus {b} ({said}; p = {formats.p_value(gap.p)})."
        f" {formats.capital(leader)} errs less in {out_of(ahead)} splits {ties(ahead)}."
    )


def leading(record: Record, pair: Comparison) -> tuple[str, Outperforming]:
    """The model that leads, and in how many splits; without a leader the second."""
    a, b = (search.noun for search in record.searches)
    leads = pair.verdict.leader != "A"
    return (b, pair.b_ahead_over_splits) if leads else (a, pair.b_ahead_over_splits.mirrored())


def out_of(ahead: Outperforming) -> str:
    """``7 of 7``, a tie counting half."""
    return f"{ahead.probability * ahead.n_pairs:g} of {ahead.n_pairs}"


def ties(ahead: Outperforming) -> str:
    """How a tie counts, and how probable it is that this model errs less."""
    ends = f"{ahead.interval.lower:.2f} to {ahead.interval.upper:.2f}"
    return general.TIES.format(probability=f"{ahead.probability:.2f}", ends=ends)


def _judged(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    caption = f"What was judged: {estimates.searches(record)}"
    note = [
        general.HELD_OUT.format(items=record.items),
        *([general.SIMPLEST] if estimates.is_explained(record) else []),
        estimates.simplicity(record),
    ]
    columns = [_on_held_out(side, record.items) for side in c.sides]
    return side_by_side(record, caption, columns, " ".join(note), "detail")


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


def side_by_side(
    record: Record, caption: str, columns: list[dict[str, str]], note: str, kind: str
) -> Table:
    """A column a model; of more than two, a row a model."""
    titles = [search.title for search in record.searches]
    if len(columns) > 2:
        rows = [[title, *found.values()] for title, found in zip(titles, columns, strict=True)]
        return Table(caption, ["Model", *columns[0]], rows, note, kind=kind)
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return Table(caption, ["", *titles], rows, note, kind=kind)
