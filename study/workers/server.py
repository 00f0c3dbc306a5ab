"""The process that local workers are forked from, and what a worker does.

The server loads torch and prepares the data once. Then it forks a worker for every connection
that the planner sends it, and each worker has both at once. The server must have no thread when it
forks: a lock that another thread holds at that moment would stay locked in the worker.

Ctrl-C and SIGTERM reach neither the server nor a worker: they are the planner's to answer. If the
planner ends, however it ends, the server reads the end of its connection, kills the workers and
ends. If the server ends, a worker ends at its next validation, or when it has done its task.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from study.text import Formatter
from study.training.protocol import Protocol
from study.training.registry import load_model_file
from study.training.work import prepare
from study.workers.pool import Report
from study.workers.remote import answer

assert sys.platform != "win32"  # see CAN_FORK in study/system.py
_PAUSE_S = 0.25  # from one report of a task's progress to the next


def serve(control: int, request: str) -> NoReturn:
    """Be the server.

    Args:
        control: The descriptor of the connection to the planner. Each message is one byte with a
            descriptor: that of a worker's connection.
        request: JSON: the data that workers will train on (``protocols``, ``data_root``), their
            ``device``, the ``model_files`` that they load, and the ``log_level``.
    """
    known, planner = json.loads(request), socket.socket(fileno=control)
    _log_to_stderr(known["log_level"])
    gc.disable()  # an import makes much to search through, and no garbage
    with suppress(Exception):  # whoever trains on the data says what is wrong with it
        _prepare(known)
    gc.freeze()  # or the collector would write to the pages that the workers share
    gc.enable()
    files = [Path(path) for path in known["model_files"]]
    children: list[int] = []
    server = os.getpid()
    while True:
        message, descriptors, *_ = socket.recv_fds(planner, 1, 1)
        if not message:
            _end(children)
        pid = os.fork()
        if pid == 0:
            planner.close()
            _work(_Planner(Connection(descriptors[0]), server), files)
        os.close(descriptors[0])
        children = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
        children.append(pid)


def _log_to_stderr(level: int) -> None:
    """Log as the planner's command does."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger("study").setLevel(level)


def _prepare(known: dict[str, Any]) -> None:
    """Load torch, what trains, and the data in the form in which it is trained on."""
    import torch

    for name in ("trainer", "cohorts", "models"):
        import_module(f"study.training.{name}")
    torch.set_num_threads(1)
    root = known["data_root"] and Path(known["data_root"])
    if root and root.suffix.lower() == ".parquet":
        return  # pyarrow starts threads: each worker reads the file itself
    for protocol in known["protocols"]:
        prepare(Protocol.from_manifest(protocol), root, known["device"])


def _end(children: Sequence[int]) -> NoReturn:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os._exit(0)


class _Planner:
    """A worker's connection to the planner."""

    def __init__(self, connection: Connection, server: int) -> None:
        self.connection, self.server = connection, server  # the server's process
        self.done, self.last = 0.0, time.monotonic()  # of the present task

    def send(self, message: object) -> None:
        """Send anything that can be pickled."""
        self.connection.send_bytes(pickle.dumps(message))

    def next_call(self) -> bytes:
        """Wait for a task."""
        call = self.connection.recv_bytes()
        self.done, self.last = 0.0, time.monotonic()
        self._look_after_server()
        return call

    def report(self, work: float) -> None:
        """Tell the planner, a few times a second, all the work done in a task."""
        self._look_after_server()
        self.done += work
        if time.monotonic() - self.last >= _PAUSE_S:
            self.last = time.monotonic()
            self.send(self.done)

    def _look_after_server(self) -> None:
        if os.getppid() != self.server:  # it was killed
            os._exit(1)


def _work(planner: _Planner, model_files: Sequence[Path]) -> NoReturn:
    """Be a worker: do the planner's tasks one after the other until it closes the connection."""
    try:
        planner.send(os.getpid())
        while True:
            call = planner.next_call()
            planner.send(answer(partial(_perform, call, planner.report, model_files)))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _perform(call: bytes, report: Report, model_files: Sequence[Path]) -> Sequence[Any]:
    for path in model_files:
        load_model_file(path)
    work, task, is_followed = pickle.loads(call)
    result: Sequence[Any] = work(task, report) if is_followed else work(task)
    return result
