"""A Dask cluster: the extra ``cluster``.

Tasks are submitted one by one rather than through joblib's Dask backend, whose first failure
ends them all: so one cohort can be tried again, one worker left out, and a worker that joins
late takes what is left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from study.errors import ResourceError, StudyError
from study.workers.remote import Hung, Terms, Unfit, perform, said

if TYPE_CHECKING:
    from distributed import Client, Future

    from study.workers.pool import Report, Trials

PATIENCE_S = 10  # how long a scheduler may take to answer
_LOOK_S = 5  # how often to look whether the workers of a second try are still there
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
        raise StudyError(f"--dask {address}: needs Dask: pip install 'study[cluster]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # we say it in one line
    try:
        client = Client(address, timeout=PATIENCE_S)
    except ValueError as error:
        raise StudyError(f"--dask {address}: {error}: write tcp://HOST:8786") from error
    except OSError as error:
        raise ResourceError(
            f"--dask {address}: no scheduler answers: start one with `dask scheduler`"
        ) from error
    try:
        yield Cluster(client, address, terms)
    finally:
        client.close()


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

    def results(
        self, work: Callable[..., Trials], tasks: Sequence[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""
        ready: dict[int, Trials] = {}
        following = 0
        for place, result in self._completed(work, tasks):
            if report:
                report(len(result))
            ready[place] = result
            while following in ready:
                yield ready.pop(following)
                following += 1

    def _completed(
        self, work: Callable[..., Trials], tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Trials]]:
        """Places and results, in the order in which they come."""
        self._say_if_none()
        ended: SimpleQueue[Future[Trials]] = SimpleQueue()
        failed: set[int] = set()
        running = {self._submit(work, task, ended): at for at, task in enumerate(tasks)}
        while running:
            for future in self._next(ended, running):
                place = running.pop(future)
                result = self._result(future, place, failed)
                if result is None:
                    running[self._submit(work, tasks[place], ended)] = place
                else:
                    yield place, result

    def _submit(
        self, work: Callable[..., Trials], task: object, ended: SimpleQueue[Future[Trials]]
    ) -> Future[Trials]:
        """Send a task to any worker that is fit; its future comes to ``ended`` at its end."""
        chosen = self._fit() if self.unfit else None
        future = self.client.submit(
            perform,
            *(work, task, self.terms),
            key=f"{work.__name__}-{uuid4().hex}",
            workers=chosen,
        )
        if chosen:
            self.chosen[future.key] = frozenset(chosen)
        future.add_done_callback(ended.put)
        return future

    def _next(
        self, ended: SimpleQueue[Future[Trials]], running: Iterable[Future[Trials]]
    ) -> list[Future[Trials]]:
        """A task that has ended, or those that no worker is left for."""
        while True:
            try:
                future = ended.get(timeout=_LOOK_S)
            except Empty:
                stranded = self._stranded(running)
                if stranded:
                    return stranded
            else:
                if future in running:  # else it was given up before it ended
                    return [future]

    def _stranded(self, running: Iterable[Future[Trials]]) -> list[Future[Trials]]:
        """Tasks that may only run on workers that have all left since."""
        if not self.chosen:
            return []
        there = set(self._workers())
        return [f for f in running if there.isdisjoint(self.chosen.get(f.key, there))]

    def _result(self, future: Future[Trials], place: int, failed: set[int]) -> Trials | None:
        """What a task gave; ``None`` where it is to be tried again, once a place."""
        self.chosen.pop(future.key, None)
        if not future.done():  # stranded
            future.cancel()
            return None
        try:
            return future.result()
        except StudyError:
            raise
        except CancelledError as error:
            raise ResourceError(
                f"--dask {self.address}: the scheduler is gone: start it, then run the same "
                "command again"
            ) from error
        except Unfit as error:
            if isinstance(error, Hung):
                _require_first(place, failed, error)
            self._leave_out(error)
        except Exception as error:
            if "deserialization of the task graph" in str(error):
                raise StudyError(
                    f"--dask {self.address}: the scheduler has not the package, or another "
                    "version of it: start it where the search's versions are installed"
                ) from error
            _require_first(place, failed, error)
        return None

    def _leave_out(self, error: Unfit) -> None:
        """Give a worker no more tasks; one that hangs is made anew where a nanny minds it."""
        if isinstance(error, Hung) and self._is_restarted(error.worker):
            return
        _log.warning("%s; it gets no more cohorts", error)
        self.unfit.add(error.worker)
        if not self._fit():
            kind = ResourceError if isinstance(error, Hung) else StudyError
            raise kind(f"{error}, and there is no other worker")

    def _is_restarted(self, worker: str) -> bool:
        try:
            return bool(self.client.restart_workers([worker], timeout=PATIENCE_S)[worker] == "OK")
        except (AssertionError, KeyError, TimeoutError, ValueError):  # it has no nanny, or left
            return False

    def _fit(self) -> list[str]:
        return [worker for worker in self._workers() if worker not in self.unfit]

    def _workers(self) -> list[str]:
        return list(self.client.scheduler_info(n_workers=-1)["workers"])

    def _say_if_none(self) -> None:
        if not self._workers():
            _log.warning(
                "no worker has joined %s yet, waiting: dask worker %s", self.address, self.address
            )


def _require_first(place: int, failed: set[int], error: Exception) -> None:
    """Let a task fail once."""
    if place in failed:
        raise ResourceError(f"a cohort failed twice: {said(error)}") from error
    failed.add(place)
    _log.warning("a cohort failed and is tried once more: %s", said(error))
