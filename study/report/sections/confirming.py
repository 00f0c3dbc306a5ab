"""The comparison: what the confirmation says, with the numbers behind it."""

from __future__ import annotations

from re import sub
from typing import TYPE_CHECKING

import pandas as pd

from study import formats, stats
from study.report import figures, tables, words
from study.report.content import Section, Table, with_legend
from study.report.record import Record
from study.report.rendering import Chart
from study.report.sections import pairs

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison
    from study.confirm.side import Side


def comparison(record: Record, trials: pd.DataFrame) -> Section | None:
    """The verdict on fresh seeds and fresh splits; None before ``study.confirm``."""
    c = record.comparison
    if c is None:
        return None
    [pair, *others] = c.pairs
    items = record.items
    text = [
        pair.verdict.power,
        f"Fresh {items}: {pair.judged.n_splits} times all {items} were split anew, a search of"
        f" {formats.plural(pair.judged.n_trials, 'trial')} was repeated on {pair.judged.n_fit:,}"
        f" training {items}, and its winner, at its best step, looked once at {items} that had"
        f" played no part. {pairs.DIFFERENCES if others else _difference(record, pair)}",
        f"Fresh seeds: the best trial’s hyperparameters were trained {pair.n_seeds} times more,"
        " each with initial weights and a batch order that the search never saw."
        f" {'All' if others else 'Both'} models share a seed’s batches.",
        "What this does not cover: replicates vary seeds and batches, but are counted on the"
        f" {items} that the search used, so their agreement shows stability and is no independent"
        f" confirmation; and {_strangers(record)}.",
    ]
    return Section(
        "comparison",
        "Does it hold up?",
        text,
        charts=[_replicates(record), _splits(record), _outperforming(record)],
        tables=[_worth(record), *([] if others else [_mcnemar(record, pair)])],
        frames=[
            ("mcnemar", tables.mcnemar(record)),
            *([("pairs", tables.pairs(record))] if others else []),
        ],
    )


def _strangers(record: Record) -> str:
    """What no split of one collection can tell."""
    if record.protocol.dataset in words.HANDWRITTEN:
        return (
            "the writers of the digits lie on both sides of every split, so nothing here says how"
            " the models do on the handwriting of strangers"
        )
    return (
        f"all {record.items} come from one collection, so nothing here says how the models do on"
        f" {record.items} from elsewhere"
    )


def _difference(record: Record, pair: Comparison) -> str:
    a, b = (search.noun for search in record.searches)
    found, ends = pair.difference, pair.difference.interval
    return (
        f"Those holdout errors differ by {100 * found.mean:+.2f} percentage points, {a}"
        f" minus {b} (95 % interval, corrected for splits that overlap:"
        f" {100 * ends.lower:+.2f} to {100 * ends.upper:+.2f},"
        f" p = {formats.p_value(found.p)})."
    )


def _replicates(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {_mean(side.replicates_final, side.n_val)} at the last step, the best of"
        f" the search {formats.error(side.raw_best_errors, side.n_val)}"
        for search, side in zip(record.searches, c.sides, strict=True)
    )
    high = 3.8 + 1.2 * (len(c.sides) - 2)  # inches
    return Chart(
        "replicates",
        f"The same hyperparameters on {c.pairs[0].n_seeds} fresh seeds",
        figures.replicates,
        tables.replicates(record),
        alt=f"Strip plot of validation errors, a dot a seed. {said}.",
        caption="A dot is a seed; equal errors are heaped. Ringed: the trial of the search itself."
        " At the best step a run is measured where it happened to be lowest, at the last step"
        " where it ends.",
        size=with_legend(len(c.sides), 7.6, high),
        narrow=with_legend(len(c.sides), 4.0, high),
    )


def _splits(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {formats.percent(side.holdout.mean)} on the holdouts,"
        f" {100 * side.optimism:+.2f} percentage points against validation"
        for search, side in zip(record.searches, c.sides, strict=True)
    )
    return Chart(
        "splits",
        "What a search reports, and what it is worth",
        figures.splits,
        tables.splits(record),
        alt=f"Slope chart of {c.pairs[0].judged.n_splits} resampled searches a model, from the"
        f" lowest validation error to the holdout error of the same winner. {said}.",
        caption=f"A thin line is one whole search on one split of the {record.items}; the thick"
        " one is their mean. The rise is the optimism of choosing.",
        size=(4.7, 4.2) if len(c.sides) == 2 else with_legend(len(c.sides), 7.6, 4.6),
        narrow=None if len(c.sides) == 2 else with_legend(len(c.sides), 4.0, 4.6),
    )


def _outperforming(record: Record) -> Chart:
    frame = tables.outperforming(record)
    rows = frame.to_dict("records")
    found = [
        f"that {row['model']} errs less than {row['against']} on a fresh seed:"
        f" {row['probability']:.2f}, 95 % interval {row['lower']:.2f} to {row['upper']:.2f}"
        for row in rows
    ]
    [noun] = [search.noun for search in record.searches if search.title == rows[0]["model"]]
    whose = noun if len(rows) == 1 else "each pair’s leader"
    return Chart(
        "outperforming",
        f"Probability that {whose} errs less on a fresh seed",
        figures.outperforming,
        frame,
        alt=f"The probability {'; '.join(found)}.",
        caption=f"At the last step, over {rows[0]['pairs']} pairs of a seed, ties counting ½. The"
        " rule asks for an interval above ½ that reaches past ¾.",
        size=(4.7, 1.7) if len(rows) == 1 else (7.6, 1.2 + 0.42 * len(rows)),
        narrow=None if len(rows) == 1 else (4.0, 1.2 + 0.42 * len(rows)),
    )


def _worth(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    columns = [_worths(side, record.items) for side in c.sides]
    title = "From the raw best to what it is worth"
    if len(columns) > 2:
        rows = [
            [s.title, *found.values()] for s, found in zip(record.searches, columns, strict=True)
        ]
        return Table(title, ["Model", *columns[0]], rows)
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    header = ["", *(search.title for search in record.searches)]
    return Table(title, header, rows)


def _worths(side: Side, items: str) -> dict[str, str]:
    """What a study's errors were counted as, from the most flattering on."""
    holdout = f"{formats.percent(side.holdout.mean)} ({formats.interval(side.holdout.interval)})"
    found = {
        "Raw best of the search": formats.error(side.raw_best_errors, side.n_val),
        "Simplest trial level with it": formats.error(side.recommended_errors, side.n_val),
        "Fresh seeds, best step": _mean(side.replicates_best, side.n_val),
        "Fresh seeds, last step": _mean(side.replicates_final, side.n_val),
        "Holdout, 95 % interval": holdout,
        "Optimism of a search": f"{100 * side.optimism:+.2f} percentage points",
        "Bootstrap cross-check, no training": formats.percent(side.bias_corrected.error),
    }
    return {name: sub(r" (?=\(|SD)", "\n", cell) for name, cell in found.items()}


def _mean(summary: stats.Summary, n: int) -> str:
    return f"{formats.error(summary.mean, n)}, SD {summary.sd:.1f}"


def _mcnemar(record: Record, c: Comparison) -> Table:
    """McNemar's table of the two raw best trials."""
    test = c.raw_mcnemar
    a, b = (search.title for search in record.searches)
    neither = c.a.n_val - c.a.raw_best_errors - test.c
    rows = [
        [f"{a} right", f"{neither:,}", f"{test.c:,}"],
        [f"{a} wrong", f"{test.b:,}", f"{c.a.raw_best_errors - test.b:,}"],
    ]
    note = (
        f"McNemar’s mid-p = {formats.p_value(test.mid_p)} (exact p ="
        f" {formats.p_value(test.exact_p)}); the difference of the two errors is"
        f" {100 * (test.b - test.c) / c.a.n_val:+.2f} percentage points (95 % interval, paired:"
        f" {100 * c.raw_difference.lower:+.2f} to {100 * c.raw_difference.upper:+.2f}). This"
        f" describes the two raw best trials only: the same {record.items} chose them. Those of"
        " the pairs of replicates are in tables/mcnemar.csv."
    )
    return Table(
        f"McNemar’s table: the two raw best trials on the same {record.items}",
        ["", f"{b} right", f"{b} wrong"],
        rows,
        note,
    )
