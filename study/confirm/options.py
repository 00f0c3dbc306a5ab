"""The options of ``python -m study.confirm``, and the settings that they state."""

from __future__ import annotations

import argparse
import re

from study import cli, options
from study.confirm.division import FOLDS
from study.confirm.loop import FINALISTS, Settings
from study.errors import StudyError
from study.margin import DEFAULT_MARGIN, Margin
from study.search.options import add_other_versions

DEFAULT_NAMES = "linear", "mlp"

EPILOG = [
    "The verdict's rule is fixed. One model is better when the 95 % interval of the difference",
    "in error on held-out images excludes 0. If neither is, they are equivalent when the 90 %",
    "interval lies within the margin (two one-sided tests at 5 %), and otherwise not separated.",
    "Of three or more studies every pair has a verdict: Holm's corrected p below .05 takes the",
    "place of the interval, and the intervals hold for all pairs at once (Bonferroni's).",
]


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.confirm",
        "Repeat two or more searches with a part of the images held out, retrain their best "
        "trials on fresh seeds, and compare.",
        EPILOG,
    )
    options.add_common(found)
    add_names(found)
    add_confirm(found)
    found.add_argument(
        "--seed", type=cli.seed, default=0, help="of everything random (default: 0)"
    )
    found.add_argument(
        "--n-trials",
        type=cli.positive_int,
        metavar="N",
        default=Settings.n_trials,
        help=f"trials of the search inside each split (default: {Settings.n_trials})",
    )
    options.add_workers(found)
    add_other_versions(found)
    options.add_data_root(found, "if the searches were given one")
    return found


def add_names(parser: argparse.ArgumentParser) -> None:
    """Which studies."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="studies to compare, two or more, the simpler models first (default: linear mlp)",
    )
    for option, default in zip(("--linear", "--mlp"), DEFAULT_NAMES, strict=True):
        place = "first" if option == "--linear" else "second"
        parser.add_argument(
            option, metavar="NAME", help=f"{place} of two studies (default: {default})"
        )


def names_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The studies that the options of :func:`add_names` name.

    Raises:
        StudyError: They are named in both ways.
    """
    first, second = DEFAULT_NAMES
    given = [f"--{option}" for option in ("linear", "mlp") if getattr(args, option) is not None]
    if args.names and given:
        raise StudyError(
            f"{' '.join(args.names)} and {' and '.join(given)}: name the studies twice: give all "
            f"of them without {' and '.join(given)}"
        )
    if args.names:
        return tuple(args.names)
    return (
        first if args.linear is None else args.linear,
        second if args.mlp is None else args.mlp,
    )


def add_confirm(parser: argparse.ArgumentParser) -> None:
    """The options of every command that confirms."""
    group = parser.add_argument_group("confirmation")
    for option, kind, what, usual in (
        ("seeds", cli.at_least_two, "fresh seeds to retrain the finalists on", Settings.seeds),
        ("splits", cli.at_least_two, "times to repeat each search", "one for each fold"),
        (
            "folds",
            folds,
            "equal parts of the data, of which each split holds out the next; 0 draws every split "
            "at random, as version 0.1 did",
            FOLDS,
        ),
        ("finalists", cli.positive_int, "trials of each study to retrain, at most", FINALISTS),
    ):
        group.add_argument(
            f"--{option}",
            type=kind,
            metavar="N",
            default=getattr(Settings, option),
            help=f"{what} (default: {usual})",
        )
    add_margin(group)
    group.add_argument(
        "--restart", action="store_true", help="drop an earlier confirmation of these studies"
    )


def add_margin(parser: argparse._ActionsContainer) -> None:
    """The option of every command that prints a verdict."""
    parser.add_argument(
        "--margin",
        type=margin,
        default=str(DEFAULT_MARGIN),
        metavar="SIZE",
        help="the largest difference in error that does not matter in practice, in percentage "
        "points as 0.25pp, or as a share of the mean of the two errors as 20%% "
        "(default: %(default)s)",
    )


def folds(text: str) -> int:
    """0, or 2 or more.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    return 0 if text == "0" else cli.at_least_two(text)


def margin(text: str) -> Margin:
    """``20%`` of the mean error, or ``0.25pp``: percentage points.

    Raises:
        argparse.ArgumentTypeError: It is neither, or not between 0 and 100.
    """
    found = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+) ?(%|pp)", text.strip())
    if not found or float(found[1]) > 100:
        raise argparse.ArgumentTypeError(
            f"{text!r}: must be percentage points such as 0.25pp, or a share of the mean error "
            "such as 20%"
        )
    return Margin(float(found[1]) / 100, is_relative=found[2] == "%")


def settings_of(
    args: argparse.Namespace, names: tuple[str, ...], n_trials: int = Settings.n_trials
) -> Settings:
    """How the options say to confirm the studies of these names."""
    return Settings(
        storage=args.storage,
        names=names,
        seeds=args.seeds,
        splits=args.splits,
        folds=args.folds,
        n_trials=n_trials,
        margin=args.margin,
        finalists=args.finalists,
        seed=args.seed,
        workers=options.workers_of(args),
        data_root=args.data_root,
        other_versions=args.other_versions,
    )
