"""The command ``python -m study.search``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NoReturn

from study import cli, formats, options
from study.background import in_background
from study.search.loop import Progress, Settings, search
from study.search.options import parser, plans_of, settings_of
from study.search.summary import summary
from study.text import clean, say
from study.training.plan import Plan
from study.training.registry import model_named
from study.trials import StoredTrial, best_of
from study.trials.selection import meets_target
from study.workers import Pool

if TYPE_CHECKING:
    from tqdm import tqdm

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
    with _bar([settings for _, settings in searches], quiet=quiet) as bar:
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


class _Bar:
    """The progress of searches that run side by side."""

    def __init__(self, bar: tqdm[NoReturn], searches: Sequence[Settings]) -> None:
        self.bar = bar
        self.names = [clean(settings.study_name) for settings in searches]
        self.total = sum(settings.n_trials for settings in searches)
        self.before: dict[int, float] = {}  # trials that were there, by search
        self.best: dict[int, str] = {}
        self.lock = Lock()

    def show(self, k: int) -> Progress:
        """What moves the bar for search k; first called with the trials that there are."""

        def move(work: float, best: StoredTrial | None) -> None:
            with self.lock:
                self._move(k, work, best)

        return move

    def _move(self, k: int, work: float, best: StoredTrial | None) -> None:
        if k not in self.before:
            self.before[k] = work
            self.bar.initial = sum(self.before.values())
        if best:
            name = f"{self.names[k]} " * (len(self.names) > 1)
            self.best[k] = f"{name}{formats.percent(best.val_error)}"
            found = ", ".join(self.best[place] for place in sorted(self.best))
            self.bar.set_postfix_str(f"best {found}", refresh=False)
        self.bar.update(min(work, self.total - self.bar.n))


@contextmanager
def _bar(searches: Sequence[Settings], *, quiet: bool) -> Iterator[_Bar]:
    """A progress bar on a terminal; elsewhere nothing."""
    from tqdm import tqdm

    with tqdm(
        total=sum(settings.n_trials for settings in searches),
        desc=", ".join(clean(settings.study_name) for settings in searches),
        unit="trial",
        bar_format="{l_bar}{bar}| {n:.0f}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
        disable=True if quiet else None,  # None: unless stderr is a terminal
    ) as bar:
        yield _Bar(bar, searches)


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
