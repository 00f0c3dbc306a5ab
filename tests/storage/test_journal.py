"""A writer that was killed while it wrote into the file itself, with its journal left."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from study.errors import StudyError
from study.storage import load_study, open_study, record
from tests.helpers.children import forked
from tests.helpers.storages import make_trial, snapshot, tables


def _killed_writer(path):
    """Spoil ``path`` half way through a transaction that spills to the disk."""

    def work():
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA cache_size=1")
        connection.execute("BEGIN")
        connection.execute("UPDATE trial_user_attributes SET value_json = '\"spoiled\"'")
        connection.execute("UPDATE studies SET study_name = 'spoiled'")
        connection.execute("CREATE TABLE spoiled AS SELECT * FROM trial_user_attributes")
        os.kill(os.getpid(), signal.SIGKILL)

    assert forked(work) == -signal.SIGKILL
    assert path.with_name("study.db-journal").stat().st_size > 0


@pytest.fixture
def recorded(path, study):
    """A storage with trials, and its tables."""
    record(study, [make_trial(k, user_attrs={"curve": "0.5 " * 999}) for k in range(8)])
    return tables(path)


@pytest.mark.matrix("F8")
def test_reading_sees_the_state_before_and_touches_nothing(path, recorded, study):
    """The half transaction is undone in memory; file and journal stay for the next writer."""
    _killed_writer(path)
    before = snapshot(path.parent)

    trials = load_study(str(path), "linear").trials

    assert [t.user_attrs["curve"] for t in trials] == ["0.5 " * 999] * 8
    assert snapshot(path.parent) == before
    assert tables(path) == recorded  # read by SQLite itself, which undoes it in the file


@pytest.mark.matrix("F8")
def test_opening_undoes_it_and_goes_on(path, recorded, study):
    """The next search finds the trials that were there, and appends."""
    _killed_writer(path)

    reopened = open_study(str(path), "linear")
    assert tables(path) == recorded
    record(reopened, [make_trial(8)])

    assert [t.number for t in load_study(str(path), "linear").trials] == list(range(9))


@pytest.mark.matrix("F8")
def test_another_application_keeps_its_half_transaction(path):
    """A foreign file with a journal is refused with both as they were."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE trial_user_attributes (value_json)")
        connection.execute("CREATE TABLE studies (study_name)")
        rows = [("x" * 999,) for _ in range(99)]
        connection.executemany("INSERT INTO trial_user_attributes VALUES (?)", rows)
        connection.commit()
    _killed_writer(path)
    before = snapshot(path.parent)

    with pytest.raises(StudyError, match="another application's database"):
        open_study(str(path), "linear")

    assert snapshot(path.parent) == before


@pytest.mark.posix("Windows replaces no file that is open")
@pytest.mark.matrix("F8")
def test_a_journal_of_another_file_is_refused_untouched(path, recorded, study):
    """A journal that would undo the wrong pages is caught in the copy."""
    other = path.with_name("other.db")
    record(open_study(str(other), "x"), [make_trial(k, user_attrs={}) for k in range(99)])
    other.replace(path)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [("y" * 999,) for _ in range(99)])
        connection.commit()
    journal = path.with_name("study.db-journal")

    def work():
        connection = sqlite3.connect(other, isolation_level=None)
        connection.execute("PRAGMA cache_size=1")
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET a = upper(a)")
        os.kill(os.getpid(), signal.SIGKILL)

    assert forked(work) == -signal.SIGKILL
    path.with_name("other.db-journal").replace(journal)
    before = snapshot(path.parent)

    with pytest.raises(StudyError):
        open_study(str(path), "x")

    assert snapshot(path.parent) == before
