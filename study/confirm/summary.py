"""The lines that end a confirmation: the verdict, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from study import formats
from study.confirm.comparison import Comparison, Comparisons
from study.confirm.side import Side
from study.confirm.verdict import Judged
from study.stats import CorrectedMean


def lines(comparisons: Comparisons) -> list[str]:
    """The verdict about all studies first; a row each where they are more than two."""
    if len(comparisons.pairs) == 1:
        return _pair_lines(comparisons.pairs[0])
    c = comparisons.pairs[0]
    judged = c.judged
    items = judged.items
    return [
        comparisons.sentence,
        "",
        *_aligned([_head(c), *(_row(side) for side in comparisons.sides)]),
        "",
        *_aligned(
            [
                (
                    "each pair, in percentage points",
                    "by",
                    "simultaneous 95 %",
                    "Holm's p",
                    "finds",
                ),
                *(_pair_row(pair) for pair in comparisons.pairs),
            ]
        ),
        "",
        *(f"  {said}" for said in comparisons.disagreements),
        f"  p values have Holm's correction for {c.n_pairs} pairs, and intervals Bonferroni's",
        f"  held out: {_searches(judged)}, each on {judged.n_fit:,} {items}",
        "  optimism: by how many percentage points a search looked better than it was there",
        "  finds: the smallest difference that is found with 80 % power; margin: "
        f"{c.verdict.stated_margin.words}",
    ]


def _searches(judged: Judged) -> str:
    return f"{judged.n_splits} searches of {formats.plural(judged.n_trials, 'trial')}"


def _head(c: Comparison) -> tuple[str, ...]:
    seeds = f"{c.n_seeds} fresh seeds"
    return "study", "raw best", "simplest", seeds, "held out", "95 % interval", "optimism"


def _row(side: Side) -> tuple[str, ...]:
    """A study's errors."""
    return (
        side.study,
        formats.percent(side.raw_best_errors / side.n_val),
        formats.percent(side.recommended_errors / side.n_val),
        formats.percent(side.replicates_best.mean / side.n_val),
        formats.percent(side.holdout.mean),
        formats.mean_interval(side.holdout),
        f"{100 * side.optimism:+.2f}",
    )


def _pair_row(pair: Comparison) -> tuple[str, ...]:
    """What was decided about a pair, the leader first, and by how many points it errs less."""
    v, is_b = pair.verdict, pair.verdict.leader == "B"
    ahead, behind = (pair.b.study, pair.a.study) if is_b else (pair.a.study, pair.b.study)
    gap = v.interval if is_b else v.interval.mirrored()
    verb = {"equivalent": "is equivalent to", "not separated": "is not separated from"}
    said = f"{ahead} {verb.get(v.outcome, 'is better than')} {behind}"
    ends = f"{100 * gap.lower:+.2f} to {100 * gap.upper:+.2f}"
    points = f"{100 * abs(v.errors[0] - v.errors[1]):.2f}"
    return said, points, ends, formats.p_value(pair.p_adjusted), f"{100 * v.detectable:.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in rows
    ]


def _pair_lines(c: Comparison) -> list[str]:
    """The same of the only pair, with what describes it."""
    b, items, mc = c.b.study, c.judged.items, c.raw_mcnemar
    splits, seeds = c.b_ahead_over_splits, c.b_outperforms_a
    heads = (
        "",
        "best trial of the search",
        "simplest within one standard error",
        f"best trial, {c.n_seeds} fresh seeds",
        f"held out, {_searches(c.judged)}",
        "the same, simplest of each search",
        "optimism of such a search",
    )
    table = zip(heads, _cells(c.a), _cells(c.b), strict=True)
    return [
        c.verdict.sentence,
        c.verdict.power,
        "",
        *(f"  {head:<36} {left:<28} {right}".rstrip() for head, left, right in table),
        "",
        f"  described, not judged: {b} errs less in {splits.probability:.0%} of the splits and on "
        f"{seeds.probability:.0%} of the fresh seeds (ties count half); of the two best trials, "
        f"{formats.plural(mc.b, items[:-1])} only {c.a.study} gets wrong, {mc.c:,} only {b} "
        f"(McNemar's mid-p = {formats.p_value(mc.mid_p)})",
    ]


def _cells(side: Side) -> list[str]:
    """A study's column of the table."""
    seeds = side.replicates_best
    return [
        side.study,
        formats.error(side.raw_best_errors, side.n_val),
        f"{side.recommended_trial} ({side.recommended_errors} of {side.n_val:,})",
        f"{formats.percent(seeds.mean / side.n_val)} ({seeds.mean:.1f}, SD {seeds.sd:.1f})",
        _held_out(side.holdout),
        _held_out(side.simplest_holdout) if side.simplest_holdout else "not judged",
        f"{100 * side.optimism:+.2f} points",
    ]


def _held_out(error: CorrectedMean) -> str:
    return f"{formats.percent(error.mean)} ({formats.mean_interval(error)})"
