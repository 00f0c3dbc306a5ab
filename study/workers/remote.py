"""What runs in another process: check that it is the same program, then do the task."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.workers.pool import Trials


class Unfit(Exception):
    """A worker that another version of the search's programs is installed on."""

    def __init__(self, worker: str, reason: str) -> None:
        super().__init__(worker, reason)  # what pickling keeps
        self.worker, self.reason = worker, reason

    def __str__(self) -> str:
        return f"worker {self.worker}: {self.reason}"


class Hung(Unfit):
    """A worker that was at a task for too long, and still is."""


def said(error: Exception) -> str:
    """An error on one line."""
    kind = "" if isinstance(error, Unfit) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())


def perform(
    work: Callable[..., Trials], task: object, versions: Mapping[str, str], limit: float | None
) -> Trials:
    """What ``work`` makes of ``task``, here.

    Args:
        work: A pure function.
        task: Its argument.
        versions: Of the packages that the result's bits depend on, where it was planned.
        limit: Seconds that it may take; ``None`` for as long as it takes.

    Raises:
        Unfit: Other versions are installed here.
        Hung: The limit has passed. The work goes on in a thread that nobody waits for: the
            process is good for nothing more.
    """
    _require_same(versions)
    return work(task) if limit is None else _within(limit, work, task)


def _require_same(versions: Mapping[str, str]) -> None:
    from study.search.plan import versions as installed

    here = installed()
    other = [f"{n} {here[n]}, not {wanted}" for n, wanted in versions.items() if here[n] != wanted]
    if other:
        raise Unfit(_name(), f"has {', '.join(other)}: install the search's versions there")


def _within(limit: float, work: Callable[..., Trials], task: object) -> Trials:
    answers: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((work(task), None))
        except Exception as error:
            answers.put((None, error))

    Thread(target=answer, daemon=True).start()
    try:
        result, error = answers.get(timeout=limit)
    except Empty:
        raise Hung(_name(), f"was at a cohort for more than {limit:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _name() -> str:
    """This worker, as a person or its scheduler would name it."""
    if "distributed" in sys.modules:
        from distributed import get_worker

        try:
            return str(get_worker().address)
        except ValueError:  # not one of Dask's
            pass
    return f"pid {os.getpid()} on {socket.gethostname()}"
