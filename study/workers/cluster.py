"""A Dask cluster: the extra ``cluster``.

Tasks are submitted one by one, not through joblib's Dask backend, where the first failure ends
all of them. So one cohort can be tried again, one worker can be left out, and a worker that
joins late gets tasks.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import count, islice
from queue import Empty
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from study.errors import ResourceError, StudyError, of_status
from study.workers.monitor import Heartbeats, ProgressTracker, Round
from study.workers.ordered import IN_FLIGHT
from study.workers.pool import Report, Trials
from study.workers.remote import (
    Hung,
    TaskRequirements,
    Unfit,
    decode_result,
    described,
    encode_task,
    failed_twice,
)

if TYPE_CHECKING:
    from distributed import Client, Future

ANSWER_S = PATIENCE_S = 10.0  # for a scheduler to answer; for a worker to come where none is fit
RESTART_S = 60.0  # how long a nanny may take to restart a worker
SILENCE_S = 30.0  # how long a worker may give no sign of life; a cohort's limit, if that is more
_LOOK_S = 5.0  # how often to look for workers that are silent or have left
_log = logging.getLogger(__name__)


@contextmanager
def connected(address: str, requirements: TaskRequirements) -> Iterator[Cluster]:
    """The cluster of the scheduler at ``address``, such as ``tcp://10.0.0.1:8786``.

    Raises:
        StudyError: Dask is not installed, or this is no address.
        ResourceError: No scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise StudyError(f"--dask {address}: needs Dask: pip install '.[cluster]'") from None
    _silence_dask()
    try:
        client = Client(address, timeout=ANSWER_S)
    except (TypeError, ValueError) as error:
        raise StudyError(f"--dask {address}: {described(error)}: write tcp://HOST:8786") from error
    except OSError as error:
        raise ResourceError(
            f"--dask {address}: no scheduler answers: start one with `dask scheduler`"
        ) from error
    try:
        yield Cluster(client, address, requirements)
    finally:
        client.close()


def _silence_dask() -> None:
    """Hide Dask's log: this package reports, on one line, what a person can put right."""
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
        requirements: What the workers must have and keep to.
    """

    def __init__(self, client: Client, address: str, requirements: TaskRequirements) -> None:
        self.client, self.address, self.requirements = client, address, requirements
        self.unfit: set[str] = set()  # workers that get no more tasks
        self.allowed: dict[object, frozenset[str]] = {}  # a task's workers, if not any
        self.processors: set[str] = set()  # that have trained
        self.threads = 1  # that the workers have, as far as is known
        self.is_waiting = False  # for a first worker, or for one to return
        self.heartbeats = Heartbeats()
        self.topic, self.numbers = f"study-{uuid4().hex}", count()  # of the workers' progress
        self.rounds: dict[int, Round] = {}
        client.subscribe_topic(self.topic, self._hear)

    def _hear(self, event: tuple[float, tuple[int, int, float]]) -> None:
        """Pass on how far a worker is with a task."""
        round_number, index, work = event[1]
        if round_number in self.rounds:
            self.rounds[round_number].events.put((index, work))

    def results(
        self, work: Callable[..., Trials], tasks: Iterable[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""
        tracker, following = ProgressTracker(report), 0
        ready: dict[int, Trials] = {}
        for index, result in self._completed(work, tasks, tracker, ready):
            tracker.update(index, len(result))
            ready[index] = result
            while following in ready:
                yield ready.pop(following)
                following += 1

    def _completed(
        self,
        work: Callable[..., Trials],
        tasks: Iterable[Any],
        tracker: ProgressTracker,
        ready: Mapping[int, Trials],
    ) -> Iterator[tuple[int, Trials]]:
        """The tasks' indices and results, in the order in which they are done."""
        own, failed = Round(next(self.numbers)), set[int]()  # those that failed once
        self.rounds[own.number] = own
        left, held, running = enumerate(tasks), dict[int, Any](), dict[Any, int]()

        def submit(index: int) -> None:
            topic = (self.topic, own.number, index) if tracker.report else None
            call = encode_task(work, held[index], self.requirements, topic)
            fit = self._fit() if self.unfit else ()
            running[self._submit(work.__name__, fit, call, own)] = index

        self._require_some()
        while True:
            room = IN_FLIGHT * self.threads - len(running) - len(ready)
            for index, task in islice(left, max(0, room)):
                held[index] = task
                submit(index)
            if not running:
                break
            for future in self._ended(own, running, tracker):
                index = running.pop(future)
                result: Any = self._result(future, index, failed)
                if result is None:
                    submit(index)
                else:
                    del held[index]
                    yield index, result
        del self.rounds[own.number]

    def _submit(
        self, name: str, workers: Collection[str], call: tuple[str, dict[str, Any]], own: Round
    ) -> Future[Any]:
        """Send a task to one of these workers, or to any; its end is an event."""
        from distributed.client import ClosedClientError

        key = f"{name}-{uuid4().hex}"
        try:
            future = self.client.submit(eval, *call, key=key, workers=list(workers) or None)
        except (ClosedClientError, OSError) as error:
            raise self._gone() from error
        if workers:
            self.allowed[future.key] = frozenset(workers)
        future.add_done_callback(own.events.put)
        return future

    def _ended(
        self, own: Round, running: Collection[Future[Any]], tracker: ProgressTracker
    ) -> list[Future[Any]]:
        """Wait for a task that has ended, or for tasks that no worker will end."""
        while True:
            if time.monotonic() - own.looked > _LOOK_S:
                own.looked = time.monotonic()
                if lost := self._lost(running):
                    return lost
            try:
                event = own.events.get(timeout=_LOOK_S)
            except Empty:
                continue
            if isinstance(event, tuple):
                tracker.update(*event)
            elif event in running:  # else it was given up before it ended
                return [event]

    def _lost(self, running: Collection[Future[Any]]) -> list[Future[Any]]:
        """Tasks of silent workers, and those whose only workers have left."""
        limit = self.requirements.limit
        patience = float("inf") if limit is None else max(limit, SILENCE_S)
        workers = self._require_some()
        silent = self.heartbeats.silent(workers, patience)
        reason = f"has given no sign of life for {patience:g} s"
        for worker in silent - self.unfit:
            self._leave_out(Unfit(worker, reason, ResourceError.status))
        tasks = self.client.processing() if silent else {}
        stuck = {key for worker in silent for key in tasks.get(worker, ())}
        fit = set(workers) - self.unfit
        return [
            future
            for future in running
            if future.key in stuck or (fit and fit.isdisjoint(self.allowed.get(future.key, fit)))
        ]

    def _result(self, future: Future[Any], index: int, failed: set[int]) -> Sequence[Any] | None:
        """The result of a task, or ``None`` if it is to be tried again; it may fail once."""
        self.allowed.pop(future.key, None)
        if not future.done():  # lost
            future.cancel()
            return None
        try:
            answer = future.result()
            future.release()  # or it would be done again if its worker is restarted
            result = decode_result(answer)
        except CancelledError as error:
            raise self._gone() from error
        except Unfit as error:
            if isinstance(error, Hung):
                _allow_once(index, failed, error)
            self._leave_out(error)
        except Exception as error:
            _allow_once(index, failed, error)
        else:
            self._compare(answer["processor"])
            return result
        return None

    def _leave_out(self, error: Unfit) -> None:
        """Give a worker no more tasks; if it hangs, first try to let its nanny restart it."""
        if error.worker in self.unfit or (isinstance(error, Hung) and self._restart(error.worker)):
            return
        _log.warning("%s; it gets no more cohorts", error)
        self.unfit.add(error.worker)
        deadline = time.monotonic() + PATIENCE_S
        while not self._fit():  # another may be starting
            if time.monotonic() > deadline:
                raise of_status(error.status)(f"{error}, and there is no other worker")
            time.sleep(0.1)

    def _restart(self, worker: str) -> bool:
        try:
            return bool(self.client.restart_workers([worker], timeout=RESTART_S)[worker] == "OK")
        except (AssertionError, KeyError, OSError, ValueError):  # it has no nanny, or left
            return False

    def _compare(self, processor: str) -> None:
        """Warn that the last bits of a result may depend on the worker that trained it."""
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
        """The workers; if there are none, log that they are waited for."""
        workers = self._workers()
        if not workers and not self.is_waiting:
            _log.warning(
                "no worker is at %s, waiting for one: dask worker %s", self.address, self.address
            )
        self.is_waiting = not workers
        return workers

    def _workers(self) -> Mapping[str, Any]:
        """What the scheduler knows of each worker, by address; unfit ones that left are gone."""
        scheduler: Any = self.client.scheduler  # None once the client has closed
        if scheduler is None:
            raise self._gone()
        try:  # scheduler_info() has no workers at all while the client refreshes its own view
            answer = self.client.sync(scheduler.identity, n_workers=-1)
        except OSError as error:
            raise self._gone() from error
        workers: dict[str, Any] = answer["workers"]
        self.unfit &= workers.keys()
        self.threads = max(1, sum(worker["nthreads"] for worker in workers.values()))
        return workers

    def _gone(self) -> ResourceError:
        return ResourceError(
            f"--dask {self.address}: the scheduler is gone: start it, then run the same command "
            "again"
        )


def _allow_once(index: int, failed: set[int], error: Exception) -> None:
    """Let a task fail once: after a second failure the command ends."""
    if index in failed:
        raise failed_twice(error) from error
    failed.add(index)
    _log.warning("a cohort failed and is tried once more: %s", described(error))
