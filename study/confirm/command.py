"""The command ``python -m study.confirm``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from study import cli, options
from study.background import in_background
from study.confirm.loop import Settings, confirm, restart
from study.confirm.options import names_of, parser, settings_of
from study.progress_bar import advance, progress_bar
from study.text import say
from study.workers import Pool

if TYPE_CHECKING:
    from tqdm import tqdm


class Confirmation:
    """A confirmation that trains on a thread of its own, once it has begun.

    Args:
        settings: What is confirmed, and how.
        pool: Open workers that are shared with others; by default those of the settings.
        fresh: Drop an earlier confirmation first.
    """

    def __init__(self, settings: Settings, pool: Pool | None = None, *, fresh: bool) -> None:
        self.settings, self.pool, self.fresh = settings, pool, fresh
        self.done, self.total = 0, 0  # repetitions
        self.bar: tqdm[Any] | None = None

    def begin(self) -> None:
        """Train until all is done or the process ends."""
        if self.fresh:
            restart(self.settings)
        self.future = in_background(confirm, self.settings, self._show, self.pool)

    def _show(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self.bar is not None:
            advance(self.bar, done, total)

    def finish(self, *, quiet: bool) -> None:
        """Show the progress on a terminal until all is trained, and the verdict on stdout."""
        from study.confirm.comparison import compare_all
        from study.confirm.summary import lines

        settings = self.settings
        with progress_bar(quiet=quiet, desc="confirm", unit="repetition") as self.bar:
            self._show(self.done, self.total)
            self.future.result()
        say(*lines(compare_all(settings.storage, settings.names, settings.margin)))


def command(args: argparse.Namespace) -> int:
    """Confirm the studies that the options name."""
    options.load_model_files(args)
    settings = settings_of(args, names_of(args), args.n_trials)
    confirmation = Confirmation(settings, fresh=args.restart)
    confirmation.begin()
    confirmation.finish(quiet=args.quiet > 0)
    return 0


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
