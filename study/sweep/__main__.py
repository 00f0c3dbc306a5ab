"""The command ``python -m study.sweep``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from study import cli, storage
from study.confirm.__main__ import add_confirm
from study.report.__main__ import add_report
from study.search.__main__ import TARGET_MISSED, add_search
from study.sweep.pairs import ALL, Pair, pairs

if TYPE_CHECKING:
    from study.errors import StudyError
    from study.sweep.overview import Overview

BYTES = 4_000_000  # of a pair's report, at most


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.sweep", "Compare the two models on many pairs of classes, on one page."
    )
    cli.add_common(found)
    add_search(found)
    add_confirm(found)
    add_report(found)
    many = found.add_argument_group("pairs", conflict_handler="resolve")  # these mean more here
    many.add_argument(
        "--digits",
        nargs="+",
        type=pairs,
        metavar="A-B",
        default=[ALL],
        help="pairs of classes such as 4-9, or all (default: all 45)",
    )
    many.add_argument(
        "--jobs",
        type=cli.positive_int,
        metavar="N",
        help="pairs searched at once, or with --backend cohorts of one pair, a core each "
        "(default: the number of cores; with --dask the cluster's threads, where those are more)",
    )
    many.add_argument(
        "--timeout",
        type=cli.positive_float,
        metavar="SECONDS",
        help="of the whole sweep: begin no pair, generation or confirmation later",
    )
    many.add_argument(
        "--confirm",
        action="store_true",
        help="confirm each pair on fresh seeds and splits too; the options of the confirmation "
        "are for this",
    )
    many.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("reports"),
        help="folder of index.html, sweep.csv, and a folder for each pair's own report "
        "(default: reports)",
    )
    many.add_argument("--no-reports", action="store_true", help="leave out the pairs' own reports")
    return found


def command(args: argparse.Namespace) -> int:
    """Search what is not there yet, then write the pairs' reports; the overview all along."""
    from study.sweep import loop
    from study.sweep.overview import Overview
    from study.sweep.progress import Progress

    chosen = list(dict.fromkeys(pair for some in args.digits for pair in some))
    storage.require_room(args.out, BYTES * len(chosen))
    loop.require_out(args, chosen)
    loop.require_sense(args, chosen)
    args = cli.changed(args, jobs=loop.pairs_at_once(args))
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


if __name__ == "__main__":
    sys.exit(main())
