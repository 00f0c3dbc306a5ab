"""Opening makes what is missing, refuses what is foreign, and reads without a trace."""

import os
import re
import sqlite3
from contextlib import closing

import optuna
import pytest

from study.errors import ResourceError, StudyError
from study.storage import load_study, open_study, record, study_names
from study.system import shell
from tests.helpers.children import ended, killed_at, start
from tests.helpers.storages import make_trial, snapshot, tables


def test_a_fresh_storage_equals_the_one_that_optuna_makes(path, study):
    """Tables, indexes, versions and the study's rows are Optuna's own, byte for byte."""
    own = path.with_name("own.db")
    optuna.create_study(study_name="linear", storage=f"sqlite:///{own}")

    assert tables(path) == tables(own)


def test_opening_again_changes_no_byte(path, study):
    """A study that is there is opened as it is."""
    before = snapshot(path.parent)

    open_study(str(path), "linear")

    assert snapshot(path.parent) == before


def test_two_studies_share_a_file(path):
    """Each name is a study of its own, oldest first."""
    open_study(str(path), "mlp")
    open_study(str(path), "linear")

    assert study_names(str(path)) == ["mlp", "linear"]


@pytest.mark.faults
@pytest.mark.matrix("F1")
def test_a_kill_while_creating_leaves_what_the_next_call_completes(path):
    """Killed at any database event, the storage is completed to that of a calm creation."""
    whole = path.with_name("whole.db")
    open_study(str(whole), "linear")
    k = 1
    while killed_at(k, lambda: open_study(str(path), "linear")):
        open_study(str(path), "linear")
        assert tables(path) == tables(whole)
        path.unlink()
        k += 1

    assert k > 20


@pytest.mark.matrix("F16")
def test_eight_processes_may_create_one_study_at_once(path):
    """Whoever is first creates; the rest open the same study."""
    pids = [start(lambda: open_study(str(path), "linear") and None) for _ in range(8)]

    assert [ended(pid) for pid in pids] == [0] * 8
    assert study_names(str(path)) == ["linear"]


def _foreign(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")


def _altered(*statements):
    def make(path):
        open_study(str(path), "linear")
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return make


def _truncated(path):
    open_study(str(path), "linear")
    os.truncate(path, path.stat().st_size - 5000)


def _overwritten(path):
    record(open_study(str(path), "linear"), [make_trial(k) for k in range(64)])
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 4096)


REFUSED = {
    "overwritten": (_overwritten, "is damaged: restore it from a copy, or name another file"),
    "text": (lambda p: p.write_text("<html>" * 999), "is not an SQLite database: name another"),
    "short": (lambda p: p.write_text("SQLite"), "is not an SQLite database: name another file"),
    "foreign": (_foreign, "is another application's database (with 'bookmarks'): name a new file"),
    "truncated": (_truncated, "is damaged: restore it from a copy"),
    "wal": (_altered("PRAGMA journal_mode=WAL"), "`{wal}` first"),
    "older": (
        _altered("UPDATE alembic_version SET version_num='v2.6.0.a'"),
        "`optuna storage upgrade --storage {url}`",
    ),
    "absent": (_altered("DROP TABLE alembic_version"), "`optuna storage upgrade --storage {url}`"),
    "newer": (
        _altered("UPDATE alembic_version SET version_num='v9.0.0.a'"),
        "newer Optuna (schema 'v9.0.0.a'): run `pip install -U optuna`",
    ),
    "columns": (
        _altered("ALTER TABLE studies RENAME study_name TO title"),
        "does not have Optuna's tables: name another file",
    ),
}


VERSIONS = {"older", "absent", "newer", "columns"}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.matrix("F10" if kind in VERSIONS else "F8"))
        for kind in REFUSED
    ],
)
@pytest.mark.parametrize("opened", [open_study, load_study])
def test_a_storage_that_is_not_ours_is_refused_untouched(kind, opened, path):
    """A file of another kind, application or schema version keeps its bytes and neighbours."""
    make, complaint = REFUSED[kind]
    make(path)
    before = snapshot(path.parent)

    with pytest.raises(StudyError) as caught:
        opened(str(path), "linear")

    assert str(caught.value).startswith(str(path))
    url, wal = [f"sqlite:///{path}"], ["sqlite3", str(path), "PRAGMA journal_mode=DELETE"]
    assert complaint.format(path=path, url=shell(url), wal=shell(wal)) in str(caught.value)
    assert snapshot(path.parent) == before


@pytest.mark.parametrize("directions", [["maximize"], ["minimize", "minimize"]])
def test_a_study_of_another_direction_is_refused_untouched(directions, path):
    """Only a study that minimises one value is opened."""
    optuna.create_study(study_name="l", storage=f"sqlite:///{path}", directions=directions)
    before = snapshot(path.parent)

    with pytest.raises(StudyError, match=f"its direction is {', '.join(directions)}, not minim"):
        open_study(str(path), "l")

    assert snapshot(path.parent) == before


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "\u202eabc", "\ud800", "x" * 100_000])
@pytest.mark.matrix("F12")
def test_a_name_that_hides_or_floods_is_refused(name, path):
    """Empty, unprintable and overlong names make no study, and no file."""
    with pytest.raises(StudyError, match="study name") as caught:
        open_study(str(path), name)

    assert len(str(caught.value)) < 200
    assert list(path.parent.iterdir()) == []


def test_loading_a_missing_file_creates_none(path):
    """A mistyped path is said to be missing, not created."""
    with pytest.raises(StudyError, match="there is no such file"):
        load_study(str(path), "linear")

    assert list(path.parent.iterdir()) == []


def test_loading_a_missing_study_lists_those_that_are_there(path, study):
    """The message says what could have been meant."""
    with pytest.raises(StudyError, match=r"study 'mpl' in .*: is not there: it holds 'linear'$"):
        load_study(str(path), "mpl")


def test_a_loaded_study_can_not_write(path, study):
    """Reading only is enforced by SQLite, and the trials are all there."""
    record(study, [make_trial(0)])
    loaded = load_study(str(path), "linear")
    before = snapshot(path.parent)

    with pytest.raises(optuna.exceptions.StorageInternalError):
        loaded.set_user_attr("a", 1)
    with pytest.raises(ResourceError, match=f"^{re.escape(str(path))}: can't be written"):
        record(loaded, [make_trial(1)])

    assert [t.params for t in loaded.trials] == [make_trial(0).params]
    assert snapshot(path.parent) == before


@pytest.mark.matrix("F17")
def test_loading_works_beside_a_writer_and_leaves_no_trace(path, study):
    """A reader sees the committed trials while a transaction is open, and creates nothing."""
    record(study, [make_trial(0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM trials")
        before = snapshot(path.parent)

        trials = load_study(str(path), "linear").trials

        assert snapshot(path.parent) == before
        writer.execute("ROLLBACK")
    assert len(trials) == 1


@pytest.mark.matrix("F17")
def test_one_read_is_one_snapshot(path, study, monkeypatch):
    """What is recorded between two queries of one read belongs to the next read."""
    record(study, [make_trial(0)])
    loaded = load_study(str(path), "linear")
    with loaded._storage._backend.engine.begin() as reader:
        first = reader.exec_driver_sql("SELECT count(*) FROM trials").scalar()
        with closing(sqlite3.connect(path, timeout=0)) as writer:
            writer.execute("DELETE FROM trials")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                writer.commit()
        second = reader.exec_driver_sql("SELECT count(*) FROM trials").scalar()

    assert (first, second) == (1, 1)
