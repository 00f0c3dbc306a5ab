"""What every kind of worker can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

LOCAL = "local"  # processes forked from a server; in its place where there can't be one: loky
THREADS = "threading"  # of this process: joblib's name
Report = Callable[[float], None]
"""Called with the work done since the last call; a whole trial is 1."""
Trials = TypeVar("Trials", bound=Sequence[Any])


class Pool(Protocol):
    """Workers that are open."""

    def results(
        self,
        work: Callable[..., Trials],
        tasks: Iterable[Any],
        report: Report | None = None,
    ) -> Iterator[Trials]:
        """Yield what ``work`` returns for each task, in the tasks' order, as soon as possible.

        Several threads may call it at once. The tasks that were taken and whose results were not
        yielded are at most four a worker; joblib's backends take all of them.

        Args:
            work: A pure function of a module. If there is a ``report``, it is given a function
                like it as its second argument, in this process and those forked for it.
            tasks: Arguments of ``work``, which can be pickled. They are taken in the thread that
                asks for the results.
            report: Called as work is done, in that thread; by joblib's processes only when a
                task is done.

        Raises:
            StudyError: None of the workers can do a task.
            ResourceError: A task failed twice, or the cluster is gone.
        """
