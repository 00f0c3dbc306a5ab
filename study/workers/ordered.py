"""Tasks that are done on several threads, and their results in the tasks' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from study.workers.monitor import ProgressTracker
from study.workers.pool import Report, Trials

IN_FLIGHT = 4
"""Tasks a thread that are handed over before their results are taken: enough that a long one holds
up no other thread, and few enough that their results fit into memory."""

_LOOK_S = 1.0  # on Windows a thread that waits does not hear Ctrl-C


def in_order(
    threads: ThreadPoolExecutor,
    jobs: int,
    do: Callable[[Any, Report], Trials],
    tasks: Iterable[Any],
    report: Report | None,
) -> Iterator[Trials]:
    """Yield what ``do`` returns for each task, in their order; ``report`` is called here.

    Args:
        threads: What calls ``do``.
        jobs: How many of them there are. At most four times as many tasks are taken from
            ``tasks`` beyond those whose results were yielded.
        do: Takes a task, and a function to be called with all the work that is done of it.
        tasks: Taken as they are needed, by the caller's thread.
        report: See :class:`study.workers.pool.Pool`.
    """
    events: SimpleQueue[tuple[int, float] | None] = SimpleQueue()
    tracker, left = ProgressTracker(report), enumerate(tasks)
    waiting: deque[Future[Trials]] = deque()

    def done(index: int, task: object) -> Trials:
        result = do(task, lambda work: events.put((index, work)))
        events.put((index, len(result)))
        return result

    try:
        while True:
            for index, task in islice(left, IN_FLIGHT * jobs - len(waiting)):
                waiting.append(threads.submit(done, index, task))
                waiting[-1].add_done_callback(lambda _: events.put(None))
            if not waiting:
                return
            while not waiting[0].done() or not events.empty():
                with suppress(Empty):
                    if event := events.get(timeout=_LOOK_S):
                        tracker.update(*event)
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
