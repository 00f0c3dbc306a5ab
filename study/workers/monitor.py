"""What a search knows of a cluster's workers while they train."""

from __future__ import annotations

import time
from collections.abc import Mapping
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from study.workers.pool import Report

if TYPE_CHECKING:
    from distributed import Future


class ProgressTracker:
    """Reports the progress of tasks, so that a second try reports nothing twice."""

    def __init__(self, report: Report | None) -> None:
        self.report = report
        self.work: dict[int, float] = {}  # reported so far, by a task's index

    def update(self, index: int, work: float) -> None:
        """Report how much more is done of a task; ``work`` is all that is done of it."""
        more = work - self.work.get(index, 0.0)
        if self.report and more > 0:
            self.work[index] = work
            self.report(more)


class Round:
    """A call of a cluster's ``results``, beside others on other threads."""

    def __init__(self, number: int) -> None:
        self.number, self.looked = number, time.monotonic()  # for workers that are silent
        # Tasks that have ended, and (task's index, work done) of those that go on
        self.events: SimpleQueue[Future[Any] | tuple[int, float]] = SimpleQueue()


class Heartbeats:
    """When each worker gave its last sign of life.

    The scheduler's clock may differ from this machine's. So its times are only compared with
    one another, and this process's clock measures how long they have been the same.
    """

    def __init__(self) -> None:
        self.last: dict[str, tuple[float, float]] = {}  # by address: the scheduler's time, ours

    def silent(self, workers: Mapping[str, Mapping[str, Any]], patience: float) -> set[str]:
        """The workers that the scheduler has not heard of for ``patience`` seconds."""
        now = time.monotonic()
        for worker, about in workers.items():
            if worker not in self.last or self.last[worker][0] != about["last_seen"]:
                self.last[worker] = (about["last_seen"], now)
        return {worker for worker in workers if now - self.last[worker][1] > patience}
