"""The comparison: what the confirmation says, with the numbers behind it."""

from __future__ import annotations

from re import sub

import pandas as pd

from study import formats, stats
from study.report import figures, tables
from study.report.content import Section, Table
from study.report.record import Record
from study.report.rendering import Chart


def comparison(record: Record, trials: pd.DataFrame) -> Section | None:
    """The verdict on fresh seeds and fresh splits; None before ``study.confirm``."""
    c = record.comparison
    if c is None:
        return None
    a, b = (search.noun for search in record.searches)
    reasons = " ".join(f"{reason[:1].upper()}{reason[1:]}." for reason in c.verdict.reasons)
    text = [
        f"The verdict’s rule was fixed beforehand and has three conditions. {reasons}",
        f"Fresh images: {c.n_splits} times all images were split anew, a search of"
        f" {formats.plural(c.search_trials_per_split, 'trial')} was repeated on {c.n_fit:,}"
        " training images, and its winner, at its best step, looked once at images that had"
        " played no part."
        f" Those holdout errors differ by {100 * c.difference.mean:+.2f} percentage points, {a}"
        f" minus {b} (95 % interval, corrected for splits that overlap:"
        f" {100 * c.difference.interval.lower:+.2f} to {100 * c.difference.interval.upper:+.2f},"
        f" p = {formats.p_value(c.difference.p)}).",
        f"Fresh seeds: the best trial’s hyperparameters were trained {c.n_seeds} times more, each"
        " with initial weights and a batch order that the search never saw. Both models share a"
        " seed’s batches.",
        "What this does not cover: replicates vary seeds and batches, but are counted on the"
        " images that the search used, so their agreement shows stability and is no independent"
        " confirmation; and the writers of the digits lie on both sides of every split, so nothing"
        " here says how the models do on the handwriting of strangers.",
    ]
    return Section(
        "comparison",
        "Does it hold up?",
        text,
        charts=[_replicates(record), _splits(record), _outperforming(record)],
        tables=[_worth(record), _mcnemar(record)],
        frames=[("mcnemar", tables.mcnemar(record))],
    )


def _replicates(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {_mean(side.replicates_final, side.n_val)} at the last step, the best of"
        f" the search {formats.error(side.raw_best_errors, side.n_val)}"
        for search, side in zip(record.searches, (c.a, c.b), strict=True)
    )
    return Chart(
        "replicates",
        f"The same hyperparameters on {c.n_seeds} fresh seeds",
        figures.replicates,
        tables.replicates(record),
        alt=f"Strip plot of validation errors, a dot a seed. {said}.",
        caption="A dot is a seed; equal errors are heaped. Ringed: the trial of the search itself."
        " At the best step a run is measured where it happened to be lowest, at the last step"
        " where it ends.",
        size=(7.6, 3.8),
        narrow=(4.0, 3.8),
    )


def _splits(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {formats.percent(side.holdout.mean)} on the holdouts,"
        f" {side.optimism:+.1f} of {side.n_val:,} images against validation"
        for search, side in zip(record.searches, (c.a, c.b), strict=True)
    )
    return Chart(
        "splits",
        "What a search reports, and what it is worth",
        figures.splits,
        tables.splits(record),
        alt=f"Slope chart of {c.n_splits} resampled searches a model, from the lowest validation"
        f" error to the holdout error of the same winner. {said}.",
        caption="A thin line is one whole search on one split of the images; the thick one is"
        " their mean. The rise is the optimism of choosing.",
        size=(4.7, 4.2),
    )


def _outperforming(record: Record) -> Chart:
    frame = tables.outperforming(record)
    [row] = frame.to_dict("records")
    [leader] = [search for search in record.searches if search.title == row["model"]]
    return Chart(
        "outperforming",
        f"Probability that {leader.noun} errs less on a fresh seed",
        figures.outperforming,
        frame,
        alt=f"The probability that {row['model']} errs less than {row['against']} on a fresh seed:"
        f" {row['probability']:.2f}, 95 % interval {row['lower']:.2f} to {row['upper']:.2f}.",
        caption=f"At the last step, over {row['pairs']} pairs of a seed, ties counting ½. The rule"
        " asks for an interval above ½ that reaches past ¾.",
        size=(4.7, 1.7),
    )


def _worth(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    sides = (c.a, c.b)
    rows = [
        ["Raw best of the search", *(formats.error(s.raw_best_errors, s.n_val) for s in sides)],
        [
            "Simplest trial level with it",
            *(formats.error(s.recommended_errors, s.n_val) for s in sides),
        ],
        ["Fresh seeds, best step", *(_mean(s.replicates_best, s.n_val) for s in sides)],
        ["Fresh seeds, last step", *(_mean(s.replicates_final, s.n_val) for s in sides)],
        [
            "Holdout, 95 % interval",
            *(
                f"{formats.percent(s.holdout.mean)} ({formats.interval(s.holdout.interval)})"
                for s in sides
            ),
        ],
        ["Optimism of a search", *(f"{s.optimism:+.1f} of {s.n_val:,} images" for s in sides)],
        [
            "Bootstrap cross-check, no training",
            *(formats.percent(s.bias_corrected.error) for s in sides),
        ],
    ]
    header = ["", *(search.title for search in record.searches)]
    narrow = [[sub(r" (?=\(|SD)", "\n", cell) for cell in row] for row in rows]
    return Table("From the raw best to what it is worth", header, narrow)


def _mean(summary: stats.Summary, n: int) -> str:
    return f"{formats.error(summary.mean, n)}, SD {summary.sd:.1f}"


def _mcnemar(record: Record) -> Table:
    """McNemar's table of the two raw best trials."""
    c = record.comparison
    assert c is not None
    test = c.raw_mcnemar
    a, b = (search.title for search in record.searches)
    neither = c.a.n_val - c.a.raw_best_errors - test.c
    rows = [
        [f"{a} right", f"{neither:,}", f"{test.c:,}"],
        [f"{a} wrong", f"{test.b:,}", f"{c.a.raw_best_errors - test.b:,}"],
    ]
    note = (
        f"McNemar’s mid-p = {formats.p_value(test.mid_p)}"
        f" (exact p = {formats.p_value(test.exact_p)});"
        " the difference of the two errors is"
        f" {100 * (test.b - test.c) / c.a.n_val:+.2f} percentage points (95 % interval, paired:"
        f" {100 * c.raw_difference.lower:+.2f} to {100 * c.raw_difference.upper:+.2f}). This"
        " describes the two raw best trials only: the same images chose them. Those of the pairs"
        " of replicates are in tables/mcnemar.csv."
    )
    return Table(
        "McNemar’s table: the two raw best trials on the same images",
        ["", f"{b} right", f"{b} wrong"],
        rows,
        note,
    )
