"""The options of ``python -m study.confirm``, and the settings that they state."""

from __future__ import annotations

import argparse

from study import cli, options
from study.confirm.loop import Settings
from study.errors import StudyError

DEFAULT_NAMES = "linear", "mlp"

EPILOG = [
    "The verdict's rule is fixed: the second model is better when the corrected 95 % interval of",
    "the difference on the holdouts excludes 0, it outperforms on fresh seeds with a probability",
    "whose interval lies above 1/2 and reaches past 3/4, and McNemar's mid-p is below .05 in at",
    "least nine of ten pairs of replicates. With one of the last two missing it is suggestive.",
    "Of three or more studies every pair has a verdict: Holm's corrected p below .05 takes the",
    "place of the interval, and the intervals hold for all pairs at once (Bonferroni's).",
]


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.confirm",
        "Retrain the winners of two or more searches on fresh seeds, repeat the searches on "
        "fresh splits, and compare.",
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
    for option, kind, what in (
        ("seeds", cli.at_least_two, "fresh seeds to retrain the finalists on"),
        ("splits", cli.at_least_two, "random splits to repeat the searches on"),
        ("finalists", cli.positive_int, "trials of each study to retrain, at most"),
    ):
        default = getattr(Settings, option)
        group.add_argument(
            f"--{option}",
            type=kind,
            metavar="N",
            default=default,
            help=f"{what} (default: {default})",
        )
    group.add_argument(
        "--restart", action="store_true", help="drop an earlier confirmation of these studies"
    )


def settings_of(
    args: argparse.Namespace, names: tuple[str, ...], n_trials: int = Settings.n_trials
) -> Settings:
    """How the options say to confirm the studies of these names."""
    return Settings(
        storage=args.storage,
        names=names,
        seeds=args.seeds,
        splits=args.splits,
        n_trials=n_trials,
        finalists=args.finalists,
        seed=args.seed,
        workers=options.workers_of(args),
        data_root=args.data_root,
    )
