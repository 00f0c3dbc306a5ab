"""Tiny searches in forked children, the state that they leave, and what it must equal."""

import dataclasses
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from study.errors import StudyError
from study.search import Settings
from study.search import search as search_here
from tests.search.helpers import plan, weights

NAME, N_TRIALS = "linear", 8


def search(path, n_trials=N_TRIALS, progress=None, **changes):
    """A search of two generations, in this process."""
    return search_here(plan(**changes), Settings(str(path), NAME, n_trials), progress)


def start(work, stderr=None):
    """Run ``work`` in a forked child; its pid. Its exit status is a command's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads
        pid = os.fork()
    if pid == 0:
        _be_child(work, stderr)
    return pid


def _be_child(work, stderr):
    status = 70
    try:
        import torch

        torch.set_num_threads(1)  # the parent's threads are not here
        os.setpgid(0, 0)
        if stderr is not None:
            os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            sys.stderr = os.fdopen(2, "w")
        status = work() or 0
    except StudyError as error:
        status = error.status
    except SystemExit as left:
        status = left.code
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 0)


def ended(pid):
    """Wait for a child; its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forked(work, stderr=None):
    """Run ``work`` in a child to its end."""
    return ended(start(work, stderr))


def kill(pid):
    """SIGKILL to the child and all that it has started."""
    for target in (os.killpg, os.kill):
        try:
            target(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def emptied(folder):
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


ROWS = {
    "trials": "number, state, value, value_type FROM trials JOIN trial_values USING (trial_id)",
    "params": "number, param_name, param_value, distribution_json FROM trials"
    " JOIN trial_params USING (trial_id)",
    "attributes": "number, key, value_json FROM trials JOIN trial_user_attributes"
    " USING (trial_id)",
    "intermediate": "number, step, intermediate_value FROM trials"
    " JOIN trial_intermediate_values USING (trial_id)",
}


def state(path):
    """What must be the same after any fault: every trial's rows, and the best ones' weights.

    Dates and ids are left out, and SQLite must find the file whole.
    """
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = {k: sorted(connection.execute(f"SELECT {sql}")) for k, sql in ROWS.items()}
    return rows, weights(path, NAME)


def shown(value):
    """Everything that a report is made of, as something that can be compared."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value) if field.compare)
        return {name: shown(getattr(value, name)) for name in names}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: shown(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [shown(part) for part in value]
    return repr(value)


@contextmanager
def tmpfs(folder, kilobytes):
    """A small disk of its own; ``None`` where this user may mount none."""
    options = f"size={kilobytes}k"
    line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if not _succeeds(line):
        yield None
        return
    try:
        yield Path(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _succeeds(line):
    found = shutil.which(line[0]) is not None
    return found and subprocess.run(line, check=False, capture_output=True).returncode == 0
