"""A PostgreSQL server that restarts, and a lock whose connection is dropped."""

import logging
import os
import socket
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url

from study.errors import BusyError, ResourceError
from study.storage import load_study, lock, open_study, opening, record
from study.storage.postgresql import reconnecting
from study.storage.postgresql.lock import _held, _key
from study.storage.searched import Searched
from tests.confirm.helpers import here
from tests.helpers.commands import command, run
from tests.helpers.plans import confirmed, searched
from tests.helpers.storages import make_trial

from .helpers import N_TRIALS, Router, query, rows

PARTS = ("linear/replicates", "linear/splits", "mlp/replicates", "mlp/splits")


@pytest.fixture
def mortal(server):
    """A server to crash, which starts again as soon as somebody waits for it."""
    if server.embedded is None:
        pytest.skip("the server that TEST_DATABASE_URL names is not ours to stop")

    class Starter(logging.Handler):
        def emit(self, message):
            if "has gone away" in message.getMessage():
                server.start()

    starter, log = Starter(), logging.getLogger("study.storage.postgresql.reconnecting")
    log.addHandler(starter)
    yield server
    log.removeHandler(starter)
    server.start()


def _once(deed):
    """Does the deed at its first call; says then whether it was done."""
    done = []
    return lambda *_: done or done.append(deed())


def test_a_crash_in_the_middle_of_a_search_changes_nothing(calm, mortal, caplog):
    """The search waits until the server is back, and the table is that of a calm search."""
    url, crash = mortal.database(), _once(mortal.crash)
    searched(url, progress=lambda work, best: best is not None and crash())

    assert crash()
    assert "has gone away" in caplog.text
    assert rows(url) == rows(calm)


def test_a_crash_in_the_middle_of_a_confirmation_changes_nothing(calmly_confirmed, mortal):
    """Four locks and four studies, and the same tables."""
    url, crash = mortal.database(), _once(mortal.crash)
    for model in ("linear", "mlp"):
        searched(url, model)
    confirmed(url, lambda done, total: crash())

    assert crash()
    for name in PARTS:
        assert rows(url, name) == rows(calmly_confirmed, name)


@pytest.mark.faults
def test_crashes_between_the_parts_of_a_run_change_nothing(mortal, tmp_path, monkeypatch):
    """The searches, and the report, find the server gone when they begin."""
    import study.command as run

    url, parts = mortal.database(), []
    options = ("--steps", 60, "--n-trials", 4, "--no-confirm", "--out", tmp_path / "reports")
    calm = here("study", tmp_path / "study.db", *options)

    def crashing(part):
        def begin(*arguments, **options):
            if parts:
                mortal.crash()
            parts.append(part)
            return part(*arguments, **options)

        return begin

    for name in ("run_searches", "run_report"):
        monkeypatch.setattr(run, name, crashing(getattr(run, name)))

    assert calm.status == here("study", url, *options).status == 0
    assert len(parts) == 2
    assert rows(url) == rows(tmp_path / "study.db")
    assert rows(url, "mlp") == rows(tmp_path / "study.db", "mlp")


def test_a_crash_between_two_reads_is_waited_for(mortal, monkeypatch):
    """As while a report is being written: after the studies' names, and after a study."""
    url, names = searched(mortal.database()), opening.study_names
    monkeypatch.setattr(opening, "study_names", lambda url: [*names(url), mortal.crash()])
    study = load_study(url, "linear")
    mortal.crash()

    assert len(Searched.of(study).trials) == N_TRIALS


def test_a_server_that_never_answered_is_refused_at_once(monkeypatch):
    """It may not be there at all."""
    monkeypatch.setattr(reconnecting.time, "sleep", lambda _: pytest.fail("waits"))
    url = "postgresql+psycopg://127.0.0.1:9/study"

    for work in (open_study, load_study):
        with pytest.raises(ResourceError, match=r"does not answer \(.*Connection refused"):
            work(url, "linear")


LOCKS = """FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND datname = current_database()"""


def _end_locks(url):
    """End the connections of locks, and no others, and wait for that; how many."""
    return query(url, f"SELECT count(pg_terminate_backend(pid, 10_000)) {LOCKS}")


def test_a_lock_that_was_dropped_is_taken_again(calm, server, tmp_path):
    """By the next generation; a second search is refused then as before."""
    url, dropped, refused = server.database(), [], []

    def drop(work, best):
        if best is not None and not dropped:  # a generation is recorded
            dropped.append(_end_locks(url))
        elif dropped and not refused and query(url, f"SELECT count(*) {LOCKS}"):
            refused.append(run(command("linear", "--storage", url), tmp_path))

    searched(url, progress=drop)

    assert dropped == [1]
    assert [result.status for result in refused] == [4]
    assert f"being searched by pid {os.getpid()} on " in refused[0].stderr
    assert rows(url) == rows(calm)


def test_a_lock_that_was_dropped_still_counts_in_its_own_process(server):
    """A second search there does not get it in the place of the first."""
    url = server.database()
    with lock(url, "linear"):
        _end_locks(url)
        with pytest.raises(BusyError, match=f"by pid {os.getpid()} on "), lock(url, "linear"):
            pytest.fail("was let in")


def test_a_lock_that_another_has_taken_meanwhile_ends_the_search(server):
    """Status 4, with nothing recorded."""
    url = server.database()
    with lock(url, "linear"):
        study = open_study(url, "linear")
        _end_locks(url)
        with (
            _another(url),
            pytest.raises(BusyError, match="being searched by another: wait for it or stop it"),
        ):
            record(study, [make_trial(0)], first=0)

    assert study.trials == []


@contextmanager
def _another(url):
    """A search of the study linear, in another process for all that the server knows."""
    from sqlalchemy import create_engine

    engine = create_engine(url, connect_args={"application_name": "another"})
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({_key('linear')})")
        yield
        connection.invalidate()


@pytest.fixture
def routed(server):
    """A router before the server, and the URL of an empty database behind it."""
    if server.embedded is None:
        pytest.skip("where the socket of TEST_DATABASE_URL lies is not known")
    url = make_url(server.database())
    router = Router(f"{url.query['host']}/.s.PGSQL.5432")
    behind = url.set(host="127.0.0.1", port=router.port, query={})
    yield router, behind.render_as_string(hide_password=False)
    router.close()


def test_a_lock_that_a_router_forgot_is_taken_again(routed):
    """Though the server holds it still for the end that is gone."""
    router, url = routed
    with lock(url, "linear"):
        study = open_study(url, "linear")
        router.forget()
        record(study, [make_trial(0)], first=0)

        assert query(url, f"SELECT count(*) {LOCKS}") == 1

    assert len(study.trials) == 1


def test_an_idle_lock_is_heard_of_every_minute(routed):
    """So that routers remember it; and a minute of silence ends it."""
    _, url = routed
    with lock(url, "linear"):
        [held] = _held.values()
        with socket.socket(fileno=os.dup(held.connection.connection.fileno())) as end:
            idle = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            silence = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert (idle, silence) == (60, 60_000)
