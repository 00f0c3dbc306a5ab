"""The command ``python -m study.sweep``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from study import cli, storage
from study.search.command import TARGET_MISSED
from study.sweep import loop
from study.sweep.options import parser, settings_of
from study.sweep.pairs import ALL, Pair

if TYPE_CHECKING:
    from study.errors import StudyError
    from study.sweep.overview import Overview

BYTES = 4_000_000  # of a pair's report, at most


def command(args: argparse.Namespace) -> int:
    """Sweep the pairs that the options name."""
    settings = settings_of(args)
    storage.require_room(settings.out, BYTES * len(settings.pairs))
    loop.require_out(settings)
    loop.require_data(settings)
    overview, failed = run_sweep(settings)
    if failed:
        return max(error.status for error in failed)
    return _status(overview, settings.pairs) if args.require_target else 0


def run_sweep(settings: loop.Settings) -> tuple[Overview, list[StudyError]]:
    """Search what is not there yet, then write the pairs' reports; the overview all along.

    Returns:
        The overview at the end, and what failed.
    """
    from study.sweep.overview import Overview
    from study.sweep.progress import Progress

    pairs, quiet = settings.pairs, settings.verbosity < 0
    jobs = loop.pairs_at_once(settings)
    overview = Overview(settings)
    with Progress("search", len(pairs), quiet=quiet) as progress:
        for done in loop.sweep(settings, jobs, progress.begins):
            overview.renew(done.pair)
            progress.ended(done, overview.at(done.pair))
    failed = progress.errors
    stale = overview.stale(pairs) if settings.reports else []
    with (
        Progress("report", len(stale), quiet=quiet) as progress,
        closing(loop.write_reports(settings, jobs, stale)) as reports,
    ):
        for done in reports:
            overview.renew()
            progress.ended(done)
    overview.read([pair for pair in ALL if pair not in pairs])  # another sweep's, meanwhile
    progress.say(f"{overview.write()} ({len(overview.rows)} pairs)")
    return overview, failed + progress.errors


def _status(overview: Overview, pairs: Sequence[Pair]) -> int:
    """Whether the target was missed on a pair."""
    met = {row.pair for row in overview.rows if row.target_met}
    return 0 if met.issuperset(pairs) else TARGET_MISSED


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
