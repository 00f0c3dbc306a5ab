"""The options that several commands share, and what they mean.

Each ``add_…`` adds options to a parser, and the function below it turns their values into what
the code takes. Nothing here imports torch, so that every ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study import cli, system
from study.dataset.normalisation import KINDS
from study.errors import StudyError
from study.text import say
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
    """Which images or rows are used, and which two classes of them."""
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
    group.add_argument(
        "--label",
        metavar="COLUMN",
        help="the column of a .csv or .parquet file that has the labels (default: the last)",
    )
    group.add_argument(
        "--classes",
        nargs=2,
        metavar=("A", "B"),
        help="the two labels in --data; A gets label 0 and B gets label 1 (default: the two that "
        "there are, the smaller first)",
    )
    group.add_argument(
        "--n-train",
        **cli.COUNT,
        help="train on the first N images or rows, validate on the others (default: "
        f"{default.n_train:,}; 85 %% of --data)",
    )
    _add_treatment(group)


def _add_treatment(group: argparse._ActionsContainer) -> None:
    """The order of images or rows, and how they are normalised."""
    group.add_argument(
        "--order",
        type=_order,
        metavar="{file,SEED}",
        help="file: as it is; a seed: shuffled, with the same share of each class in training and "
        "validation (default: file; 0 with --data)",
    )
    group.add_argument(
        "--normalisation",
        choices=KINDS,
        help="image: each by its own mean and standard deviation; columns: each column by those "
        "of the training part (default: image; columns for a table)",
    )


def _order(text: str) -> int | str:
    return text if text == "file" else cli.seed(text)


def add_data_root(parser: argparse._ActionsContainer, when: str) -> None:
    """``--data-root`` and ``--data``; ``when`` ends the first's help: when it is needed."""
    help_text = f"folder of the official training files, {when}"
    parser.add_argument("--data-root", type=Path, action=_Place, metavar="DIR", help=help_text)
    parser.add_argument(
        "--data",
        type=Path,
        action=_Place,
        metavar="FILE",
        help="your own data instead: a .npz (X, y), .csv or .parquet file, or a folder of images "
        "DIR/class/*.png",
    )


class _Place(argparse.Action):
    """``--data-root`` or ``--data``: both are where the data lies, so only one can be given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Set it, and with ``--data`` the root that workers read from, too."""
        is_own = self.dest == "data"
        if (namespace.data_root is not None) and (namespace.data is None) == is_own:
            parser.error("--data and --data-root: are both where the data lies: name one")
        setattr(namespace, self.dest, values)
        namespace.data_root = values


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """How every trial is trained."""
    group, default = parser.add_argument_group("training"), Protocol()
    group.add_argument(
        "--steps", **cli.COUNT, default=default.steps, help="SGD updates of each trial"
    )
    group.add_argument(
        "--batch-size",
        **cli.COUNT,
        help=f"images or rows in each update (default: {default.batch_size}; with --data at most "
        "a tenth of the training rows)",
    )
    group.add_argument(
        "--val-every",
        **cli.COUNT,
        default=default.val_every,
        help="updates from one validation to the next",
    )
    parser.set_defaults(protocol=None)  # found once, by :func:`protocol_of`


def protocol_of(args: argparse.Namespace) -> Protocol:
    """The protocol that the options of :func:`add_data` and :func:`add_protocol` state.

    Of ``--data`` it is read from the data, once: its number of rows decides the defaults. Then
    it is told on one line.

    Raises:
        StudyError: A batch is larger than the training set, an option does nothing, or the
            person's own data can't be used.
    """
    if args.protocol is not None:
        known: Protocol = args.protocol
        return known
    found, words = (_official(args), "") if args.data is None else _own(args)
    require_batch(found)
    if words and not args.quiet:
        say(words)
    args.protocol = found
    return found


def require_batch(protocol: Protocol) -> None:
    """Refuse a batch that is larger than the training set.

    Raises:
        StudyError: It is.
    """
    if protocol.batch_size > protocol.n_train:
        raise StudyError(
            f"--batch-size {protocol.batch_size}: more than the {protocol.n_train} training "
            f"{protocol.items}: batches are drawn without replacement"
        )


def _official(args: argparse.Namespace) -> Protocol:
    for option in ("label", "classes"):
        if getattr(args, option):
            raise StudyError(f"--{option}: is for --data alone: leave it out")
    first, second = args.digits
    return Protocol(
        dataset=args.dataset,
        classes=(first, second),
        n_train=args.n_train or Protocol.n_train,
        steps=args.steps,
        batch_size=args.batch_size or Protocol.batch_size,
        val_every=args.val_every,
        normalisation=args.normalisation or Protocol.normalisation,
        order=None if args.order == "file" else args.order,
    )


def _own(args: argparse.Namespace) -> tuple[Protocol, str]:
    """The protocol for the person's own data, and what to tell of it."""
    for option, default in (("dataset", Protocol.dataset), ("digits", Protocol.classes)):
        if getattr(args, option) != default:
            raise StudyError(f"--{option}: is not for --data: leave it out")
    return own_data_of(args).protocol(args.data.absolute())


@dataclass(frozen=True)
class OwnData:
    """How a person's own data is used, whichever file or folder it is."""

    label: str  # the column with the labels; empty for the last
    request: Mapping[str, Any]  # of study.dataset.Choice.of
    training: Mapping[str, int]  # fields of the protocol that are no defaults

    def protocol(self, path: Path) -> tuple[Protocol, str]:
        """The protocol for a file or folder, and what to tell of it, on one line.

        Raises:
            StudyError: The data can't be used.
            ResourceError: It can't be read.
        """
        from study.training.loading import own_protocol

        return own_protocol(path, self.label, self.request, self.training)


def own_data_of(args: argparse.Namespace) -> OwnData:
    """How the options say to use a person's own data."""
    names = ("classes", "n_train", "normalisation", "order")
    training = {"steps": args.steps, "val_every": args.val_every}
    if args.batch_size:
        training["batch_size"] = args.batch_size
    request = {name: getattr(args, name) for name in names}
    return OwnData(args.label or "", request, training)


def add_workers(parser: argparse.ArgumentParser) -> None:
    """What trains: this process, other processes, or a cluster."""
    group = parser.add_argument_group("workers")
    group.add_argument(
        "--jobs",
        **cli.COUNT,
        default=system.available_cores(),
        help="cohorts trained at the same time, each by a process on one core; the trials are the "
        "same for any number (default: the number of cores)",
    )
    group.add_argument(
        "--backend",
        metavar="NAME",
        default=Workers.backend,
        help="local: processes forked from one that has loaded the data; or a joblib backend "
        "(loky, threading), or MODULE:FUNCTION that registers one",
    )
    group.add_argument(
        "--dask", metavar="ADDRESS", help="train on the cluster of this Dask scheduler"
    )
    group.add_argument(
        "--trial-timeout",
        **cli.SECONDS,
        help="if a cohort takes longer, end its worker and try it once more on another one",
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
