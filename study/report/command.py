"""The command ``python -m study.report``."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from study import cli, options, storage
from study.report import ownership
from study.report.drawn import Drawn
from study.report.options import Settings, names_of, parser, settings_of
from study.text import say

BYTES = 4_000_000  # of a report, at most


def require_out(settings: Settings, names: Sequence[str]) -> None:
    """Check that the folder can take these files of a report, before anything is computed.

    Raises:
        StudyError: One of the files is there, and no report wrote it.
        ResourceError: The folder is read-only or nearly full.
    """
    storage.require_room(settings.out, BYTES)
    ownership.require_own(settings.out, names, replace=settings.replace)


def run_report(
    settings: Settings,
    *,
    quiet: bool = False,
    drawn: Drawn | None = None,
    when_read: Callable[[], object] | None = None,
) -> int:
    """Write the report of the studies, and print where it is; the exit status.

    Args:
        settings: Which report, and where.
        quiet: Print nothing.
        drawn: The pictures of this process's reports before, which are not drawn again.
        when_read: Called when all is read from the storage, before anything is drawn.
    """
    page, *others = written(settings, drawn=drawn, when_read=when_read)
    if not quiet:
        say(f"{page} (and {len(others)} figures, tables and a summary in {settings.out})")
    return 0


def written(
    settings: Settings,
    *,
    drawn: Drawn | None = None,
    when_read: Callable[[], object] | None = None,
) -> list[Path]:
    """Write the report of the studies; its files, the page first. See :func:`run_report`."""
    require_out(settings, (ownership.PAGE, ownership.SUMMARY))
    with _no_collection():
        from study.report import write

        return write(**vars(settings), drawn=drawn, when_read=when_read)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no garbage in the block: of what is imported and drawn, hardly any is.

    Python would look through all modules several times, a tenth of a report's time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def command(args: argparse.Namespace) -> int:
    """Write the report of the studies that the options name."""
    options.load_model_files(args)
    return run_report(settings_of(args, names_of(args)), quiet=args.quiet > 0)


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
