"""A task's way to another process and back."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Thread
from traceback import format_exc
from typing import Any, Self

from study.errors import Bug, ResourceError, StudyError, of_status
from study.explain import explain
from study.text import one_line
from study.training.registry import load_model_file
from study.training.work import shared
from study.workers import bootstrap
from study.workers.pool import Report, Trials

_PAUSE_S = 1.0  # from one report of a task's progress to the next
_CALL = "(exec(text, names), names['run_task'](task, versions, planner))[1]"

Topic = tuple[str, int, int]
"""Where a worker of Dask's reports its progress: the topic, the round, the task's index."""


class Unfit(Exception):
    """A worker can't do the search's tasks: it has other versions, say, or lacks a file."""

    def __init__(self, worker: str, reason: str, status: int = StudyError.status) -> None:
        super().__init__(worker, reason, status)  # as it is unpickled
        self.worker, self.status = worker, status

    def __str__(self) -> str:
        return f"worker {self.worker}: {self.args[1]}"


class Hung(Unfit):
    """A worker has exceeded the time limit of a task, and is still busy with it."""


class Failed(Exception):
    """The error of a task as text, since not every error can be pickled, or unpickled here."""

    def __init__(self, message: str, status: int = Bug.status) -> None:
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class _TimeIsOver(Exception):
    """A task has exceeded its time limit."""


def described(error: Exception) -> str:
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
    return kind(f"a cohort failed twice: {described(error)}{end}")


@dataclass(frozen=True)
class TaskRequirements:
    """What another process must have and keep to, so that a task's result is the same there."""

    limit: float | None  # seconds that a task may take; None: any time
    model_files: tuple[Path, ...]  # that register a person's own models
    versions: Mapping[str, str]  # of all that the result's bits depend on
    folder: Path | None = None  # that the processes of a pool share on one machine

    @classmethod
    def of(cls, limit: float | None, model_files: tuple[Path, ...]) -> Self:
        """These, with the versions that are installed here."""
        from study.version import versions

        names = [*versions(), bootstrap.SOURCE, *map(str, model_files)]
        return cls(limit, model_files, bootstrap.installed(names))


def encode_task(
    work: Callable[..., Trials],
    task: object,
    requirements: TaskRequirements,
    topic: Topic | None = None,
) -> tuple[str, dict[str, Any]]:
    """The arguments of ``eval`` that make another process call :func:`perform`.

    The process first runs the text of :mod:`study.workers.bootstrap`, which compares versions.

    Args: See :func:`perform`.
    """
    names = {
        "text": _bootstrap_text(),
        "names": {"__name__": bootstrap.__name__},
        "task": pickle.dumps((perform, work, task, requirements, topic)),
        "versions": dict(requirements.versions),
        "planner": os.getpid(),
    }
    return _CALL, names


@cache
def _bootstrap_text() -> str:
    return Path(bootstrap.__file__).read_text(encoding="utf-8")


def decode_result(found: Mapping[str, Any]) -> Sequence[Any]:
    """The result in a process's answer.

    Raises:
        Unfit: The process can't do the search's tasks.
        Hung: The task has exceeded its limit. Its thread in the process goes on, so the
            process can't be used for other tasks.
        Failed: The task raised an error.
    """
    if "failed" in found:
        error = Failed(found["failed"], found["status"])
        error.add_note(found["trace"])  # which --debug shows
        raise error
    if "hung" in found:
        raise Hung(found["worker"], found["hung"], ResourceError.status)
    if "unfit" in found:
        raise Unfit(found["worker"], found["unfit"], found.get("status", StudyError.status))
    result: Sequence[Any] = found["result"]
    return result


def perform(
    work: Callable[..., Trials], task: object, requirements: TaskRequirements, topic: Topic | None
) -> dict[str, Any]:
    """Call ``work`` with ``task`` in this process; an answer that :func:`decode_result` reads.

    A StudyError makes this process unfit: a file, data or a device that was there where the
    task was planned is missing here.

    Args:
        work: A pure function.
        task: Its argument.
        requirements: Which model files to load before, and the time limit.
        topic: On a worker of Dask's, where to report the progress; ``work`` then gets a report
            function as its second argument.
    """
    arguments = (task,) if topic is None else (task, _reporter(*topic))

    def train() -> Trials:
        shared[:] = [requirements.folder] if requirements.folder else []
        for path in requirements.model_files:
            load_model_file(path)
        return work(*arguments)

    try:
        found = _call_within(requirements.limit, partial(answer, train))
    except _TimeIsOver:
        return {"hung": f"was at a cohort for more than {requirements.limit:g} s"}
    return found | {"processor": _processor()} if "result" in found else found


def answer(call: Callable[[], Trials]) -> dict[str, Any]:
    """What ``call`` returns or raises, as :func:`decode_result` reads it."""
    try:
        return {"result": call()}
    except StudyError as error:
        return {"unfit": str(error), "status": error.status}
    except Exception as error:
        status = (explain(error) or Bug).status
        return {"failed": described(error), "status": status, "trace": format_exc()}


@cache
def _processor() -> str:
    from study.storage.machine import describe

    return str(describe()["processor"])


def _reporter(topic: str, round_number: int, index: int) -> Report:
    """A function that sends the search, once a second, all the work done in the task."""
    from distributed import get_worker

    worker, done, last = get_worker(), 0.0, time.monotonic()

    def report(work: float) -> None:
        nonlocal done, last
        done += work
        if time.monotonic() - last >= _PAUSE_S:
            last = time.monotonic()
            worker.log_event(topic, (round_number, index, done))

    return report


def _call_within(limit: float | None, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``call`` returns, if it does within ``limit`` seconds."""
    if limit is None:
        return call()
    future: Future[dict[str, Any]] = Future()
    Thread(target=lambda: future.set_result(call()), daemon=True).start()
    if not wait([future], limit).done:
        raise _TimeIsOver
    return future.result()
