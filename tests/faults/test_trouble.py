"""F18, F19, F20: clocks that jump, workers that fail, models that diverge."""

import random
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from study import cli
from study.errors import ResourceError
from study.report.collect import collect
from study.search import loop
from study.training import work
from study.trials import best_of, frozen
from study.workers.threads import try_twice
from tests.helpers.plans import space_of

from .helpers import search, state

DURATIONS = """
SELECT julianday(datetime_complete) - julianday(datetime_start) FROM trials
"""


class _Jumping(datetime):
    """A clock that is a day off either way, anew each time one looks."""

    moments = random.Random(0)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=cls.moments.uniform(-86400, 86400))


def durations(path):
    with closing(sqlite3.connect(path)) as connection:
        return [days for (days,) in connection.execute(DURATIONS)]


@pytest.mark.matrix("F18")
def test_a_clock_that_jumps_changes_no_trial(calm, tmp_path, monkeypatch):
    """The table is the same, and nothing lasted less than no time."""
    for module in (frozen, loop):
        monkeypatch.setattr(module, "datetime", _Jumping)
    path = tmp_path / "study.db"
    search(path, 24)
    monkeypatch.undo()
    search(path.with_name("calm.db"), 24)

    assert state(path) == state(path.with_name("calm.db"))
    assert min(durations(path)) >= 0


@pytest.mark.matrix("F18")
def test_a_time_zone_that_changes_between_two_runs_changes_nothing(calm, tmp_path, monkeypatch):
    """Recorded in Kathmandu, read and gone on with in New York."""
    path = tmp_path / "study.db"
    try:
        for size, zone in ((4, "Asia/Kathmandu"), (8, "America/New_York")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            search(path, size)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert state(path) == state(calm)
    assert 0 <= min(durations(path)) <= max(durations(path)) < 0.01


def _failing(monkeypatch, error, times):
    """Let the worker fail so many times before it works."""
    left, whole = iter(range(times)), work.train_on

    def doomed(*arguments, **options):
        if next(left, None) is not None:
            raise error
        return whole(*arguments, **options)

    monkeypatch.setattr(work, "train_on", doomed)


ERRORS = {
    "memory": MemoryError(),
    "torch's memory": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    "a bug": RuntimeError("tensor on fire"),
}


@pytest.mark.matrix("F19")
@pytest.mark.parametrize("error", ERRORS)
def test_a_worker_that_fails_once_is_tried_again(calm, tmp_path, monkeypatch, error):
    """And the table is the same."""
    _failing(monkeypatch, ERRORS[error], 1)

    search(tmp_path / "study.db")

    assert state(tmp_path / "study.db") == state(calm)


@pytest.mark.matrix("F19")
@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("memory", (5, "memory: there is none left: free some")),
        ("torch's memory", (5, "memory: there is none left: free some")),
        ("a bug", (1, "RuntimeError: tensor on fire: is a bug")),
    ],
)
def test_a_worker_that_keeps_failing_ends_in_one_line(calm, tmp_path, monkeypatch, error, line):
    """Finished trials are kept, and the next run goes on to the same table."""
    search(tmp_path / "study.db", 4)
    with monkeypatch.context() as patch:
        _failing(patch, ERRORS[error], 99)
        with pytest.raises(type(ERRORS[error])) as caught:
            search(tmp_path / "study.db")

    known = cli.explained(caught.value)
    search(tmp_path / "study.db")

    assert (known.status, str(known)[: len(line[1])]) == line
    assert state(tmp_path / "study.db") == state(calm)


@pytest.mark.matrix("F20")
@pytest.mark.parametrize("rates", [(1e36, 1e38), (1e-30, 1e-30)], ids=["diverging", "constant"])
def test_models_that_learn_nothing_are_results(tmp_path, rates):
    """They are recorded, told apart, and reported."""
    path = tmp_path / "study.db"
    outcome = search(path, space=space_of(rates))

    record = collect(str(path))
    still = [len(set(trial.curve["val_errors"])) == 1 for trial in outcome.trials]
    diverged = [trial.diverged_at is not None for trial in outcome.trials]
    assert (all(still), all(diverged)) == (rates[0] < 1, rates[0] > 1)
    assert record.searches[0].best.number == best_of(outcome.trials).number
    assert len(record.searches[0].trials) == 8


def test_a_refusal_is_not_tried_again():
    """What is wrong with the input is wrong the second time too."""
    seen = []

    def refusing():
        seen.append(1)
        raise ResourceError("x: y: z")

    with pytest.raises(ResourceError):
        try_twice(refusing)
    assert seen == [1]
