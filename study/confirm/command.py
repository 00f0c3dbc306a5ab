"""The command ``python -m study.confirm``."""

from __future__ import annotations

import argparse

from study import cli, options
from study.confirm.loop import Settings, confirm, restart
from study.confirm.options import names_of, parser, settings_of
from study.text import say


def run_confirm(settings: Settings, *, quiet: bool, fresh: bool = False) -> int:
    """Confirm, show the progress on a terminal and the verdict on stdout; the exit status."""
    from tqdm import tqdm

    from study.confirm.comparison import compare_all
    from study.confirm.summary import lines

    if fresh:
        restart(settings)
    with tqdm(desc="confirm", unit="repetition", disable=True if quiet else None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        confirm(settings, show)
    say(*lines(compare_all(settings.storage, settings.names)))
    return 0


def command(args: argparse.Namespace) -> int:
    """Confirm the studies that the options name."""
    options.load_model_files(args)
    settings = settings_of(args, names_of(args), args.n_trials)
    return run_confirm(settings, quiet=args.quiet > 0, fresh=args.restart)


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
