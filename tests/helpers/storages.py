"""What a storage and its folder hold, and how two of them are compared."""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

SPACE = {
    "learning_rate": FloatDistribution(1e-5, 1, log=True),
    "hidden_units": IntDistribution(16, 128, log=True),
}


def make_trial(k, state=TrialState.COMPLETE, value=0.02, **changes):
    """The finished trial ``k`` of a search, with everything that a trial can carry."""
    start = datetime(2024, 7, 1, 12, 0, 0, 123456) + timedelta(seconds=k)
    fields = {
        "number": -1,
        "trial_id": -1,
        "state": state,
        "value": value,
        "datetime_start": start,
        "datetime_complete": start + timedelta(seconds=0.5),
        "params": {"learning_rate": 0.01 * (k + 1), "hidden_units": 16 + k},
        "distributions": SPACE,
        "user_attrs": {"seed": k, "curve": "0.5 0.25", "wide": [k, {"é": None}]},
        "system_attrs": {"generation": k // 4},
        "intermediate_values": {0: 0.5, 50: float("nan"), 99: float("inf"), 200: 0.02},
    }
    return FrozenTrial(**fields | changes)


def tables(path):
    """Every row of every table in ``path``, with the schema; the file is whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = {"schema": connection.execute("SELECT name, sql FROM sqlite_master").fetchall()}
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'"):
            rows[name] = connection.execute(f"SELECT * FROM {name}").fetchall()
    return {name: sorted(content, key=repr) for name, content in rows.items()}


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
    """The files beside the database, but the lock's, with their bytes."""
    files = snapshot(Path(f"{path}.files", name))
    return {name: content for name, content in files.items() if name not in ("lock", "holder")}


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
