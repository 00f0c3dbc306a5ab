"""The command ``python -m study.search``."""

from __future__ import annotations

import argparse

from study import cli, options
from study.search.loop import Progress, Settings, search
from study.search.options import parser, plan_of, settings_of
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


class _bar:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, settings: Settings, *, quiet: bool) -> None:
        from tqdm import tqdm

        self.bar = tqdm(
            total=settings.n_trials,
            desc=clean(settings.study_name),
            unit="trial",
            bar_format="{l_bar}{bar}| {n:.0f}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
            disable=True if quiet else None,  # None: unless stderr is a terminal
        )

        self.begun = False

    def __enter__(self) -> Progress:
        return self.show

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def show(self, work: float, best: StoredTrial | None) -> None:
        """Move the bar by ``work`` trials and show the best so far; first, those there are."""
        if not self.begun:
            self.bar.initial, self.begun = work, True
        if best:
            self.bar.set_postfix_str(f"best {best.val_error:.2%}", refresh=False)
        self.bar.update(min(work, (self.bar.total or 0) - self.bar.n))


def command(args: argparse.Namespace) -> int:
    """Search the model that the options name."""
    options.load_model_files(args)
    model = model_named(args.model)
    settings = settings_of(args, model.name if args.study_name is None else args.study_name)
    return run_search(
        plan_of(args, model),
        settings,
        require_target=args.require_target,
        quiet=args.quiet > 0,
    )


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
