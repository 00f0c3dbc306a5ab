"""This process: one task at a time, or threads, which torch lets go on while it computes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from study.errors import StudyError
from study.workers.ordered import in_order
from study.workers.pool import Report, Trials

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Here:
    """This process does one task at a time, in the thread that asks for its result."""

    def __init__(self) -> None:
        self.lock = Lock()

    def results(
        self, work: Callable[..., Trials], tasks: Iterable[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""
        more = () if report is None else (report,)
        for task in tasks:
            with self.lock:
                result = try_twice(work, task, *more)
            yield result


@contextmanager
def threads(jobs: int) -> Iterator[Threads]:
    """So many threads."""
    pool = Threads(jobs)
    try:
        yield pool
    finally:
        pool.threads.shutdown(wait=False, cancel_futures=True)


class Threads:
    """``jobs`` threads of this process."""

    def __init__(self, jobs: int) -> None:
        self.jobs, self.threads = jobs, ThreadPoolExecutor(jobs)

    def results(
        self, work: Callable[..., Trials], tasks: Iterable[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""

        def do(task: object, told: Report) -> Trials:
            done = 0.0

            def add(work: float) -> None:
                nonlocal done
                done += work
                told(done)

            more = () if report is None else (add,)
            return try_twice(work, task, *more)

        return in_order(self.threads, self.jobs, do, tasks, report)


def try_twice(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return what ``work`` returns, at the first try or the second.

    A worker or its device can be out of memory for a moment. The work is a pure function, so
    the second try gives what the first would have given.
    """
    try:
        return work(*arguments, **options)
    except StudyError:
        raise
    except Exception as error:
        _log.warning("a cohort failed and is tried once more: %s: %s", type(error).__name__, error)
    return work(*arguments, **options)
