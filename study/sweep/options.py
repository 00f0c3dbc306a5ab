"""The options of ``python -m study.sweep``, and the settings that they state."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from study import cli, options
from study.confirm.options import add_confirm
from study.confirm.options import settings_of as confirm_settings
from study.errors import StudyError
from study.report.options import add_models, add_report, models_of
from study.search.options import add_search, plans_of
from study.search.options import settings_of as search_settings
from study.sweep.data_sets import ALL, DataSet, of_pair, of_path, pairs, require_names
from study.sweep.loop import Settings
from study.sweep.plans import Plans
from study.training.protocol import Protocol
from study.training.registry import Model


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.sweep", "Compare models on many pairs of classes or data sets, on one page."
    )
    options.add_common(found)
    add_search(found)
    add_confirm(found)
    add_report(found)
    many = found.add_argument_group("data sets", conflict_handler="resolve")  # these mean more
    add_models(many)
    _add_data(many)
    many.add_argument(
        "--seed",
        type=cli.seed,
        default=0,
        help="of everything random: each data set derives a seed of its own from it (default: 0)",
    )
    many.add_argument(
        "--jobs",
        type=cli.positive_int,
        metavar="N",
        help="cohorts trained at the same time, of whichever data sets; with --dask, data sets "
        "searched at once (default: the number of cores; with --dask the cluster's threads, where "
        "those are more)",
    )
    many.add_argument(
        "--timeout",
        type=cli.positive_float,
        metavar="SECONDS",
        help="of the whole sweep: begin no data set, generation or confirmation later",
    )
    many.add_argument(
        "--confirm",
        action="store_true",
        help="confirm each data set on held-out images too; the options of the "
        "confirmation are for this",
    )
    many.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("reports"),
        help="folder of index.html, sweep.csv, and a folder for each data set's own report "
        "(default: reports)",
    )
    many.add_argument(
        "--no-reports", action="store_true", help="leave out the data sets' own reports"
    )
    return found


def _add_data(many: argparse._ActionsContainer) -> None:
    """Which pairs of classes, and which data of a person's own."""
    many.add_argument(
        "--digits",
        nargs="+",
        type=pairs,
        metavar="A-B",
        help="pairs of classes such as 4-9, or all (default: all 45; with --data none)",
    )
    many.add_argument(
        "--data",
        nargs="+",
        type=Path,
        metavar="FILE",
        default=[],
        help="your own data: .npz (X, y), .csv or .parquet files, or folders of images "
        "DIR/class/*.png; the options --label, --classes and --n-train are of all of them",
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """How the options say to sweep.

    Raises:
        StudyError: Options that contradict each other, or a plan that can't be searched.
    """
    if args.restart and not args.confirm:
        raise StudyError("--restart: drops a confirmation, and none is asked for: add --confirm")
    models = models_of(args)
    data = _data_of(args)
    require_names(data, args.models)
    one = argparse.Namespace(**vars(args) | {"jobs": args.jobs or 1})
    names = data[0].study_names(args.models)
    return Settings(
        data=data,
        plans=_plans_of(one, data, models),
        search=replace(
            search_settings(one, names[0]), timeout=None, remedy="name another --storage"
        ),
        confirm=confirm_settings(one, names) if args.confirm else None,
        restart=args.restart,
        margin=args.margin,
        out=args.out,
        reports=not args.no_reports,
        replace=args.replace,
        jobs=args.jobs,
        timeout=args.timeout,
        debug=args.debug,
        verbosity=args.verbose - args.quiet,
    )


def _data_of(args: argparse.Namespace) -> tuple[DataSet, ...]:
    """The pairs of ``--digits``, then the files and folders of ``--data``, each once.

    Raises:
        StudyError: A folder of official files is named, and no pair is swept.
    """
    digits = args.digits or ([] if args.data else [ALL])
    if not digits and args.data_root:
        raise StudyError("--data-root: is for pairs of digits: add --digits, or leave it out")
    root = args.data_root and args.data_root.absolute()
    chosen = (of_pair(args.dataset, pair, root) for some in digits for pair in some)
    paths = dict.fromkeys(path.absolute() for path in args.data)
    return *dict.fromkeys(chosen), *map(of_path, paths)


def _plans_of(args: argparse.Namespace, data: Sequence[DataSet], models: Sequence[Model]) -> Plans:
    """The plans, before any data is read; a target that is missing is told where it is needed.

    Raises:
        StudyError: As :func:`study.search.options.plans_of` says.
    """
    pairs = [each.pair for each in data if each.pair]
    has_own = len(pairs) < len(data)
    unused = {"until_target": False, "require_target": False}
    of_pairs: dict[str, Any] = {"data": None, "digits": pairs[0] if pairs else Protocol.classes}
    if has_own:
        of_pairs |= {"label": None, "classes": None}
    if not pairs:
        of_pairs |= unused | {"n_train": None, "batch_size": None}
    of_own: dict[str, Any] = {
        "data": Path(),
        "protocol": Protocol(),
    }  # each is read when its turn comes
    if not has_own:
        of_own |= unused
    return Plans(
        of_pairs=plans_of(argparse.Namespace(**vars(args) | of_pairs), models),
        of_own=plans_of(argparse.Namespace(**vars(args) | of_own), models),
        own=options.own_data_of(args),
    )
