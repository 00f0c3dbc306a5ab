"""The command ``python -m study.sweep``."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import TYPE_CHECKING

from study import cli, formats, options, storage
from study.search.command import TARGET_MISSED
from study.sweep import checks, loop
from study.sweep.options import parser, settings_of

if TYPE_CHECKING:
    from study.errors import StudyError
    from study.sweep.overview import Overview

BYTES = 4_000_000  # of a report, at most


def command(args: argparse.Namespace) -> int:
    """Sweep the data sets that the options name."""
    options.load_model_files(args)
    settings = settings_of(args)
    storage.require_room(settings.out, BYTES * len(settings.data))
    checks.require_out(settings)
    checks.require_data(settings)
    overview, failed = run_sweep(settings)
    if failed:
        return max(error.status for error in failed)
    return _status(overview, settings) if args.require_target else 0


def run_sweep(settings: loop.Settings) -> tuple[Overview, list[StudyError]]:
    """Search what is not there yet, then write the reports; the overview all along.

    Returns:
        The overview at the end, and what failed.
    """
    from study.sweep.overview import Overview
    from study.sweep.progress import Progress
    from study.sweep.reports import write_reports

    data, noun, quiet = settings.data, settings.noun, settings.verbosity < 0
    jobs = loop.at_once(settings)
    overview = Overview(settings)
    with Progress("search", len(data), noun, quiet=quiet) as progress:
        for done in loop.sweep(settings, jobs, progress.begins):
            overview.renew(done.data)
            progress.ended(done, overview.at(done.data))
    failed = progress.errors
    stale = overview.stale(data) if settings.reports else []
    with (
        Progress("report", len(stale), noun, quiet=quiet) as progress,
        closing(write_reports(settings, jobs, stale)) as reports,
    ):
        for done in reports:
            overview.renew()
            progress.ended(done)
    overview.read(overview.others())  # another sweep's, meanwhile
    counted = formats.plural(len(overview.rows), overview.content.noun)
    progress.say(f"{overview.write()} ({counted})")
    return overview, failed + progress.errors


def _status(overview: Overview, settings: loop.Settings) -> int:
    """Whether the target was missed on a data set."""
    met = {row.data for row in overview.rows if row.target_met}
    return 0 if met.issuperset(settings.data) else TARGET_MISSED


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
