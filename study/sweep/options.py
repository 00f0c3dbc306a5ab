"""The options of ``python -m study.sweep``, and the settings that they state."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from study import cli, options
from study.confirm.options import add_confirm
from study.confirm.options import settings_of as confirm_settings
from study.errors import StudyError
from study.report.options import add_report
from study.search.options import add_search, plans_of
from study.search.options import settings_of as search_settings
from study.sweep.loop import Settings
from study.sweep.pairs import ALL, pairs, study_names
from study.training.registry import MODELS


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


def settings_of(args: argparse.Namespace) -> Settings:
    """How the options say to sweep.

    Raises:
        StudyError: Options that contradict each other, or a plan that can't be searched.
    """
    if args.model_file:
        raise StudyError("--model-file: a sweep compares linear with mlp: leave it out")
    if args.restart and not args.confirm:
        raise StudyError("--restart: drops a confirmation, and none is asked for: add --confirm")
    chosen = tuple(dict.fromkeys(pair for some in args.digits for pair in some))
    first = argparse.Namespace(**vars(args) | {"digits": chosen[0], "jobs": args.jobs or 1})
    names = study_names(args.dataset, chosen[0])
    return Settings(
        pairs=chosen,
        plans=tuple(plans_of(first, list(MODELS.values()))),
        search=replace(
            search_settings(first, names[0]), timeout=None, remedy="name another --storage"
        ),
        confirm=confirm_settings(first, names) if args.confirm else None,
        restart=args.restart,
        out=args.out,
        reports=not args.no_reports,
        replace=args.replace,
        jobs=args.jobs,
        timeout=args.timeout,
        debug=args.debug,
        verbosity=args.verbose - args.quiet,
    )
