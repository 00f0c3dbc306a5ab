"""What describes the best trials and decides nothing: fresh seeds, and McNemar's test."""

from __future__ import annotations

from re import sub
from typing import TYPE_CHECKING

from study import formats, stats
from study.report import figures, general, tables
from study.report.content import Section, Table, with_legend
from study.report.record import Record
from study.report.rendering import Chart
from study.report.sections.judging import out_of, side_by_side, ties
from study.stats.decision import ALPHA

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison
    from study.confirm.side import Side


def describing(record: Record, pair: Comparison, only: Comparison | None) -> Section:
    """What describes the best trials and decides nothing."""
    return Section(
        "comparison",
        "The best trials, trained again",
        [_described(record, pair, only), _mcnemars(record, only)],
        charts=[_replicates(record)],
        tables=[_own(record), *([_mcnemar(record, only)] if only else [])],
        frames=[("mcnemar", tables.mcnemar(record))],
    )


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
    return f"At the best step {leader} errs less on {out_of(ahead)} seeds {ties(ahead)}."


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


def _replicates(record: Record) -> Chart:
    c = record.comparison
    assert c is not None
    said = "; ".join(
        f"{search.title}: {_mean(side.replicates_best, side.n_val)} {general.ON_SEEDS_ALT}"
        f" {formats.error(side.raw_best_errors, side.n_val)}"
        for search, side in zip(record.searches, c.sides, strict=True)
    )
    high = 3.8 + 1.4 * (len(c.sides) - 2)  # inches
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


def _own(record: Record) -> Table:
    c = record.comparison
    assert c is not None
    caption = f"Described: each study’s own search, on its validation {record.items}"
    note = general.CROSS_CHECK.format(items=record.items)
    columns = [_on_validation(side) for side in c.sides]
    return side_by_side(record, caption, columns, note, "own")


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
