"""The command ``study collect``: the studies of many people on one page."""

from __future__ import annotations

import argparse

from study import cli, formats, options
from study.collect.options import Settings, parser, settings_of
from study.errors import StudyError
from study.report import ownership
from study.text import complain, say


def command(args: argparse.Namespace) -> int:
    """Read what the options name, write the page, and say what was left out."""
    options.load_model_files(args)
    settings = settings_of(args)
    collect(settings, quiet=args.quiet > 0)
    return 0


def collect(settings: Settings, *, quiet: bool = False) -> None:
    """Write the page of all submissions.

    Raises:
        StudyError: There is none, or a file that no report wrote is in the way.
        ResourceError: The page can't be written.
    """
    from tqdm import tqdm

    from study.collect.content import Content
    from study.collect.entries import Entry, Skipped, entries
    from study.collect.finding import places
    from study.collect.notes import noted
    from study.collect.page import TABLE, write

    ownership.require_own(settings.out, (ownership.PAGE, TABLE), replace=settings.replace)
    found = [place for source in settings.sources for place in places(source)]
    shown = tqdm(found, "read", unit="storage", disable=True if quiet else None)
    read = [each for p in shown for each in entries(p, settings.models, settings.margin)]
    skipped = [each for each in read if isinstance(each, Skipped)]
    for each in skipped:
        complain(f"{each.name}: {each.why}")
    taken = noted([each for each in read if isinstance(each, Entry)])
    if not taken:
        named, models = ", ".join(settings.sources), " and ".join(settings.models)
        raise StudyError(f"{named}: has no studies {models}: name another folder")
    page = write(settings.out, Content(taken, skipped, settings.models), replace=settings.replace)
    if not quiet:
        left = f", {len(skipped)} left out" * bool(skipped)
        say(f"{page} ({formats.plural(len(taken), 'submission')}{left})")


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
