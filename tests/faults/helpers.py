"""Tiny searches in forked children, the state that they leave, and what it must equal."""

import dataclasses
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from study.report.record import ReportedStudy
from tests.helpers import plans
from tests.helpers.storages import weights

NAME, N_TRIALS = "linear", 8


def search(path, n_trials=N_TRIALS, progress=None, **changes):
    """A search of two generations, in this process."""
    return plans.search(path, NAME, n_trials, plans.plan(**changes), progress)


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
    if isinstance(value, ReportedStudy):
        return shown(_read_of(value))
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


def _read_of(study):
    """What a report takes of a study, and not the reader that it takes it from."""
    own = {f.name: getattr(study, f.name) for f in dataclasses.fields(study) if f.name != "stored"}
    names = ("name", "manifest", "model", "protocol", "trials", "times", "digest")
    stored = {"unfinished": dict(study.stored.others), "machine": study.stored.machine}
    return own | {name: getattr(study, name) for name in names} | stored


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
