"""The command ``python -m study.search``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from study import cli, formats, options
from study.search.loop import Progress, Settings, search
from study.search.options import parser, plans_of, settings_of
from study.search.summary import summary
from study.text import clean, say
from study.training.plan import Plan
from study.training.registry import model_named
from study.trials import StoredTrial, best_of
from study.trials.selection import meets_target

TARGET_MISSED = 3


def run_search(
    plan: Plan, settings: Settings, *, require_target: bool = False, quiet: bool = False
) -> int:
    """Search, show the progress on a terminal and the result on stdout; the exit status."""
    with _bar(settings, quiet=quiet) as progress:
        outcome = search(plan, settings, progress)
    say(*summary(plan, settings, outcome))
    best = best_of(outcome.trials)
    met = best is not None and meets_target(plan, best)
    return TARGET_MISSED if require_target and not met else 0


@contextmanager
def _bar(settings: Settings, *, quiet: bool) -> Iterator[Progress]:
    """A progress bar on a terminal; elsewhere nothing."""
    from tqdm import tqdm

    begun = False

    def show(work: float, best: StoredTrial | None) -> None:
        """Move the bar and show the best trial so far; first called with the trials there are."""
        nonlocal begun
        if not begun:
            bar.initial, begun = work, True
        if best:
            error = formats.percent(best.val_error)
            bar.set_postfix_str(f"best {error}", refresh=False)
        bar.update(min(work, settings.n_trials - bar.n))

    with tqdm(
        total=settings.n_trials,
        desc=clean(settings.study_name),
        unit="trial",
        bar_format="{l_bar}{bar}| {n:.0f}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
        disable=True if quiet else None,  # None: unless stderr is a terminal
    ) as bar:
        yield show


def command(args: argparse.Namespace) -> int:
    """Search the model that the options name."""
    options.load_model_files(args)
    model = model_named(args.model)
    settings = settings_of(args, model.name if args.study_name is None else args.study_name)
    [plan] = plans_of(args, [model])
    return run_search(
        plan,
        settings,
        require_target=args.require_target,
        quiet=args.quiet > 0,
    )


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
