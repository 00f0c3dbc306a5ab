"""Full disks, read-only files and wrapped errors end in one line with the right status."""

import errno
import os
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from study.errors import BusyError, ResourceError, StudyError
from study.explain import explain
from study.storage import lock, open_study, record, save_weights
from study.storage import opening as opening_module
from tests.helpers import posix
from tests.helpers.children import forked
from tests.helpers.storages import make_trial, snapshot, tables

resource = posix.module("resource")

TRIALS = [make_trial(k, user_attrs={"curve": "x" * 3000}) for k in range(64)]


def _limited(size, work):
    """Run ``work`` in a child whose files can't grow beyond ``size`` bytes; its status."""

    def child():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            work()
        except StudyError as error:
            return error.status
        return 0

    return forked(child)


@pytest.mark.parametrize("size", [0, 512, 4096, 20_000, 60_000, 100_000])
def test_a_disk_that_is_full_while_creating_is_said_so_and_survived(size, path):
    """Exit status 5; with space again, the next call makes the storage."""
    assert _limited(size, lambda: open_study(str(path), "linear")) == 5

    record(open_study(str(path), "linear"), TRIALS)

    assert len(tables(path)["trials"]) == 64


@pytest.mark.parametrize("size", [110_000, 150_000, 200_000, 300_000])
def test_a_disk_that_is_full_while_recording_loses_nothing(size, path, study):
    """Exit status 5, finished trials kept, none of the new; with space again it goes on."""
    record(study, [make_trial(0)])
    before = tables(path)

    assert _limited(size, lambda: record(open_study(str(path), "linear"), TRIALS)) == 5
    assert tables(path) == before
    record(study, TRIALS)

    assert [t.number for t in study.trials] == list(range(65))


@pytest.mark.matrix("F5")
def test_a_full_database_is_said_to_be_full(path, study):
    """SQLite's own limit arrives as a full disk, by the storage's name."""
    engine = study._storage._backend.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    before = tables(path)

    with pytest.raises(
        ResourceError, match=f"^{re.escape(str(path))}: the disk is full: free some space"
    ):
        record(study, TRIALS)

    assert tables(path) == before


def test_full_disks_found_by_optuna_are_explained(path, study):
    """Optuna's wrapped error is looked through to its cause."""
    with study._storage._backend.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(optuna.exceptions.StorageInternalError) as caught:
        study.set_user_attr("a", "x" * 99_999)

    known = explain(caught.value, "study.db")

    assert isinstance(known, ResourceError)
    assert (
        str(known) == "study.db: the disk is full: free some space and run the same command again"
    )


@pytest.mark.matrix("F5")
def test_weights_that_do_not_fit_leave_the_old_ones(tmp_path):
    """Exit status 5, the old file whole, no draft left."""
    import numpy as np

    save_weights(tmp_path / "w", {"a": np.zeros(9)}, {})
    before = snapshot(tmp_path)

    status = _limited(4096, lambda: save_weights(tmp_path / "w", {"a": np.zeros(9999)}, {}))

    assert status == 5
    assert snapshot(tmp_path) == before


def _unprivileged(work):
    """Run ``work`` in a child that file modes apply to; its status."""

    def child():
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            work()
        except StudyError as error:
            return error.status
        return 0

    return forked(child)


@pytest.fixture
def public():
    """A folder that any user can reach, with a storage in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder, "study.db")
        open_study(str(path), "linear")
        path.parent.chmod(0o777)
        path.chmod(0o666)
        yield path
        path.parent.chmod(0o777)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o666)])
@pytest.mark.matrix("F7")
def test_a_read_only_storage_can_be_read_but_not_searched(folder_mode, file_mode, public):
    """Opening exits 5 with nothing changed; loading works."""
    public.chmod(file_mode)
    public.parent.chmod(folder_mode)
    before = snapshot(public.parent)

    assert _unprivileged(lambda: open_study(str(public), "linear")) == 5
    assert _unprivileged(lambda: open_study(str(public), "new")) == 5
    assert _unprivileged(lambda: opening_module.load_study(str(public), "linear").trials) == 0
    assert snapshot(public.parent) == before


@pytest.mark.parametrize(
    "work",
    [
        lambda p: open_study(str(p.with_name("new.db")), "linear"),
        lambda p: lock(str(p), "linear").__enter__(),
        lambda p: save_weights(p.with_name("w"), {}, {}),
    ],
    ids=["open_study", "lock", "save_weights"],
)
@pytest.mark.matrix("F7")
def test_a_read_only_folder_is_a_resource_error_and_stays_empty(work, public):
    """Nothing can be made there, and the status is 5."""
    public.parent.chmod(0o555)
    before = snapshot(public.parent)

    assert _unprivileged(lambda: work(public)) == 5
    assert snapshot(public.parent) == before


@pytest.mark.matrix("F7")
def test_an_unreadable_storage_is_a_resource_error(public):
    """Permission to read is asked for in one line, status 5."""
    public.chmod(0)

    assert _unprivileged(lambda: opening_module.load_study(str(public), "linear")) == 5


@pytest.mark.matrix("F17")
def test_a_storage_that_stays_locked_is_busy(path, study, monkeypatch):
    """Another program's transaction that outlasts the wait ends in status 4."""
    monkeypatch.setattr(opening_module, "TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            BusyError, match=f"^{re.escape(str(path))}: is locked by another program"
        ):
            record(open_study(str(path), "linear"), TRIALS)


def test_a_cause_is_found_however_deep():
    """Causes and contexts of any depth are looked through, and a circle ends."""
    deep = AssertionError("Should not reach.")
    deep.__context__ = RuntimeError("outer")
    deep.__context__.__cause__ = OSError(28, "No space left on device", "/x/y")
    deep.__context__.__cause__.__context__ = deep

    assert str(explain(deep)).startswith("/x/y: the disk is full")


def test_a_file_that_can_not_be_replaced_is_named_and_not_the_new_one():
    """On Windows another program may have it open; the file beside it is nobody's."""
    refused = PermissionError(errno.EACCES, "denied", ".1.tmp", None, "index.html")

    assert str(explain(refused)).startswith("index.html: can't be opened: ")


@pytest.mark.parametrize("bug", [ValueError("x"), KeyError("y"), AssertionError(), OSError()])
def test_a_bug_is_not_explained_away(bug):
    """What no disk or database said stays an error of ours."""
    assert explain(bug) is None


def test_a_database_server_that_is_not_there_is_named_without_its_password():
    """A refused connection is a resource error; the URL's password is not in it."""
    from sqlalchemy.exc import OperationalError

    refused = OperationalError("SELECT 1", {}, ConnectionRefusedError(111, "Connection refused"))

    known = explain(refused, "postgresql://me:***@host/db")

    assert isinstance(known, ResourceError)
    assert "the database server does not answer" in str(known)
