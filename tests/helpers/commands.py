"""Commands: in processes of their own, or in this one, and how they end."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import NamedTuple
from unittest import mock

from . import preloaded
from .plans import SHORT

KILLED = 1 if os.name == "nt" else -signal.SIGKILL  # the status of who was killed
PATIENCE_S = 300  # for what takes seconds, on a machine that does much else


TRAINING = ("study", "study.search", "study.confirm", "study.sweep")
WORKERS = {"--jobs", "--backend", "--dask", "--trial-timeout", "--help"}


def modest(name, options):
    """The options of a command, with one job if they do not say what trains.

    The command then trains in its own process: a server of workers costs it more than a second.
    """
    options = [*map(str, options)]
    word = options[0] if name == "study" and options and options[0][:1] != "-" else "study"
    trains = name in TRAINING and word in ("study", "search", "confirm", "sweep")
    return [*options, "--jobs", "1"] if trains and not WORKERS.intersection(options) else options


class Result(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def module(name, *options):
    """The command line of a module."""
    return [sys.executable, "-m", name, *map(str, options)]


def command(model, *options, module="study.search"):
    """The command line of a search."""
    return [sys.executable, "-m", module, "--model", model, *map(str, options)]


def start(arguments, folder, *, is_fresh=False, **popen):
    """Start a process in ``folder``, in a process group of its own.

    A command of the package is forked from a process that has imported its libraries, where
    that makes no difference; ``is_fresh`` starts an interpreter all the same. It has one job,
    unless it says otherwise.
    """
    if [*map(str, arguments[:2])] == [sys.executable, "-m"]:
        arguments = [*arguments[:3], *modest(arguments[2], arguments[3:])]
    env = {k: v for k, v in os.environ.items() if k != "OPTUNA_STORAGE"} | popen.pop("env", {})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | popen
    if not is_fresh and preloaded.can_start(arguments, env, streams):
        return preloaded.Process(list(map(str, arguments)), folder, env, **streams)
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
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    process.wait()


def concurrently(function, *arguments):
    """The function's values, computed on as many threads as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, *arguments))


def wait_for(condition, process):
    """Wait until the condition holds; at once when the process has ended before."""
    try:
        until(lambda: process.poll() is not None or condition(), "a running process")
    except AssertionError:
        kill(process)
        raise


def until(condition, what):
    """Wait for a condition, and say what was waited for in vain."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)


def here(name, *options, folder="."):
    """The command ``python -m NAME`` in this process, which has imported everything already."""
    found, before = import_module(name), signal.getsignal(signal.SIGTERM)
    main = getattr(found, "main", None) or import_module(f"{name}.command").main
    out, err = io.StringIO(), io.StringIO()
    try:
        with (
            contextlib.chdir(folder),
            mock.patch.object(sys, "argv", [name, *modest(name, options)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = main()
    except SystemExit as left:  # argparse's refusals
        status = left.code
    finally:
        signal.signal(signal.SIGTERM, before)
    return Result(status, out.getvalue(), err.getvalue())


def assert_refused(result, *words):
    """Status 2 and one line on stderr that has all these words."""
    assert result.status == 2
    assert result.stdout == ""
    assert result.stderr.startswith("study: ")
    assert result.stderr.endswith("\n")
    assert len(result.stderr.splitlines()) == 1
    assert [word for word in words if word not in result.stderr] == []
