"""The options of ``python -m study.confirm``, and the settings that they state."""

from __future__ import annotations

import argparse
from pathlib import Path

from study import cli, options
from study.confirm.loop import Settings

EPILOG = [
    "The verdict's rule is fixed: the second model is better when the corrected 95 % interval of",
    "the difference on the holdouts excludes 0, it outperforms on fresh seeds with a probability",
    "whose interval lies above 1/2 and reaches past 3/4, and McNemar's mid-p is below .05 in at",
    "least nine of ten pairs of replicates. With one of the last two missing it is suggestive.",
]


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.confirm",
        "Retrain the winners of two searches on fresh seeds, repeat the searches on fresh splits, "
        "and compare.",
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
    found.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="folder of the official training files, if the searches were given one",
    )
    return found


def add_names(parser: argparse.ArgumentParser) -> None:
    """Which two studies."""
    parser.add_argument(
        "--linear", metavar="NAME", default="linear", help="first study (default: linear)"
    )
    parser.add_argument("--mlp", metavar="NAME", default="mlp", help="second (default: mlp)")


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
    args: argparse.Namespace, names: tuple[str, str], n_trials: int = Settings.n_trials
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
