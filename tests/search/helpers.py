"""Commands to start, stop and kill, and what they leave behind."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import optuna

from study.search import Plan
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space

PATIENCE_S = 120  # for what takes seconds, on a machine that does much else
GENERATION, N_TRIALS = 4, 16
SHORT = (
    *("--steps", "400", "--val-every", "20"),
    *("--generation", str(GENERATION), "--cohort", "2", "--n-trials", str(N_TRIALS)),
)


class Result(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def command(model, *options, module="study.search"):
    """The command line of a search."""
    return [sys.executable, "-m", module, "--model", model, *map(str, options)]


def start(arguments, folder, **popen):
    """Start a process in ``folder``, in a process group of its own."""
    env = {k: v for k, v in os.environ.items() if k != "OPTUNA_STORAGE"} | popen.pop("env", {})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | popen
    return subprocess.Popen(
        arguments, cwd=folder, env=env, text=True, start_new_session=True, **streams
    )


def end(process):
    """Wait for a process to end."""
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        kill(process)
    return Result(process.returncode, stdout, stderr)


def run(arguments, folder, **popen):
    """Run a process in ``folder`` to its end."""
    return end(start(arguments, folder, **popen))


def search(model, folder, *options, storage="study.db", **popen):
    """Run a short search to its end."""
    return run(command(model, *SHORT, "--storage", storage, *options), folder, **popen)


def kill(process):
    """SIGKILL to the whole group, and nothing where it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def concurrently(function, *arguments):
    """The function's values, computed on as many threads as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, *arguments))


def wait_for(condition, process):
    """Wait until the condition holds; at once when the process has ended before."""
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and not condition():
        if time.monotonic() > deadline:
            kill(process)
            raise AssertionError("waited in vain")
        time.sleep(0.005)


def count(path):
    """How many trials are in the file, read while a search writes it."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM trials").fetchone()[0]
    except sqlite3.OperationalError:  # not made yet, or being written
        return 0


def trials(path, name):
    """The study's trials as Optuna reads them."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        return optuna.load_study(study_name=name, storage=storage).trials
    finally:
        storage.engine.dispose()


def table(path, name):
    """All that a trial is but its dates, one string a trial, every float to its last bit."""
    fields = ("state", "value", "params", "distributions", "user_attrs", "system_attrs")
    return [
        repr((t.number, *(getattr(t, field) for field in fields), t.intermediate_values))
        for t in trials(path, name)
    ]


def weights(path, name):
    """The files beside the database, but the lock, with their bytes."""
    files = snapshot(Path(f"{path}.files", name))
    return {name: content for name, content in files.items() if name != "lock"}


def assert_whole(path):
    """SQLite finds nothing wrong in the file, and no trial in it is unfinished."""
    with closing(sqlite3.connect(path)) as connection:
        states = {row[0] for row in connection.execute("SELECT DISTINCT state FROM trials")}
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert states <= {"COMPLETE", "PRUNED"}


def assert_same(path, other, name):
    """Both files hold the study with the same trials and weights, bit for bit."""
    assert_whole(path)
    assert table(path, name) == table(other, name)
    assert weights(path, name) == weights(other, name)


def snapshot(folder):
    """Every file under ``folder`` with its bytes, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def copied(path, folder):
    """A copy of the storage in ``folder``, its companion folder included."""
    shutil.copytree(f"{path}.files", folder / f"{path.name}.files")
    return Path(shutil.copy(path, folder))


def plan(model="linear", **changes):
    """A plan whose search takes a fraction of a second."""
    protocol = Protocol(steps=60, val_every=20)
    fields = {
        "protocol": protocol,
        "generation_size": GENERATION,
        "cohort_size": 2,
        "target": 0.035,
    }
    return Plan(model, **{"space": default_space(MODELS[model])} | fields | changes)
