"""Ctrl-C and SIGTERM end a command in one line and the status that shells expect.

While a command runs, they raise an exception (:func:`raising`). Before that, while its libraries
are loaded, there is nothing to clean up, and they end the process at once (:func:`end_at_once`).
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from study.system import KILL

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}

_TRACKER = "ignore:resource_tracker"


class Interrupted(BaseException):
    """A signal, as an exception of the command that it interrupts."""

    def __init__(self, number: int) -> None:
        self.number = number


def end_at_once() -> None:
    """From now on, the signals end the process."""
    silence_trackers()
    _handle(lambda number, frame: leave(number))


def silence_trackers() -> None:
    """Let no process that removes what a killed one leaves list it.

    Python and loky start one each for semaphores and files; it inherits this process's options.
    """
    if _TRACKER not in sys.warnoptions:
        sys.warnoptions.append(_TRACKER)


@contextmanager
def raising() -> Iterator[None]:
    """In the block, the signals raise :class:`Interrupted`."""
    before = {number: signal.getsignal(number) for number in _WORDS}
    _handle(_raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes that are started in the block ignore Ctrl-C, which a terminal sends to them too.

    They inherit how this process handles signals, so it ignores Ctrl-C meanwhile.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if sys.platform != "win32":

    @contextmanager
    def held_back() -> Iterator[None]:
        """The signals wait for this thread until the block ends, and never reach its children.

        A process inherits which signals wait. Unlike :func:`kept_from_children`, any thread may
        use it.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _WORDS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave(number: int) -> NoReturn:
    """End the process without waiting for workers that train.

    Threads end with the process, and so do the workers of :mod:`study.workers.local`. Child
    processes are killed, since those of loky would wait for work for minutes.
    """
    for other in _WORDS:
        signal.signal(other, signal.SIG_IGN)  # once is enough
    words = _WORDS[signal.Signals(number)]
    os.write(2, f"study: {words}: finished trials are kept; run it again to go on\n".encode())
    if "multiprocessing" in sys.modules:
        for child in sys.modules["multiprocessing"].active_children():
            with suppress(OSError):  # it has ended
                os.kill(child.pid, KILL)  # its own kill() is missing in loky's
    os._exit(128 + number)


def _handle(handler: "signal._HANDLER") -> None:
    for number in _WORDS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup, or a shell's &
            signal.signal(number, handler)


def _raise(number: int, frame: FrameType | None) -> None:
    threading.excepthook = lambda _: None  # loky's threads may stumble over their processes' end
    logging.disable()  # a thread that searches may stumble over its cluster's end
    raise Interrupted(number)
