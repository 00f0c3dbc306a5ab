"""Dask clusters of real processes, PostgreSQL servers to stop, and searches to compare."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from study.storage import load_study
from study.workers import Workers
from tests.helpers.commands import PATIENCE_S, kill, until

ROOT = Path(__file__).parents[2]
N_TRIALS = 8


class Cluster:
    """A scheduler and its workers, each a process, under ``folder``."""

    def __init__(self, folder):
        self.folder, self.numbers, self.processes = folder, count(), []
        self.file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0")
        is_written = lambda: self.file.is_file() and self.file.read_text().endswith("}")  # noqa: E731
        until(is_written, "a scheduler")

    def worker(self, *options):
        """One more worker, with one thread; its process."""
        name = f"w{next(self.numbers)}"
        place = ("--local-directory", self.folder / name, "--name", name)
        return self._start("worker", "--nthreads", "1", *place, *options)

    def at_least(self, n_workers):
        """Start workers until so many have been started; itself."""
        while len(self.processes) <= n_workers:
            self.worker()
        return self

    @property
    def address(self):
        import json

        return json.loads(self.file.read_text())["address"]

    def _start(self, kind, *options):
        command = [sys.executable, "-W", "ignore", "-m", "dask", kind, "--dashboard-address", ":0"]
        with (self.folder / f"{kind}.log").open("a") as log:
            process = subprocess.Popen(
                [*command, "--scheduler-file", self.file, *map(str, options)],
                cwd=ROOT,
                env={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"} | os.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def close(self):
        """Kill all that was started."""
        for process in self.processes:
            kill(process)


@contextmanager
def clustered(folder, n_workers, *options):
    """A cluster of so many workers, there or on their way."""
    cluster = Cluster(folder)
    try:
        for _ in range(n_workers):
            cluster.worker(*options)
        yield cluster
    finally:
        cluster.close()


@contextmanager
def pool(cluster, limit=None):
    """The cluster as a search sees it, all its workers there."""
    with Workers(dask=cluster.address, trial_timeout=limit).open() as found:
        found.client.wait_for_workers(1, timeout=PATIENCE_S)
        yield found


def query(url, words, **values):
    """The first value that a server answers, on a connection of its own."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        found = connection.execute(text(words), values)
        return found.scalar() if found.returns_rows else None


class Router:
    """A port before a server's socket, which may forget its connections as routers do."""

    def __init__(self, path):
        self.path, self.clients, self.ends = str(path), [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self):
        """Hang up on the clients, and let the server believe that they are there."""
        forgotten, self.clients = self.clients, []
        for client in forgotten:
            with suppress(OSError):  # it has left
                client.shutdown(socket.SHUT_RDWR)

    def close(self):
        """Hang up on all."""
        for end in (self.listener, *self.ends):
            end.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, server = self.listener.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(self.path)
                self.clients.append(client)
                self.ends += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            if source in self.clients or sink in self.clients:
                sink.shutdown(socket.SHUT_WR)


def rows(storage, name="linear"):
    """Every trial but its dates, to the last bit; servers give attributes in any order."""
    return [
        repr(
            [
                t.number,
                t.state,
                t.values,
                t.params,
                t.intermediate_values,
                sorted(t.user_attrs.items()),
            ]
        )
        for t in load_study(str(storage), name).trials
    ]
