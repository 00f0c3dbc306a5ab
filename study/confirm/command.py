"""The command ``python -m study.confirm``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from study import cli, options
from study.confirm.loop import Settings, confirm, restart
from study.confirm.options import parser, settings_of
from study.text import say

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison, Side


def run_confirm(settings: Settings, *, quiet: bool, fresh: bool = False) -> int:
    """Confirm, show the progress on a terminal and the verdict on stdout; the exit status."""
    from tqdm import tqdm

    from study.confirm.comparison import compare

    if fresh:
        restart(settings)
    with tqdm(desc="confirm", unit="unit", disable=True if quiet else None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        confirm(settings, show)
    say(*lines(compare(settings.storage, settings.names)))
    return 0


def lines(comparison: Comparison) -> list[str]:
    """The verdict with the numbers behind it."""
    c = comparison
    mc, wins = c.raw_mcnemar, c.b_outperforms_a
    searches = f"{c.n_splits} searches of {c.search_trials_per_split} trials"
    table = [
        ("", c.a.study, c.b.study),
        ("raw best of the search", *(_raw(side) for side in (c.a, c.b))),
        ("recommended trial", *(_recommended(side) for side in (c.a, c.b))),
        (f"{c.n_seeds} fresh seeds, last step", *(_replicated(side) for side in (c.a, c.b))),
        (f"holdout of {searches}", *(_holdout(side) for side in (c.a, c.b))),
        ("optimism of such a search", *(f"{s.optimism:+.1f} of {s.n_val:,}" for s in (c.a, c.b))),
    ]
    return [
        c.sentence,
        "",
        *(f"  {name:<36} {a:<25} {b}".rstrip() for name, a, b in table),
        "",
        f"  {c.b.study} outperforms {c.a.study} with probability {wins.probability:.2f} "
        f"({wins.interval.lower:.2f} to {wins.interval.upper:.2f}) over {wins.n_pairs} seeds",
        f"  the two raw best, descriptive: {mc.b} images only {c.a.study} gets wrong, {mc.c} only "
        f"{c.b.study} (McNemar's mid-p = {mc.mid_p:.2g})",
        *(f"  {reason}" for reason in c.verdict.reasons),
        f"  each split trains on {c.n_fit:,} images; seeds and batches vary between replicates, "
        "whose images are the search's",
    ]


def _raw(side: Side) -> str:
    return f"{side.raw_best_errors / side.n_val:.2%} ({side.raw_best_errors} of {side.n_val:,})"


def _recommended(side: Side) -> str:
    return f"{side.recommended_trial} ({side.recommended_errors} of {side.n_val:,})"


def _replicated(side: Side) -> str:
    final = side.replicates_final
    return f"{final.mean / side.n_val:.2%} ({final.mean:.1f}, SD {final.sd:.1f})"


def _holdout(side: Side) -> str:
    ends = side.holdout.interval
    return f"{side.holdout.mean:.2%} ({max(ends.lower, 0):.2%} to {ends.upper:.2%})"


def command(args: argparse.Namespace) -> int:
    """Confirm the two studies that the options name."""
    options.load_model_files(args)
    settings = settings_of(args, (args.linear, args.mlp), args.n_trials)
    return run_confirm(settings, quiet=args.quiet > 0, fresh=args.restart)


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
