"""A Dask cluster: the extra ``cluster``.

Tasks are submitted one by one rather than through joblib's Dask backend, whose first failure
ends them all: so one cohort can be tried again, one worker left out, and a worker that joins
late takes what is left.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from study.errors import ResourceError, StudyError, of_status
from study.workers.monitor import Heartbeats, Told
from study.workers.remote import Hung, Silent, Terms, Unfit, failed_twice, said, sealed, unsealed

if TYPE_CHECKING:
    from distributed import Client, Future

    from study.workers.pool import Report, Trials

    News = SimpleQueue[Future[Any] | tuple[int, int, float]]
    """Tasks that have ended, and (a round, the place of a task in it, the work done)."""

PATIENCE_S = 10.0  # how long a scheduler may take to answer, or a worker to come
RESTART_S = 60.0  # how long a nanny may take to start a worker anew
SILENCE_S = 30.0  # how long a worker may give no sign of life; a cohort's limit, if that is more
_LOOK_S = 5.0  # how often to look for workers that are silent or have left
_log = logging.getLogger(__name__)


@contextmanager
def connected(address: str, terms: Terms) -> Iterator[Cluster]:
    """The cluster of the scheduler at ``address``, such as ``tcp://10.0.0.1:8786``.

    Raises:
        StudyError: Dask is not installed, or this is no address.
        ResourceError: No scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise StudyError(f"--dask {address}: needs Dask: pip install '.[cluster]'") from None
    _hush()
    try:
        client = Client(address, timeout=PATIENCE_S)
    except (TypeError, ValueError) as error:
        raise StudyError(f"--dask {address}: {said(error)}: write tcp://HOST:8786") from error
    except OSError as error:
        raise ResourceError(
            f"--dask {address}: no scheduler answers: start one with `dask scheduler`"
        ) from error
    try:
        yield Cluster(client, address, terms)
    finally:
        client.close()


def _hush() -> None:
    """Let Dask log nothing: what a person can do something about is said in one line."""
    from distributed.versions import VersionMismatchWarning

    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore", VersionMismatchWarning)


class Cluster:
    """The workers of a Dask scheduler, those that join later included.

    Args:
        client: Connected to the scheduler.
        address: The scheduler's, for messages.
        terms: What the workers have to keep to.
    """

    def __init__(self, client: Client, address: str, terms: Terms) -> None:
        self.client, self.address, self.terms = client, address, terms
        self.unfit: set[str] = set()  # workers that get no more tasks
        self.chosen: dict[object, frozenset[str]] = {}  # where a task may run, if not anywhere
        self.processors: set[str] = set()  # that have trained
        self.is_waiting = False  # for a first worker, or for one to return
        self.heartbeats = Heartbeats()
        self.looked = time.monotonic()
        self.topic, self.rounds = f"study-{uuid4().hex}", count()  # of the workers' progress
        self.news: News = SimpleQueue()
        client.subscribe_topic(self.topic, lambda event: self.news.put(tuple(event[1])))

    def results(
        self, work: Callable[..., Trials], tasks: Sequence[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""
        told, following = Told(report), 0
        ready: dict[int, Trials] = {}
        for place, result in self._completed(work, tasks, told):
            told.reached(place, len(result))
            ready[place] = result
            while following in ready:
                yield ready.pop(following)
                following += 1

    def _completed(
        self, work: Callable[..., Trials], tasks: Sequence[Any], told: Told
    ) -> Iterator[tuple[int, Trials]]:
        """Places and results, in the order in which they come."""
        number, failed = next(self.rounds), set[int]()  # those that failed once

        def submit(place: int, workers: Collection[str]) -> Future[Any]:
            """Send a task to one of these workers, or to any; its future comes as news."""
            telling = (self.topic, number, place) if told.report else None
            return self._submit(
                work.__name__, workers, sealed(work, tasks[place], self.terms, telling)
            )

        self._require_some()
        fit = self._fit() if self.unfit else ()
        running = {submit(place, fit): place for place in range(len(tasks))}
        while running:
            for future in self._next(number, running, told):
                place = running.pop(future)
                result: Any = self._result(future, place, failed)
                if result is None:
                    running[submit(place, self._fit() if self.unfit else ())] = place
                else:
                    yield place, result

    def _submit(
        self, name: str, workers: Collection[str], arguments: tuple[Any, ...]
    ) -> Future[Any]:
        from distributed.client import ClosedClientError

        try:
            future = self.client.submit(
                eval,
                *arguments,
                key=f"{name}-{uuid4().hex}",
                workers=list(workers) or None,
            )
        except (ClosedClientError, OSError) as error:
            raise self._gone() from error
        if workers:
            self.chosen[future.key] = frozenset(workers)
        future.add_done_callback(self.news.put)
        return future

    def _next(
        self, number: int, running: Collection[Future[Any]], told: Told
    ) -> list[Future[Any]]:
        """A task that has ended, or those that no worker will end."""
        while True:
            if time.monotonic() - self.looked > _LOOK_S:
                self.looked = time.monotonic()
                if lost := self._lost(running):
                    return lost
            try:
                item = self.news.get(timeout=_LOOK_S)
            except Empty:
                continue
            if isinstance(item, tuple):
                if item[0] == number:
                    told.reached(*item[1:])
            elif item in running:  # else it was given up before it ended
                return [item]

    def _lost(self, running: Collection[Future[Any]]) -> list[Future[Any]]:
        """Tasks of silent workers, and those that may only run on workers that have left."""
        limit = self.terms.limit
        patience = float("inf") if limit is None else max(limit, SILENCE_S)
        workers = self._require_some()
        silent = self.heartbeats.silent(workers, patience)
        words = f"has given no sign of life for {patience:g} s"
        for worker in silent - self.unfit:
            self._leave_out(Silent(worker, words, ResourceError.status))
        tasks = self.client.processing() if silent else {}
        stuck = {key for worker in silent for key in tasks.get(worker, ())}
        fit = set(workers) - self.unfit
        return [
            future
            for future in running
            if future.key in stuck or (fit and fit.isdisjoint(self.chosen.get(future.key, fit)))
        ]

    def _result(self, future: Future[Any], place: int, failed: set[int]) -> Sequence[Any] | None:
        """What a task gave; ``None`` where it is to be tried again, once a place."""
        self.chosen.pop(future.key, None)
        if not future.done():  # lost
            future.cancel()
            return None
        try:
            answer = future.result()
            future.release()  # or it would be done again if its worker is started anew
            result = unsealed(answer)
        except CancelledError as error:
            raise self._gone() from error
        except Unfit as error:
            if isinstance(error, Hung):
                _require_first(place, failed, error)
            self._leave_out(error)
        except Exception as error:
            _require_first(place, failed, error)
        else:
            self._compare(answer["processor"])
            return result
        return None

    def _leave_out(self, error: Unfit) -> None:
        """Give a worker no more tasks; one that hangs is made anew where a nanny minds it."""
        if error.worker in self.unfit or (
            isinstance(error, Hung) and self._is_restarted(error.worker)
        ):
            return
        _log.warning("%s; it gets no more cohorts", error)
        self.unfit.add(error.worker)
        deadline = time.monotonic() + PATIENCE_S
        while not self._fit():  # another may be on its way
            if time.monotonic() > deadline:
                raise of_status(error.status)(f"{error}, and there is no other worker")
            time.sleep(0.1)

    def _is_restarted(self, worker: str) -> bool:
        try:
            return bool(self.client.restart_workers([worker], timeout=RESTART_S)[worker] == "OK")
        except (AssertionError, KeyError, OSError, ValueError):  # it has no nanny, or left
            return False

    def _compare(self, processor: str) -> None:
        """Warn where a result may depend, in its last bits, on the worker that it is of."""
        if self.processors and processor not in self.processors:
            _log.warning(
                "cohorts are trained on different processors (%s): the last bits of their "
                "trials may differ from another run's",
                ", ".join(sorted({processor, *self.processors})),
            )
        self.processors.add(processor)

    def _fit(self) -> list[str]:
        return [worker for worker in self._workers() if worker not in self.unfit]

    def _require_some(self) -> Mapping[str, Any]:
        """The workers; where there are none, say that they are waited for."""
        workers = self._workers()
        if not workers and not self.is_waiting:
            _log.warning(
                "no worker is at %s, waiting for one: dask worker %s", self.address, self.address
            )
        self.is_waiting = not workers
        return workers

    def _workers(self) -> Mapping[str, Any]:
        """What the scheduler knows of each, by address; what has left it is forgotten."""
        scheduler: Any = self.client.scheduler  # nothing, once the client has closed
        if scheduler is None:
            raise self._gone()
        try:  # scheduler_info() has no workers at all while the client refreshes its own view
            answer = self.client.sync(scheduler.identity, n_workers=-1)
        except OSError as error:
            raise self._gone() from error
        workers: dict[str, Any] = answer["workers"]
        self.unfit &= workers.keys()
        return workers

    def _gone(self) -> ResourceError:
        return ResourceError(
            f"--dask {self.address}: the scheduler is gone: start it, then run the same command "
            "again"
        )


def _require_first(place: int, failed: set[int], error: Exception) -> None:
    """Let a task fail once."""
    if place in failed:
        raise failed_twice(error) from error
    failed.add(place)
    _log.warning("a cohort failed and is tried once more: %s", said(error))
