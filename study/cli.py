"""What the commands share: their options, and how they end.

Nothing here imports torch, so that every ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from study import interrupts
from study.errors import Bug, ResourceError, StudyError
from study.text import Formatter, complain, one_line, show_traceback
from study.training.protocol import Protocol
from study.training.registry import load_model_file
from study.workers import Workers

DEFAULT_STORAGE = "sqlite:///study.db"
_REPORT = "run it again with --debug, and report what that shows"


def run(command: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser) -> int:
    """Run a command; its exit status, with every failure on one line.

    Args:
        command: Takes the parsed arguments and returns an exit status.
        parser: Reads the command line.
    """
    try:
        with interrupts.raising():
            _prepare_streams()
            return _run(command, parser.parse_args())
    except interrupts.Interrupted as signalled:
        with suppress(OSError, StudyError):
            flush()
        interrupts.leave(signalled.number)


def _run(command: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    try:
        _require_folder()
        set_logging(args.verbose - args.quiet)
        for path in args.model_file:
            load_model_file(path)
        status = command(args)
        flush()
        return status
    except BrokenPipeError:  # who read it has seen enough
        return 0
    except Exception as error:
        if args.debug:
            sys.excepthook = show_traceback
            raise
        known = explained(error)
        complain(known)
        return known.status


def _prepare_streams() -> None:
    """Print to nowhere where a stream is closed, and ``?`` for what a locale can't write."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (to the process's end)
        elif hasattr(getattr(sys, name), "reconfigure"):  # not where a test listens
            getattr(sys, name).reconfigure(errors="replace")


def _require_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise StudyError("current folder: is gone: change to one that is there") from None


def flush() -> None:
    """Write what was printed, while a failure can still be told.

    Raises:
        BrokenPipeError: Nobody reads it any more.
        ResourceError: It can't be written.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise ResourceError(f"standard output: {error.strerror}: write it elsewhere") from error


def explained(error: Exception) -> StudyError:
    """The one-line error behind any other."""
    if isinstance(error, StudyError):
        return error
    from study.explain import explain

    return explain(error) or Bug(f"{type(error).__name__}: {error}: is a bug: {_REPORT}")


def set_logging(verbosity: int) -> None:
    """Let this process log as ``-v`` and ``-q`` say, on stderr: Optuna its warnings at most."""
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
    chosen = level.get(max(verbosity, -1), logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter("%(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger("study").setLevel(chosen)
    from optuna import logging as optuna_logging

    optuna_logging.set_verbosity(max(chosen, logging.WARNING))
    optuna_logging.disable_default_handler()  # it writes names as they are
    optuna_logging.enable_propagation()


def add_common(parser: argparse.ArgumentParser) -> None:
    """``--storage``, and the options of :func:`add_basics`."""
    parser.add_argument(
        "--storage",
        default=os.environ.get("OPTUNA_STORAGE") or DEFAULT_STORAGE,
        help="SQLite file or Optuna storage URL (default: $OPTUNA_STORAGE, else "
        f"{DEFAULT_STORAGE})",
    )
    add_basics(parser)


def add_basics(parser: argparse.ArgumentParser) -> None:
    """``--model-file``, ``-v``, ``-q`` and ``--debug``, which every command has."""
    parser.add_argument(
        "--model-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="Python file that registers models of your own; it is run as it is",
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more, on stderr")
    parser.add_argument("-q", "--quiet", action="count", default=0, help="log and show less")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Where the images come from and which two classes they are."""
    group = parser.add_argument_group("data")
    default = Protocol()
    group.add_argument(
        "--dataset",
        choices=("mnist", "fashion-mnist", "kmnist", "own"),
        default=default.dataset,
        help="whose official training files, or own: yours, in the same format "
        f"(default: {default.dataset})",
    )
    group.add_argument(
        "--digits",
        nargs=2,
        type=int,
        metavar=("A", "B"),
        default=default.classes,
        help="the two classes, told apart as 0 and 1 (default: 4 9)",
    )
    group.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="folder of the official training files, downloaded there if missing "
        "(default: the 4s and 9s inside the package)",
    )
    group.add_argument(
        "--n-train",
        type=positive_int,
        metavar="N",
        default=default.n_train,
        help=f"the first N images train, the rest validate (default: {default.n_train:,})",
    )


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """How every trial is trained."""
    group = parser.add_argument_group("training")
    default = Protocol()
    for name, help_text in (
        ("steps", "SGD updates of a trial"),
        ("batch_size", "images an update"),
        ("val_every", "updates from one validation to the next"),
    ):
        value = getattr(default, name)
        group.add_argument(
            f"--{name.replace('_', '-')}",
            type=positive_int,
            metavar="N",
            default=value,
            help=f"{help_text} (default: {value:,})",
        )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """What trains: threads here, other processes, or a cluster."""
    group = parser.add_argument_group("workers")
    default = Workers()
    group.add_argument(
        "--jobs",
        type=positive_int,
        metavar="N",
        default=available_cores(),
        help="cohorts trained at once, a core each; the trials are the same whatever it is "
        "(default: the number of cores)",
    )
    group.add_argument(
        "--backend",
        metavar="NAME",
        default=default.backend,
        help="joblib backend, such as loky for processes, or MODULE:FUNCTION that registers one "
        f"(default: {default.backend})",
    )
    group.add_argument(
        "--dask", metavar="ADDRESS", help="train on the cluster of this Dask scheduler"
    )
    group.add_argument(
        "--trial-timeout",
        type=positive_float,
        metavar="SECONDS",
        help="give a cohort that takes longer to another worker, once",
    )


def workers_of(args: argparse.Namespace) -> Workers:
    """The workers that the options name.

    Raises:
        StudyError: They name two kinds.
    """
    if args.dask is not None and args.backend != Workers.backend:
        raise StudyError(f"--backend {args.backend}: does nothing beside --dask: leave one out")
    files = tuple(path.absolute() for path in args.model_file)
    return Workers(args.jobs, args.backend, args.dask, args.trial_timeout, files)


def protocol_of(args: argparse.Namespace) -> Protocol:
    """The protocol that the options state.

    Raises:
        StudyError: A batch that is larger than the training set.
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


def changed(args: argparse.Namespace, **options: object) -> argparse.Namespace:
    """The options, some of them otherwise."""
    return argparse.Namespace(**vars(args) | options)


def positive_int(text: str) -> int:
    """An argparse type: a whole number, 1 or more."""
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def at_least_two(text: str) -> int:
    """An argparse type: a whole number, 2 or more, as a spread needs."""
    value = _whole(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"{text} is not 2 or more")
    return value


def seed(text: str) -> int:
    """An argparse type: a whole number, 0 or more."""
    value = _whole(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def positive_float(text: str) -> float:
    """An argparse type: a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
    return value


def fraction(text: str) -> float:
    """An argparse type: an error as a fraction, 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a fraction from 0 to 1 (2 % is 0.02)")
    return value


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """End with one line and status 2, as every other refusal does."""
        self.exit(2, f"study: {one_line(message)} (see {self.prog} --help)\n")


def new_parser(prog: str, description: str, epilog: Sequence[str] = ()) -> argparse.ArgumentParser:
    """A parser whose errors are one line."""
    return _Parser(
        prog=f"python -m {prog}",
        description=description,
        epilog="\n".join(epilog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
