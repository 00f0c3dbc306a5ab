"""Dask clusters of real processes, PostgreSQL servers to stop, and searches to compare."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from study.search import Settings, search
from study.storage import load_study
from study.workers import Workers
from tests.search.helpers import plan

PATIENCE_S = 120
ROOT = Path(__file__).parents[2]
N_TRIALS = 8


def until(condition, what):
    """Wait for a condition, and say what was waited for in vain."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


class Cluster:
    """A scheduler and its workers, each a process, under ``folder``."""

    def __init__(self, folder):
        self.folder, self.numbers, self.processes = folder, count(), []
        self.file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0")
        until(self.file.is_file, "a scheduler")

    def worker(self, *options):
        """One more worker, with one thread; its process."""
        name = f"w{next(self.numbers)}"
        place = ("--local-directory", self.folder / name, "--name", name)
        return self._start("worker", "--nthreads", "1", *place, *options)

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
            end(process)


def end(process):
    """SIGKILL to a process and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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


def searched(storage, model="linear", progress=None, *, workers=Workers(), **changes):  # noqa: B008
    """A short search in this process; its storage."""
    settings = Settings(str(storage), model, N_TRIALS, workers)
    search(plan(model, **changes), settings, progress)
    return storage


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
