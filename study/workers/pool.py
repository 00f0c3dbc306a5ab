"""The workers that a command names, and what all kinds of them can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from study.errors import StudyError

if TYPE_CHECKING:
    from study.workers.remote import Terms

LOCAL = "threading"  # joblib's name for threads of this process
Report = Callable[[float], None]
"""Told of the trials' worth of work done since it was told last."""
Trials = TypeVar("Trials", bound=Sequence[Any])


class Pool(Protocol):
    """Workers that are there."""

    def results(
        self,
        work: Callable[..., Trials],
        tasks: Sequence[Any],
        report: Report | None = None,
    ) -> Iterator[Trials]:
        """What ``work`` makes of each task, in the tasks' order, each as soon as it can be.

        Args:
            work: A pure function, by name in a module. On threads it gets ``report`` as its
                second argument, where there is one.
            tasks: What can be pickled.
            report: Told of the progress; from other processes only when a task is done.

        Raises:
            StudyError: A task can't be done by any worker that is there.
            ResourceError: A task failed twice, or the cluster is gone.
        """


@dataclass(frozen=True)
class Workers:
    """What trains the cohorts; nothing here changes a result."""

    jobs: int = 1  # cohorts at once; a Dask cluster takes as many as it has threads
    backend: str = LOCAL  # a joblib backend, or MODULE:FUNCTION that registers one
    dask: str | None = None  # the address of a scheduler
    trial_timeout: float | None = None  # seconds that a cohort may take
    model_files: tuple[Path, ...] = ()  # what other processes load too

    @contextmanager
    def open(self) -> Iterator[Pool]:
        """The workers, for the length of the block.

        Raises:
            StudyError: They can't be had as they are named; the message says why.
            ResourceError: No scheduler answers.
        """
        if self.dask is not None:
            from study.workers import cluster

            with cluster.connected(self.dask, self._terms()) as pool:
                yield pool
        elif self.backend != LOCAL:
            from study.workers.processes import Processes

            yield Processes.named(self.backend, self.jobs, self._terms())
        elif self.trial_timeout is not None:
            raise StudyError(
                "--trial-timeout: a thread of this process can't be stopped: pass --dask, or "
                "--backend loky for processes"
            )
        else:
            from study.workers.threads import Threads

            yield Threads(self.jobs)

    def _terms(self) -> Terms:
        from study.workers.remote import Terms

        return Terms.of(self.trial_timeout, self.model_files)
