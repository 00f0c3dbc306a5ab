"""The options that several commands share, and what they mean.

Each ``add_…`` adds options to a parser, and the function below it turns their values into what
the code takes. Nothing here imports torch, so that every ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from study import cli
from study.errors import StudyError
from study.training.protocol import Protocol
from study.training.registry import load_model_file
from study.workers import Workers

DEFAULT_STORAGE = "sqlite:///study.db"


def add_common(parser: argparse.ArgumentParser) -> None:
    """``--storage`` and ``--model-file``."""
    parser.add_argument(
        "--storage",
        default=os.environ.get("OPTUNA_STORAGE") or DEFAULT_STORAGE,
        help="SQLite file or Optuna storage URL (default: $OPTUNA_STORAGE, else "
        f"{DEFAULT_STORAGE})",
    )
    add_model_files(parser)


def add_model_files(parser: argparse.ArgumentParser) -> None:
    """``--model-file``."""
    parser.add_argument(
        "--model-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="Python file that registers your own models; it is run as it is",
    )


def load_model_files(args: argparse.Namespace) -> None:
    """Run the files of ``--model-file``, which register models.

    Raises:
        StudyError: A file is missing, fails, or registers no new model.
    """
    for path in args.model_file:
        load_model_file(path)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Which images are used, and which two classes of them."""
    group, default = parser.add_argument_group("data"), Protocol()
    group.add_argument(
        "--dataset",
        choices=("mnist", "fashion-mnist", "kmnist", "own"),
        default=default.dataset,
        help="which official training files; own: your own files in the same format",
    )
    group.add_argument(
        "--digits",
        nargs=2,
        type=int,
        metavar=("A", "B"),
        default=default.classes,
        help="the two classes; A gets label 0 and B gets label 1",
    )
    add_data_root(group, "downloaded there if missing (default: the 4s and 9s inside the package)")
    help_text = "train on the first N images, validate on the others"
    group.add_argument("--n-train", **cli.COUNT, default=default.n_train, help=help_text)


def add_data_root(parser: argparse._ActionsContainer, when: str) -> None:
    """``--data-root``; ``when`` ends its help: when it is needed."""
    help_text = f"folder of the official training files, {when}"
    parser.add_argument("--data-root", type=Path, metavar="DIR", help=help_text)


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """How every trial is trained."""
    group, default = parser.add_argument_group("training"), Protocol()
    for option, value, help_text in (
        ("--steps", default.steps, "SGD updates of each trial"),
        ("--batch-size", default.batch_size, "images in each update"),
        ("--val-every", default.val_every, "updates from one validation to the next"),
    ):
        group.add_argument(option, **cli.COUNT, default=value, help=help_text)


def protocol_of(args: argparse.Namespace) -> Protocol:
    """The protocol that the options of :func:`add_data` and :func:`add_protocol` state.

    Raises:
        StudyError: A batch is larger than the training set.
    """
    if args.batch_size > args.n_train:
        raise StudyError(
            f"--batch-size {args.batch_size}: more than the {args.n_train} training images: "
            "batches are drawn without replacement"
        )
    first, second = args.digits
    return Protocol(
        dataset=args.dataset,
        classes=(first, second),
        n_train=args.n_train,
        steps=args.steps,
        batch_size=args.batch_size,
        val_every=args.val_every,
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """What trains: threads of this process, other processes, or a cluster."""
    group = parser.add_argument_group("workers")
    group.add_argument(
        "--jobs",
        **cli.COUNT,
        default=cli.available_cores(),
        help="cohorts trained at the same time, one core each; the trials are the same for any "
        "number (default: the number of cores)",
    )
    group.add_argument(
        "--backend",
        metavar="NAME",
        default=Workers.backend,
        help="joblib backend, such as loky for processes, or MODULE:FUNCTION that registers one",
    )
    group.add_argument(
        "--dask", metavar="ADDRESS", help="train on the cluster of this Dask scheduler"
    )
    group.add_argument(
        "--trial-timeout",
        **cli.SECONDS,
        help="if a cohort takes longer, try it once more on another worker",
    )


def workers_of(args: argparse.Namespace) -> Workers:
    """The workers that the options of :func:`add_workers` name.

    Raises:
        StudyError: They name two kinds.
    """
    if args.dask is not None and args.backend != Workers.backend:
        raise StudyError(f"--backend {args.backend}: does nothing beside --dask: leave one out")
    files = tuple(path.absolute() for path in args.model_file)
    return Workers(args.jobs, args.backend, args.dask, args.trial_timeout, files)
