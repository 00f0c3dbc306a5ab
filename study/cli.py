"""How a command runs and ends: exit status, one-line errors, logging, and its parser.

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

from study import interrupts
from study.errors import Bug, ResourceError, StudyError
from study.text import Formatter, complain, one_line, show_traceback

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
