"""What every kind of worker can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

LOCAL = "threading"  # joblib's name for threads of this process
Report = Callable[[float], None]
"""Called with the work done since the last call; a whole trial is 1."""
Trials = TypeVar("Trials", bound=Sequence[Any])


class Pool(Protocol):
    """Workers that are open."""

    def results(
        self,
        work: Callable[..., Trials],
        tasks: Sequence[Any],
        report: Report | None = None,
    ) -> Iterator[Trials]:
        """Yield what ``work`` returns for each task, in the tasks' order, as soon as possible.

        Args:
            work: A pure function of a module. Threads of this process pass it ``report`` as
                its second argument, if there is one.
            tasks: Arguments of ``work``, which can be pickled.
            report: Called as work is done; for processes of joblib's only when a task is done.

        Raises:
            StudyError: None of the workers can do a task.
            ResourceError: A task failed twice, or the cluster is gone.
        """
