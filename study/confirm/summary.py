"""The lines that end a confirmation: the verdict, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from study import formats
from study.confirm.comparison import Comparison, Comparisons
from study.confirm.side import Side


def lines(comparisons: Comparisons) -> list[str]:
    """The verdict about all studies first; a row each where they are more than two."""
    if len(comparisons.pairs) == 1:
        return _pair_lines(comparisons.pairs[0])
    c = comparisons.pairs[0]
    items = c.verdict.items
    return [
        comparisons.sentence,
        "",
        *_aligned([_head(c), *(_row(side) for side in comparisons.sides)]),
        "",
        *_aligned(
            [
                ("each pair, in percentage points", "differ by", "simultaneous 95 %", "Holm's p"),
                *(_pair_row(pair) for pair in comparisons.pairs),
            ]
        ),
        "",
        *(f"  {said}" for said in comparisons.disagreements),
        f"  p values have Holm's correction for {c.n_pairs} pairs, and intervals Bonferroni's",
        f"  each holdout is that of a search of {c.search_trials_per_split} trials; optimism: by "
        f"how many {items} it looked better",
        f"  each split trains on {c.n_fit:,} {items}; fresh seeds change weights and batches, not "
        f"{items}",
    ]


def _head(c: Comparison) -> tuple[str, ...]:
    seeds, splits = f"{c.n_seeds} fresh seeds", f"{c.n_splits} holdouts"
    return "study", "raw best", "recommended", seeds, splits, "95 % interval", "optimism"


def _row(side: Side) -> tuple[str, ...]:
    """A study's errors."""
    return (
        side.study,
        formats.percent(side.raw_best_errors / side.n_val),
        formats.percent(side.recommended_errors / side.n_val),
        formats.percent(side.replicates_final.mean / side.n_val),
        formats.percent(side.holdout.mean),
        formats.interval(side.holdout.interval),
        f"{side.optimism:+.1f}",
    )


def _pair_row(pair: Comparison) -> tuple[str, ...]:
    """What was decided about a pair, the leader first, and by how many points it errs less."""
    v, is_b = pair.verdict, pair.verdict.leader == "B"
    ahead, behind = (pair.b.study, pair.a.study) if is_b else (pair.a.study, pair.b.study)
    gap = v.interval if is_b else v.interval.mirrored()
    if v.separated and v.outcome in ("equivalent", "not separated"):
        said = f"{ahead} differs from {behind} on holdouts"
    else:
        verb = {
            "suggestive": "is favoured over",
            "equivalent": "is equivalent to",
            "not separated": "is not separated from",
        }.get(v.outcome, "is better than")
        said = f"{ahead} {verb} {behind}"
    ends = f"{100 * gap.lower:+.2f} to {100 * gap.upper:+.2f}"
    points = f"{100 * abs(v.errors[0] - v.errors[1]):.2f}"
    return said, points, ends, formats.p_value(pair.p_adjusted)


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
    """The same of the only pair, with every condition of the rule."""
    a, b = c.a.study, c.b.study
    mc, wins, items = c.raw_mcnemar, c.b_outperforms_a, c.verdict.items
    searches = f"{c.n_splits} searches of {c.search_trials_per_split} trials"
    heads = (
        "",
        "raw best of the search",
        "recommended trial",
        f"{c.n_seeds} fresh seeds, last step",
        f"holdout of {searches}",
        "optimism of such a search",
    )
    table = zip(heads, _cells(c.a), _cells(c.b), strict=True)
    return [
        c.verdict.sentence,
        "",
        *(f"  {head:<36} {left:<28} {right}".rstrip() for head, left, right in table),
        "",
        f"  {b} outperforms {a} with probability {wins.probability:.2f} "
        f"({wins.interval.lower:.2f} to {wins.interval.upper:.2f}) over {wins.n_pairs} seeds",
        f"  the two raw best, descriptive: {mc.b} {items} only {a} gets wrong, {mc.c} only "
        f"{b} (McNemar's mid-p = {formats.p_value(mc.mid_p)})",
        *(f"  {reason}" for reason in c.verdict.reasons),
        f"  each split trains on {c.n_fit:,} {items}; seeds and batches vary between replicates, "
        f"whose {items} are the search's",
    ]


def _cells(side: Side) -> list[str]:
    """A study's column of the table."""
    final, holdout = side.replicates_final, side.holdout
    return [
        side.study,
        formats.error(side.raw_best_errors, side.n_val),
        f"{side.recommended_trial} ({side.recommended_errors} of {side.n_val:,})",
        f"{formats.percent(final.mean / side.n_val)} ({final.mean:.1f}, SD {final.sd:.1f})",
        f"{formats.percent(holdout.mean)} ({formats.interval(holdout.interval)})",
        f"{side.optimism:+.1f} of {side.n_val:,}",
    ]
