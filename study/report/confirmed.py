"""The comparison: what the confirmation says, with the numbers behind it."""

from __future__ import annotations

import pandas as pd

from study import stats
from study.report import words
from study.report.parts import Section, Table
from study.report.record import Record


def comparison(record: Record, trials: pd.DataFrame) -> Section | None:
    """The verdict on fresh seeds and fresh splits; None before ``study.confirm``."""
    c = record.comparison
    if c is None:
        return None
    wins, pair = c.b_outperforms_a, c.raw_mcnemar
    text = [
        f"{words.verdict(record)} The rule was fixed beforehand and has three conditions. "
        + " ".join(f"{reason[:1].upper()}{reason[1:]}." for reason in c.verdict.reasons),
        f"On {c.n_seeds} fresh seeds, each with initial weights and a batch order that the search"
        f" never saw, the MLP’s last validation errs less than the linear model’s with probability"
        f" {wins.probability:.2f} (95 % interval {wins.interval.lower:.2f} to"
        f" {wins.interval.upper:.2f}).",
        f"{c.n_splits} times the images were split anew, a search of"
        f" {words.plural(c.search_trials_per_split, 'trial')} was repeated on {c.n_fit:,} training"
        " images, and its winner, at its best step, looked once at images that had played no part."
        " Those holdout errors differ by"
        f" {100 * c.difference.mean:+.2f} percentage points, linear minus MLP (corrected 95 %"
        f" interval {100 * c.difference.interval.lower:+.2f} to"
        f" {100 * c.difference.interval.upper:+.2f}, p = {c.difference.p:.2g}).",
        f"The two raw best trials, descriptively, since these images chose them: b = {pair.b}"
        f" images that only the linear model gets wrong, c = {pair.c} that only the MLP does,"
        f" McNemar’s mid-p = {pair.mid_p:.2g}.",
        "What this does not cover: replicates vary seeds and batches, but are counted on the"
        " images that the search used, so their agreement shows stability and is no independent"
        " confirmation; and the writers of the digits lie on both sides of every split, so nothing"
        " here says how the models do on the handwriting of strangers.",
    ]
    return Section(
        "comparison",
        "Does it hold up?",
        text,
        tables=[_table(record)],
        frames=[("replicates", _replicates(record)), ("splits", _splits(record))],
    )


def _table(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    rows = [
        ["Raw best of the search", *(words.error(s.raw_best_errors, s.n_val) for s in (c.a, c.b))],
        [
            "Simplest trial level with it",
            *(words.error(s.recommended_errors, s.n_val) for s in (c.a, c.b)),
        ],
        ["Fresh seeds, best step", *(_mean(s.replicates_best, s.n_val) for s in (c.a, c.b))],
        ["Fresh seeds, last step", *(_mean(s.replicates_final, s.n_val) for s in (c.a, c.b))],
        ["Holdout, 95 % interval", *(_holdout(s.holdout) for s in (c.a, c.b))],
        [
            "Optimism of a search",
            *(f"{s.optimism:+.1f} of {s.n_val:,} images" for s in (c.a, c.b)),
        ],
        [
            "Bootstrap cross-check, no training",
            *(words.percent(s.bias_corrected.error) for s in (c.a, c.b)),
        ],
    ]
    return Table("From the raw best to what it is worth", ["", c.a.study, c.b.study], rows)


def _holdout(mean: stats.CorrectedMean) -> str:
    ends = f"{words.percent(max(mean.interval.lower, 0))} to {words.percent(mean.interval.upper)}"
    return f"{words.percent(mean.mean)} ({ends})"


def _mean(summary: stats.Summary, n: int) -> str:
    return f"{words.percent(summary.mean / n)}, SD {words.percent(summary.sd / n)}"


def _replicates(record: Record) -> pd.DataFrame:
    return pd.DataFrame([dict(row) for row in record.replicates])


def _splits(record: Record) -> pd.DataFrame:
    return pd.DataFrame([dict(row) for row in record.splits])
