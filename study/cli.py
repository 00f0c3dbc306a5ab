"""How a command reads its numbers, runs, logs and ends.

Nothing here imports torch, so that every ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import codecs
import errno
import itertools
import logging
import math
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from study import interrupts
from study.errors import Bug, ResourceError, StudyError
from study.text import (
    Formatter,
    complain,
    did_you_mean,
    in_ascii,
    one_line,
    say,
    show_traceback,
)
from study.version import version

Number = TypeVar("Number", int, float)
_REPORT = "run it again with --debug, and report what that shows"


def run(
    command: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None = None,
) -> int:
    """Run a command and return its exit status; every failure is printed on one line.

    Args:
        command: Takes the parsed arguments and returns an exit status.
        parser: From :func:`new_parser`.
        arguments: The command line; by default that of this process.
    """
    try:
        with interrupts.raising():
            _prepare_streams()
            return _run(command, parser.parse_args(arguments))
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
    """Print to nowhere where a stream is closed, and in ASCII what a locale can't write."""
    codecs.register_error("study", in_ascii)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (to the process's end)
            setattr(sys, name, nowhere)
        elif hasattr(getattr(sys, name), "reconfigure"):  # not where a test listens
            getattr(sys, name).reconfigure(errors="study")


def _require_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise StudyError("current folder: was removed: change to a folder that exists") from None


def flush() -> None:
    """Write what was printed, while a failure can still be reported.

    Raises:
        BrokenPipeError: The reader has closed the pipe.
        ResourceError: It can't be written.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        on_windows = sys.platform == "win32" and error.errno == errno.EINVAL
        if isinstance(error, BrokenPipeError) or on_windows:
            raise BrokenPipeError from error
        raise ResourceError(f"standard output: {error.strerror}: write it elsewhere") from error


def explained(error: Exception) -> StudyError:
    """The one-line error for any exception."""
    if isinstance(error, StudyError):
        return error
    from study.explain import explain

    return explain(error) or Bug(f"{type(error).__name__}: {error}: is a bug: {_REPORT}")


def set_logging(verbosity: int) -> None:
    """Log to stderr as ``-v`` and ``-q`` ask; of Optuna's messages only warnings and errors."""
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
    chosen = level.get(max(verbosity, -1), logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter("%(name)s: %(message)s"))
    handler.addFilter(_Once())
    logging.basicConfig(handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger("study").setLevel(chosen)
    from optuna import logging as optuna_logging

    optuna_logging.set_verbosity(max(chosen, logging.WARNING))
    optuna_logging.disable_default_handler()  # it does not escape control characters in names
    optuna_logging.enable_propagation()


class _Once:
    """A filter of the log: a command says once which versions trained a study."""

    def __init__(self) -> None:
        self.logged: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be shown."""
        message = record.getMessage()
        is_known = record.name == "study.versions" and message in self.logged
        self.logged.add(message)
        return not is_known


class _Help(argparse.RawDescriptionHelpFormatter):
    """A formatter that adds the default to an option's help, where the help does not say it."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text, value = action.help or "", action.default
        if action.nargs == 0 or value is None or value == [] or "(default: " in text:
            return text
        words = value if isinstance(value, tuple) else (value,)
        shown = " ".join(f"{x:,}" if isinstance(x, int) else str(x) for x in words)
        return f"{text} (default: {shown})"


class Parser(argparse.ArgumentParser):
    """A parser that takes no abbreviation, and answers a wrong word with the nearest right one."""

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """As argparse does. What is no option is refused first: other errors may follow."""
        words = sys.argv[1:] if args is None else [*args]
        for word in itertools.takewhile(lambda word: word != "--", words):
            if word.startswith("--") and " " not in word:
                self._require_option(word.partition("=")[0])
        found, unknown = self.parse_known_args(words, namespace)
        if unknown:
            self._require_option(unknown[0].partition("=")[0] if unknown[0][:1] == "-" else "")
            self.error(f"{unknown[0]}: is one word too many")
        return found

    def error(self, message: str) -> NoReturn:
        """End with one line and status 2, as every other refusal does."""
        self.refuse(f"{message} (see {self.prog} --help)")

    def refuse(self, message: str) -> NoReturn:
        """The same without a reference to the help."""
        self.exit(2, f"study: {one_line(message)}\n")

    def _require_option(self, word: str) -> None:
        known = {text for action in self._actions for text in action.option_strings}
        if word and word not in known:
            near = did_you_mean(word, known, f"see {self.prog} --help")
            self.refuse(f"{word}: is no option: {near}")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse what is none of an option's choices."""
        if action.choices is not None and value not in action.choices:
            names = [*map(str, action.choices)]
            near = did_you_mean(str(value), names, "name one of them")
            listed = f"is not one of {', '.join(names)}"
            self.refuse(f"{action.option_strings[-1]} {value}: {listed}: {near}")


class _Version(argparse.Action):
    """``--version``: looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print the package's version, and end."""
        say(f"study {version()}")
        parser.exit()


def new_parser(module: str, description: str, epilog: Sequence[str] = ()) -> Parser:
    """A parser whose errors are one line, with the options that every command has.

    Args:
        module: That starts the command, such as ``study.search``.
        description: What the command does.
        epilog: Lines below the options.
    """
    parser = Parser(
        prog=f"python -m {module}",
        description=description,
        epilog="\n".join(epilog),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more, on stderr")
    parser.add_argument(
        "-q", "--quiet", action="count", default=0, help="log less, and show no progress"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument(
        "--version",
        action=_Version,
        nargs=0,
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        help="show the version, and end",
    )
    return parser


def _number(
    kind: Callable[[str], Number], accepts: Callable[[Number], bool], what: str
) -> Callable[[str], Number]:
    """An argparse type: a number that is accepted, or else is said not to be ``what``."""

    def read(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            word = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a {word}") from None
        if not accepts(value):
            raise argparse.ArgumentTypeError(f"{text[:40]} is not {what}")
        return value

    return read


positive_int = _number(int, lambda n: n >= 1, "1 or more")
at_least_two = _number(int, lambda n: n >= 2, "2 or more")  # a standard deviation needs two
seed = _number(int, lambda n: n >= 0, "0 or more")
positive_float = _number(float, lambda x: 0 < x < math.inf, "a finite number above 0")
fraction = _number(float, lambda x: 0 <= x <= 1, "a fraction from 0 to 1 (2 % is 0.02)")

COUNT: dict[str, Any] = {"type": positive_int, "metavar": "N"}  # keywords of an option
SECONDS: dict[str, Any] = {"type": positive_float, "metavar": "SECONDS"}
