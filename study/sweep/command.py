"""The command ``python -m study.sweep``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from study import cli, options, storage
from study.search.command import TARGET_MISSED
from study.sweep.options import parser
from study.sweep.pairs import ALL, Pair

if TYPE_CHECKING:
    from study.errors import StudyError
    from study.sweep.overview import Overview

BYTES = 4_000_000  # of a pair's report, at most


def command(args: argparse.Namespace) -> int:
    """Search what is not there yet, then write the pairs' reports; the overview all along."""
    options.load_model_files(args)
    from study.sweep import loop
    from study.sweep.overview import Overview
    from study.sweep.progress import Progress

    chosen = list(dict.fromkeys(pair for some in args.digits for pair in some))
    storage.require_room(args.out, BYTES * len(chosen))
    loop.require_out(args, chosen)
    loop.require_sense(args, chosen)
    args = loop.changed(args, jobs=loop.pairs_at_once(args))
    overview = Overview(args)
    with Progress("search", len(chosen), quiet=args.quiet > 0) as progress:
        for done in loop.sweep(args, chosen, progress.begins):
            overview.renew(done.pair)
            progress.ended(done, overview.at(done.pair))
    failed = progress.errors
    stale = [] if args.no_reports else overview.stale(chosen)
    with (
        Progress("report", len(stale), quiet=args.quiet > 0) as progress,
        closing(loop.write_reports(args, stale)) as reports,
    ):
        for done in reports:
            overview.renew()
            progress.ended(done)
    overview.read([pair for pair in ALL if pair not in chosen])  # another sweep's, meanwhile
    progress.say(f"{overview.write()} ({len(overview.rows)} pairs)")
    return _status(args, chosen, overview, failed + progress.errors)


def _status(
    args: argparse.Namespace,
    chosen: Sequence[Pair],
    overview: Overview,
    failed: Sequence[StudyError],
) -> int:
    """That of the worst failure, or else whether the target was missed on a pair."""
    if failed:
        return max(error.status for error in failed)
    met = {row.pair for row in overview.rows if row.target_met}
    return TARGET_MISSED if args.require_target and not met.issuperset(chosen) else 0


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
