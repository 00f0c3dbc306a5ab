"""Does it hold up: what was repeated, what a search flatters, and what no split can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from study import formats
from study.report import figures, general, parameters, tables, words
from study.report.content import Section, with_legend
from study.report.record import Record
from study.report.rendering import Chart
from study.report.reproducibility import confirm_command
from study.report.sections import pairs
from study.report.sections.describing import describing
from study.report.sections.judging import judging, leading, out_of

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison
    from study.confirm.side import Side


TITLE = "Does it hold up?"


def comparison(record: Record, trials: pd.DataFrame) -> Section | None:
    """What the verdict rests on; before ``study.confirm`` that there is none."""
    c = record.comparison
    if not record.winners:
        return None
    if c is None:
        return _unconfirmed(record)
    [pair, *others] = c.pairs
    only = None if others else pair
    return Section(
        "comparison",
        TITLE,
        [
            _repeated(record, pair, only),
            f"{general.OPTIMISM.format(items=record.items)} {_optimism(record)}",
            _strangers(record),
        ],
        charts=[_splits(record)],
        tables=[pairs.table(record)] if others else [],
        more=[judging(record, pair, only), describing(record, pair, only)],
    )


def _unconfirmed(record: Record) -> Section:
    """What is not known before a confirmation, why there is none, and how to make one."""
    why = f": {record.unconfirmed}" if record.unconfirmed else ""
    names = dict.fromkeys(name for s in record.searches for name in parameters.searched(s))
    chosen = formats.listed([*(f"the {formats.parameter_name(n)}" for n in names), "the step"])
    text = (
        f"Not known yet: nothing was confirmed here on held-out {record.items}, which play no part"
        f" in a search{why}. The winners were not retrained on fresh seeds, with other initial"
        f" weights and batches. The validation {record.items} chose {chosen}, so the errors above"
        f" are not free of that choice, and the same models would probably err more on new"
        f" {record.items}."
    )
    commands = [confirm_command(record)] if len(record.winners) > 1 else []
    return Section("comparison", TITLE, [text], commands=commands)


def _repeated(record: Record, pair: Comparison, only: Comparison | None) -> str:
    """What was repeated to judge the models, and in how many splits the leader of a pair wins."""
    judged = pair.judged
    made = general.REPEATED.format(
        splits=judged.n_splits,
        trials=formats.plural(judged.n_trials, "trial"),
        items=record.items,
    )
    if only is None:
        return made
    leader, ahead = leading(record, only)
    return f"{made} In {out_of(ahead)}, {leader} errs less."


def _optimism(record: Record) -> str:
    """By how much an error that a search chose by is too low, as the confirmation measured it."""
    assert record.comparison is not None
    found = [_flattered(record.search_of(s.study).noun, s) for s in record.comparison.sides]
    return f"Here it is on average, in percentage points, {formats.listed(found)}."


def _flattered(noun: str, side: Side) -> str:
    """``+0.25 for the MLP (16 % of the error there)``."""
    points = f"{100 * side.optimism:+.2f}"
    if float(points) == 0:
        return f"0.00 for {noun}"
    if side.optimism < 0:
        return f"{points} for {noun} (its searches looked worse than they were)"
    share = 100 * side.optimism / side.holdout.mean
    return f"{points} for {noun} ({share:.0f} % of the error there)"


def _strangers(record: Record) -> str:
    """What no split of one collection can tell."""
    if record.protocol.dataset in words.HANDWRITTEN:
        return general.STRANGERS
    return general.FROM_ELSEWHERE.format(items=record.items)


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
