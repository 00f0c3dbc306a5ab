"""What runs in another process: check that it is the same program, then do the task."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from study.objective import load_model_file

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


@dataclass(frozen=True)
class Terms:
    """What another process has to know and to keep to."""

    limit: float | None  # seconds that a task may take; None for as long as it takes
    model_files: tuple[Path, ...]  # what registers models of a person's own
    versions: Mapping[str, str]  # of what the result's bits depend on, where it was planned

    @classmethod
    def of(cls, limit: float | None, model_files: tuple[Path, ...]) -> Self:
        """These, with the versions that are installed here."""
        return cls(limit, model_files, _versions(model_files))


def perform(work: Callable[..., Trials], task: object, terms: Terms) -> Trials:
    """What ``work`` makes of ``task``, here.

    Args:
        work: A pure function.
        task: Its argument.
        terms: What to load and check before, and when to give up.

    Raises:
        StudyError: A model file is not here, or can't be run.
        Unfit: Other versions are installed here.
        Hung: The limit has passed. The work goes on in a thread that nobody waits for: the
            process is good for nothing more.
    """
    _require_same(terms)
    for path in terms.model_files:
        load_model_file(path)
    return work(task) if terms.limit is None else _within(terms.limit, work, task)


def _versions(model_files: tuple[Path, ...]) -> dict[str, str]:
    """Of the packages, and the digests of the files that are there."""
    from study.search.plan import versions

    there = [path for path in model_files if path.is_file()]
    return versions() | {str(p): hashlib.sha256(p.read_bytes()).hexdigest()[:12] for p in there}


def _require_same(terms: Terms) -> None:
    here = _versions(terms.model_files)
    other = [
        f"{name} {here.get(name, 'not at all')}, not {wanted}"
        for name, wanted in terms.versions.items()
        if here.get(name) != wanted
    ]
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
