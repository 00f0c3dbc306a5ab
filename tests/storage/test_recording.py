"""Recording equals adding trial by trial, but all at once or not at all."""

import json
import sqlite3
import threading
import time
from contextlib import closing

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from study.storage import bulk, load_study, open_study, record
from tests.helpers.children import ended, events_of, killed_at, start
from tests.helpers.storages import make_trial, tables

INF = float("inf")


@pytest.fixture(autouse=True)
def _own_time_zone(monkeypatch):
    """What a test does to the time zone ends with it."""
    yield
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


GENERATION = [
    make_trial(0),
    make_trial(1, TrialState.PRUNED),
    make_trial(2, TrialState.PRUNED, value=None),
    make_trial(3, value=INF),
    make_trial(4, value=-INF),
    make_trial(5, TrialState.FAIL, value=None),
    make_trial(6, params={}, distributions={}, user_attrs={}, intermediate_values={}),
    make_trial(7, user_attrs={"": "", "nan": float("nan"), "n": None, "long": "é" * 3000}),
]


def _system_attrs(study):
    return study._storage.get_study_system_attrs(study._study_id)


@pytest.mark.posix("Windows sets no time zone for a process")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
@pytest.mark.matrix("F18")
def test_recording_writes_the_rows_that_add_trial_writes(zone, path, monkeypatch):
    """Every row of every table is the same, ids and times included, in two studies of a file."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    other = path.with_name("other.db")
    for name in ("mlp", "linear", "mlp"):
        record(open_study(str(path), name), GENERATION)
        one_by_one = open_study(str(other), name)
        for trial in GENERATION:
            one_by_one.add_trial(trial)

    assert tables(path) == tables(other)


@pytest.mark.matrix("F16")
def test_processes_that_record_at_once_share_out_the_numbers(path, study):
    """Two programs that append to one study never give a number twice."""

    def work():
        own = open_study(str(path), "linear")
        for k in range(10):
            record(own, [make_trial(k)])

    for pid in [start(work) for _ in range(4)]:
        ended(pid)

    assert [t.number for t in study.trials] == list(range(40))


def test_what_is_recorded_is_read_back_whole(path, study):
    """Numbers count on from the trials that are there; the rest is as it was given."""
    study.add_trial(make_trial(9))
    record(study, [make_trial(0), make_trial(1)])

    trials = study.trials

    assert [t.number for t in trials] == [0, 1, 2]
    assert [t.params for t in trials[1:]] == [make_trial(k).params for k in (0, 1)]
    assert trials[2].user_attrs == make_trial(1).user_attrs
    assert trials[2].datetime_start == make_trial(1).datetime_start


@pytest.mark.parametrize(
    ("size", "every"),
    [(8, 8), *(pytest.param(size, 1, marks=pytest.mark.faults) for size in (1, 8))],
)
@pytest.mark.matrix("F1")
def test_a_kill_while_recording_leaves_nothing_or_everything(size, every, path, study):
    """Killed at any database event, the trials are all there or none; then it goes on.

    In every run of the tests at some of them, and at each of the last, when all is committed.
    """
    record(study, GENERATION[:2])
    some, state = tables(path), path.read_bytes()
    record(study, GENERATION[:size], {"generation": 1})
    all_, seen = tables(path), []
    path.write_bytes(state)
    work = lambda: record(open_study(str(path), "linear"), GENERATION[:size], {"generation": 1})  # noqa: E731
    n_events = events_of(work)
    path.write_bytes(state)
    for k in sorted({*range(1, n_events + 1, every), *range(n_events - 9, n_events + 1)}):
        assert killed_at(k, work)
        seen.append(tables(path))
        assert seen[-1] in (some, all_)
        path.write_bytes(state)

    assert not killed_at(n_events + 1, work)
    assert some in seen
    assert all_ in seen
    assert tables(path) == all_


@pytest.mark.parametrize("error", [KeyboardInterrupt, TypeError])
def test_an_exception_half_way_rolls_everything_back(error, path, study, monkeypatch):
    """Ctrl-C and a value that JSON can't hold leave the file as it was."""
    record(study, GENERATION)
    before = path.read_bytes()

    def fail(_):
        raise error

    monkeypatch.setattr(bulk.json, "dumps", fail)
    with pytest.raises(error):
        record(study, GENERATION)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "bad",
    [
        make_trial(0, TrialState.RUNNING, value=None, datetime_complete=None),
        make_trial(0, value=float("nan")),
        make_trial(0, params={"learning_rate": 7.0, "hidden_units": 16}),
        make_trial(
            0,
            params={"learning_rate": 0.5, "hidden_units": 16.0},
            distributions={
                "learning_rate": FloatDistribution(0, 1),
                "hidden_units": FloatDistribution(0, 99),
            },
        ),
    ],
    ids=["running", "nan", "out of range", "another kind of parameter"],
)
def test_a_bad_trial_keeps_its_whole_generation_out(bad, path, study):
    """Unfinished and inconsistent trials are refused with everything beside them."""
    record(study, GENERATION)
    before = path.read_bytes()

    with pytest.raises(ValueError, match=r"."):
        record(study, [make_trial(1), bad])

    assert path.read_bytes() == before


def test_study_attributes_are_set_with_the_trials(path, study):
    """A system attribute of the study is added, then replaced in its row."""
    record(study, [make_trial(0)], {"generation": 1, "plan": [1, 2]})
    record(study, [make_trial(1)], [("generation", 2)])

    assert _system_attrs(load_study(str(path), "linear")) == {"generation": 2, "plan": [1, 2]}
    assert [row[0] for row in tables(path)["study_system_attributes"]] == [1, 2]


def test_an_unknown_schema_falls_back_to_add_trial(path, study, monkeypatch):
    """With tables of another revision, Optuna itself adds the trials."""
    other = path.with_name("other.db")
    record(open_study(str(other), "linear"), GENERATION, {"generation": 1})
    monkeypatch.setattr(bulk, "REVISION", "v0.0.0.x")
    monkeypatch.setattr(bulk, "_insert", None)

    record(study, GENERATION, {"generation": 1})

    assert tables(path) == tables(other)


def test_an_in_memory_study_takes_trials_too():
    """The planner's mirror is recorded to in the same way."""
    mirror = optuna.create_study()

    record(mirror, GENERATION, {"generation": 1})

    assert [t.value for t in mirror.trials] == [t.value for t in GENERATION]
    assert _system_attrs(mirror) == {"generation": 1}


def test_the_installed_optuna_has_the_schema_that_bulk_recording_knows(path, study):
    """When Optuna changes its tables, this says that ``bulk`` needs a look."""
    assert tables(path)["alembic_version"] == [(bulk.REVISION,)]


def test_a_recorded_study_is_read_by_plain_optuna(path, study):
    """``optuna.load_study`` and its data frame need nothing of ours."""
    record(study, GENERATION)

    frame = optuna.load_study(study_name="linear", storage=f"sqlite:///{path}").trials_dataframe()

    assert list(frame["number"]) == list(range(len(GENERATION)))
    assert json.loads(json.dumps(frame["user_attrs_seed"][3])) == 3


@pytest.mark.matrix("F17")
def test_a_reader_in_the_way_is_waited_for(path, study):
    """A read transaction of another program delays recording, and loses nothing."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM trials").fetchall()
        timer = threading.Timer(0.5, reader.execute, ["COMMIT"])
        timer.start()
        record(study, GENERATION)
        timer.join()

    assert len(study.trials) == len(GENERATION)
