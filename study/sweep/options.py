"""The options of ``python -m study.sweep``."""

from __future__ import annotations

import argparse
from pathlib import Path

from study import cli, options
from study.confirm.options import add_confirm
from study.report.options import add_report
from study.search.options import add_search
from study.sweep.pairs import ALL, pairs


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.sweep", "Compare the two models on many pairs of classes, on one page."
    )
    options.add_common(found)
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
