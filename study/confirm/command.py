"""The command ``python -m study.confirm``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from study import cli, formats, options
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
    with tqdm(desc="confirm", unit="repetition", disable=True if quiet else None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        confirm(settings, show)
    say(*lines(compare(settings.storage, settings.names)))
    return 0


def lines(comparison: Comparison) -> list[str]:
    """The verdict with the numbers behind it."""
    c = comparison
    a, b = c.a.study, c.b.study
    mc, wins = c.raw_mcnemar, c.b_outperforms_a
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
        f"  the two raw best, descriptive: {mc.b} images only {a} gets wrong, {mc.c} only "
        f"{b} (McNemar's mid-p = {formats.p_value(mc.mid_p)})",
        *(f"  {reason}" for reason in c.verdict.reasons),
        f"  each split trains on {c.n_fit:,} images; seeds and batches vary between replicates, "
        "whose images are the search's",
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


def command(args: argparse.Namespace) -> int:
    """Confirm the two studies that the options name."""
    options.load_model_files(args)
    settings = settings_of(args, (args.linear, args.mlp), args.n_trials)
    return run_confirm(settings, quiet=args.quiet > 0, fresh=args.restart)


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
