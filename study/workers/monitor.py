"""What a search sees of a cluster's workers while they are at work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.workers.pool import Report


class Told:
    """What was told of each task's progress, so that a second try tells nothing twice."""

    def __init__(self, report: Report | None) -> None:
        self.report = report
        self.work: dict[int, float] = {}  # by a task's place

    def reached(self, place: int, work: float) -> None:
        """Tell how far a task is beyond what was told of it; ``work`` counts from its start."""
        more = work - self.work.get(place, 0.0)
        if self.report and more > 0:
            self.work[place] = work
            self.report(more)


class Heartbeats:
    """When each worker gave its last sign of life.

    The scheduler's clock is only compared with itself: how long ago a sign was is told by
    this process's.
    """

    def __init__(self) -> None:
        self.last: dict[str, tuple[float, float]] = {}  # by address: the scheduler's time, ours

    def silent(self, workers: Mapping[str, Mapping[str, Any]], patience: float) -> set[str]:
        """The workers that the scheduler has heard nothing of for ``patience`` seconds."""
        now = time.monotonic()
        for worker, about in workers.items():
            if worker not in self.last or self.last[worker][0] != about["last_seen"]:
                self.last[worker] = (about["last_seen"], now)
        return {worker for worker in workers if now - self.last[worker][1] > patience}
