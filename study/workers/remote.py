"""A task's way to another process and back."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from study.errors import Bug, ResourceError, StudyError, of_status
from study.explain import explain
from study.text import one_line
from study.training.registry import load_model_file
from study.workers import bootstrap

if TYPE_CHECKING:
    from study.workers.pool import Report, Trials

_PAUSE_S = 1.0  # between two words on a task's progress
_OPEN = "(exec(door, names), names['pass_through'](task, wanted, planner))[1]"
admitted: list[Mapping[str, str]] = []
"""What was found to be installed in this process as it was wanted, so as not to look again."""


class Unfit(Exception):
    """A worker that can't do the search's tasks, as one with other versions installed."""

    def __init__(self, worker: str, reason: str, status: int = StudyError.status) -> None:
        super().__init__(worker, reason, status)  # as it is unpickled
        self.worker, self.status = worker, status

    def __str__(self) -> str:
        return f"worker {self.worker}: {self.args[1]}"


class Hung(Unfit):
    """A worker that was at a task for too long, and still is."""


class Silent(Unfit):
    """A worker that gives no sign of life."""


class _TooLong(Exception):
    """The limit has passed."""


class Failed(Exception):
    """An error of a task's, in words: not every error can be pickled, or unpickled here."""

    def __init__(self, words: str, status: int = Bug.status) -> None:
        super().__init__(words, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


def said(error: Exception) -> str:
    """An error on one line."""
    kind = "" if isinstance(error, Unfit | Failed) else f"{type(error).__name__}: "
    return one_line(f"{kind}{error}")


def failed_twice(error: Exception) -> StudyError:
    """What ends a command whose task failed twice: of the kind of the task's own error.

    Any other error is the machine's, such as that of a worker that was killed.
    """
    status = error.status if isinstance(error, Failed) else ResourceError.status
    kind = of_status(status)
    end = ": is a bug: report it" if kind is Bug else ""
    return kind(f"a cohort failed twice: {said(error)}{end}")


@dataclass(frozen=True)
class Terms:
    """What another process has to know and to keep to."""

    limit: float | None  # seconds that a task may take; None for as long as it takes
    model_files: tuple[Path, ...]  # what registers models of a person's own
    wanted: Mapping[str, str]  # what the result's bits depend on, as it is where it was planned

    @classmethod
    def of(cls, limit: float | None, model_files: tuple[Path, ...]) -> Self:
        """These, with what is installed here."""
        from study.training.plan import versions

        names = [*versions(), bootstrap.SOURCE, *map(str, model_files)]
        return cls(limit, model_files, bootstrap.installed(names))


def sealed(
    work: Callable[..., Trials],
    task: object,
    terms: Terms,
    telling: tuple[str, int, int] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The arguments of ``eval`` that make another process pass its door and do ``task``.

    Args: See :func:`perform`.
    """
    names = {
        "door": _text(),
        "names": {"__name__": "door"},
        "task": pickle.dumps((work, task, terms, telling)),
        "wanted": dict(terms.wanted),
        "planner": os.getpid(),
    }
    return _OPEN, names


@cache
def _text() -> str:
    return Path(bootstrap.__file__).read_text()


def unsealed(answer: Mapping[str, Any]) -> Sequence[Any]:
    """The result in a process's answer.

    Raises:
        Unfit: The process can't do the search's tasks.
        Hung: The limit has passed. The work goes on in a thread that nobody waits for: the
            process is good for nothing more.
        Failed: The task has an error.
    """
    if "unfit" in answer:
        raise Unfit(answer["worker"], answer["unfit"], answer.get("status", StudyError.status))
    if "hung" in answer:
        raise Hung(answer["worker"], answer["hung"], ResourceError.status)
    if "failed" in answer:
        raise Failed(answer["failed"], answer["status"])
    result: Sequence[Any] = answer["result"]
    return result


def perform(
    work: Callable[..., Trials],
    task: object,
    terms: Terms,
    telling: tuple[str, int, int] | None = None,
) -> dict[str, Any]:
    """What ``work`` makes of ``task``, here, as :func:`unsealed` reads it.

    What was there where the task was planned, a file, data or a device, and is not here,
    makes this process unfit.

    Args:
        work: A pure function.
        task: Its argument.
        terms: What to load before, and when to give up.
        telling: On one of Dask's workers: the topic to tell of the progress under, and what
            to say before the work done; ``work`` gets its report as a second argument then.
    """
    arguments = (task,) if telling is None else (task, _reporter(*telling))
    try:
        for path in terms.model_files:
            load_model_file(path)
        if terms.limit is None:
            result = work(*arguments)
        else:
            result = _within(terms.limit, work, *arguments)
    except _TooLong:
        return {"hung": f"was at a cohort for more than {terms.limit:g} s"}
    except StudyError as error:
        return {"unfit": str(error), "status": error.status}
    except Exception as error:
        known = explain(error)
        return {"failed": said(error), "status": (known or Bug).status}
    return {"result": result, "processor": _processor()}


@cache
def _processor() -> str:
    from study.storage.machine import describe

    return str(describe()["processor"])


def _reporter(topic: str, *whose: int) -> Report:
    """Tells the search, once a second, of all the work done in the task."""
    from distributed import get_worker

    worker, done, last = get_worker(), 0.0, time.monotonic()

    def report(work: float) -> None:
        nonlocal done, last
        done += work
        if time.monotonic() - last >= _PAUSE_S:
            last = time.monotonic()
            worker.log_event(topic, (*whose, done))

    return report


def _within(limit: float, work: Callable[..., Trials], *arguments: object) -> Trials:
    answers: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((work(*arguments), None))
        except Exception as error:
            answers.put((None, error))

    Thread(target=answer, daemon=True).start()
    try:
        result, error = answers.get(timeout=limit)
    except Empty:
        raise _TooLong from None
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]
