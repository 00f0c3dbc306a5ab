"""The command ``python -m study.search``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from study import cli, options
from study.background import in_background
from study.search.loop import Settings, search
from study.search.options import parser, plans_of, settings_of
from study.search.progress import shown
from study.search.summary import summary
from study.text import say
from study.training.plan import Plan
from study.training.registry import model_named
from study.trials import best_of
from study.trials.selection import meets_target
from study.workers import Pool

TARGET_MISSED = 3


def run_searches(
    searches: Sequence[tuple[Plan, Settings]],
    pool: Pool,
    *,
    require_target: bool = False,
    quiet: bool = False,
) -> int:
    """Search side by side, show the progress on a terminal and the results on stdout.

    Returns:
        The exit status.
    """
    with shown([settings for _, settings in searches], quiet=quiet) as bar:
        running = [
            in_background(search, plan, settings, bar.show(k), pool)
            for k, (plan, settings) in enumerate(searches)
        ]
        outcomes = [future.result() for future in running]
    missed = False
    for (_, settings), outcome in zip(searches, outcomes, strict=True):
        say(*summary(settings, outcome))
        best = best_of(outcome.trials)
        missed |= best is None or not meets_target(outcome.plan, best)
    return TARGET_MISSED if require_target and missed else 0


def command(args: argparse.Namespace) -> int:
    """Search the model that the options name."""
    options.load_model_files(args)
    model = model_named(args.model)
    settings = settings_of(args, model.name if args.study_name is None else args.study_name)
    plans = plans_of(args, [model])
    with settings.workers.open(plans, settings.root) as pool:
        return run_searches(
            [(plans[0], settings)],
            pool,
            require_target=args.require_target,
            quiet=args.quiet > 0,
        )


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
