"""Processes of this machine, forked from a server that has loaded torch and the data.

The server is one for the pool, started when that is opened, and loads while this process goes on
(:mod:`study.workers.server`). A thread of this process hands a worker one task after the other. So
a worker that is killed or hangs costs its own task a try, and no other.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any, cast

from study import interrupts
from study.errors import ResourceError, of_status
from study.training.plan import Plan
from study.workers.ordered import in_order
from study.workers.pool import Report, Trials
from study.workers.remote import Failed, decode_result, described, failed_twice

assert sys.platform != "win32"  # see CAN_FORK in study/system.py
_START = "import sys; sys.path[:] = {!r}; from study.workers.server import serve; serve({}, {!r})"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PATIENCE_S = 5.0  # how long the server may take to end
_log = logging.getLogger(__name__)


@contextmanager
def forked(
    jobs: int,
    plans: Sequence[Plan],
    data_root: Path | None,
    model_files: Sequence[Path],
    limit: float | None,
) -> Iterator[Local]:
    """So many workers; returns at once, while their server loads.

    Args:
        jobs: How many.
        plans: What will be searched, whose data the server prepares.
        data_root: Where that lies.
        model_files: What the workers load.
        limit: Seconds that a task may take.
    """
    known = {
        "protocols": [plan.protocol.to_manifest() for plan in plans],
        "data_root": data_root and str(data_root.absolute()),
        "device": "cpu",
        "model_files": [str(path.absolute()) for path in model_files],
        "log_level": logging.getLogger("study").getEffectiveLevel(),
    }
    pool = Local(jobs, Server(json.dumps(known)), limit)
    try:
        yield pool
    finally:
        pool.close()


class Local:
    """``jobs`` workers."""

    def __init__(self, jobs: int, server: Server, limit: float | None) -> None:
        self.jobs, self.server, self.limit = jobs, server, limit
        self.threads = ThreadPoolExecutor(jobs)
        self.idle: list[Worker] = []

    def results(
        self, work: Callable[..., Trials], tasks: Iterable[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""
        do = partial(self._do, work, report is not None)
        return in_order(self.threads, self.jobs, do, tasks, report)

    def _do(
        self, work: Callable[..., Trials], is_followed: bool, task: object, told: Report
    ) -> Trials:
        """The result of a task, at the first try or the second."""
        call = pickle.dumps((work, task, is_followed))
        try:
            result = self._try(call, told)
        except Failed as error:
            if self.server.is_closed:
                raise
            _log.warning("a cohort failed and is tried once more: %s", described(error))
            result = self._again(call, told)
        return cast("Trials", result)

    def _again(self, call: bytes, told: Report) -> Sequence[Any]:
        try:
            return self._try(call, told)
        except Failed as error:
            raise failed_twice(error) from error

    def _try(self, call: bytes, told: Report) -> Sequence[Any]:
        worker = self.idle.pop() if self.idle else Worker(self.server)
        try:
            found = worker.answer(call, self.limit, told)
        except BaseException:
            worker.kill()
            raise
        self.idle.append(worker)
        if "unfit" in found:
            raise of_status(found["status"])(found["unfit"])
        return decode_result(found)

    def close(self) -> None:
        """End all processes."""
        self.server.close()
        self.threads.shutdown(cancel_futures=True)
        for worker in self.idle:
            worker.connection.close()


class Worker:
    """A worker, as this process sees it.

    Raises:
        Failed: It ended before it began.
    """

    def __init__(self, server: Server) -> None:
        ours, theirs = socket.socketpair()
        self.connection, self.pid = Connection(ours.detach()), 0
        try:
            with theirs:
                server.fork(theirs)
            self.pid = self._next_message()
        except BaseException:
            self.connection.close()
            raise
        server.has_forked = True

    def answer(self, call: bytes, limit: float | None, told: Report) -> dict[str, Any]:
        """Do a task there; an answer that ``decode_result`` reads.

        Raises:
            Failed: The worker ended, or took longer than ``limit`` seconds.
        """
        end = None if limit is None else time.monotonic() + limit
        with suppress(OSError):  # the next message is the end
            self.connection.send_bytes(call)
        while True:
            if end is not None and not self.connection.poll(max(0, end - time.monotonic())):
                words = f"worker {self.pid} was at a cohort for more than {limit:g} s"
                raise Failed(words, ResourceError.status)
            message = self._next_message()
            if isinstance(message, dict):
                return message
            told(message)

    def _next_message(self) -> Any:  # noqa: ANN401 (whatever was pickled)
        try:
            return pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            who = f"worker {self.pid}" if self.pid else "a worker"
            words = f"{who} was killed, perhaps for want of memory"
            raise Failed(words, ResourceError.status) from None

    def kill(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.connection.close()


class Server:
    """The process that workers are forked from; another one is started if it was killed."""

    def __init__(self, request: str) -> None:
        self.request, self.lock = request, Lock()
        self.is_closed = self.has_forked = False
        self._start()

    def _start(self) -> None:
        self.control, theirs = socket.socketpair()
        command = _START.format([*map(str, sys.path)], theirs.fileno(), self.request)
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        with theirs, interrupts.held_back():
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    *flags,
                    "-u",
                    "-c",
                    command,
                ],  # -u: a worker that is killed has printed
                stdin=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
                pass_fds=[theirs.fileno()],
            )

    def fork(self, connection: socket.socket) -> None:
        """Ask for a worker at the other end of this connection.

        Raises:
            Failed: The pool was closed.
        """
        with self.lock:
            if self.is_closed:
                raise Failed("the workers were closed", ResourceError.status)
            try:
                socket.send_fds(self.control, [b"."], [connection.fileno()])
            except OSError:  # it was killed
                self._end()
                self._start()
                socket.send_fds(self.control, [b"."], [connection.fileno()])

    def close(self) -> None:
        """End the server, which kills the workers first."""
        with self.lock:
            self.is_closed = True
            self._end()

    def _end(self) -> None:
        self.control.close()
        if not self.has_forked:  # it loads, and has no workers yet
            self.process.kill()
        try:
            self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:  # it was stopped
            self.process.kill()
            self.process.wait()
