"""Trials to record, tables to compare, and children to kill."""

import os
import signal
import sqlite3
import warnings
from contextlib import closing
from datetime import datetime, timedelta

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.engine import Engine

SPACE = {
    "learning_rate": FloatDistribution(1e-5, 1, log=True),
    "hidden_units": IntDistribution(16, 128, log=True),
}
EVENTS = (
    *("connect", "checkout", "begin", "before_cursor_execute", "after_cursor_execute"),
    *("commit", "rollback", "checkin", "reset", "close"),
)


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


def snapshot(folder):
    """Every file under ``folder`` with its bytes, and every folder."""
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def in_child(work):
    """Run ``work`` in a forked child; its exit status, or minus the signal that ended it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads
        pid = os.fork()
    if pid == 0:
        status = 70
        try:
            optuna.logging.set_verbosity(optuna.logging.ERROR)
            status = work() or 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_at(k, work):
    """Run ``work`` in a child that is killed at its database event ``k``; was it?"""

    def doomed():
        left = iter(range(k - 1))
        for name in EVENTS:
            event.listen(Engine, name, lambda *_: next(left, None) is None and _die())
        work()

    status = in_child(doomed)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def _die():
    os.kill(os.getpid(), signal.SIGKILL)
