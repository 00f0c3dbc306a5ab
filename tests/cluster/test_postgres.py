"""PostgreSQL as a storage: restarts, dropped connections, and two that come at once."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from study.errors import BusyError, ResourceError
from study.storage import open_study, reconnecting, record
from tests.storage.helpers import make_trial

from .helpers import rows, searched

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_server_that_crashes_in_the_middle_of_a_search_changes_nothing(calm, server, caplog):
    """The search waits until it is back, and the table is that of a calm search."""
    if server.embedded is None:
        pytest.skip("the server that TEST_DATABASE_URL names is not ours to stop")
    url, crashed = server.database(), []

    def crash_once(work, best):
        if best is not None and not crashed:  # the first generation is recorded
            crashed.append(server.crash())

    class Starter(logging.Handler):
        def emit(self, message):
            if "has gone away" in message.getMessage():
                server.start()

    starter = Starter()
    logging.getLogger("study.storage.reconnecting").addHandler(starter)
    try:
        searched(url, progress=crash_once)
    finally:
        logging.getLogger("study.storage.reconnecting").removeHandler(starter)

    assert crashed
    assert "has gone away" in caplog.text
    assert rows(url) == rows(calm)


@pytest.fixture
def study(server):
    """An empty study on the server."""
    return open_study(server.database(), "linear")


def _engine(study):
    return study._storage._backend.engine


def _lose_once(study, when):
    """End the connection once, at an event of the study's engine."""
    lost = []

    def lose(connection, *_):
        if not lost:
            lost.append(True)
            other = create_engine(_engine(study).url, poolclass=NullPool)
            with other.connect() as killer:
                killer.execute(text(TERMINATE))

    event.listen(_engine(study), when, lose)
    return lost


def test_a_connection_dropped_before_the_commit_costs_nothing(study):
    """The generation is recorded on a fresh one, once."""
    lost = _lose_once(study, "commit")

    record(study, [make_trial(k) for k in range(3)], {"seal": "s"}, first=0)

    assert lost
    assert [trial.number for trial in study.trials] == [0, 1, 2]


def test_a_commit_whose_answer_is_lost_is_not_made_twice(study, monkeypatch):
    """What was committed is seen by the seal."""
    from study.storage import bulk

    whole, tries = bulk.append, []

    def losing(*arguments):
        tries.append(whole(*arguments))
        raise OperationalError("COMMIT", {}, Exception("connection lost"))

    monkeypatch.setattr(bulk, "append", losing)
    monkeypatch.setattr(reconnecting, "_PAUSE_S", 0)
    record(study, [make_trial(k) for k in range(3)], {"seal": "s"}, first=0)

    assert tries == [True]
    assert len(study.trials) == 3


def test_trials_of_another_search_are_not_appended_to(study):
    """A lock that a restart has lost does no harm: the second to record is refused."""
    record(study, [make_trial(0)], {"seal": "one"}, first=0)

    with pytest.raises(BusyError, match="has 1 trials and had 0: another search appends"):
        record(study, [make_trial(9)], {"seal": "another"}, first=0)

    assert len(study.trials) == 1


def test_a_server_that_stays_away_is_told_in_one_line(study, monkeypatch):
    """After a minute, with the status of a missing resource and no password."""
    monkeypatch.setattr(reconnecting, "PATIENCE_S", 0.1)

    def refuse(*_):
        raise OperationalError("connect", {}, Exception("refused"))

    event.listen(_engine(study), "do_connect", refuse)
    with pytest.raises(ResourceError, match="the database server does not answer"):
        record(study, [make_trial(0)], {"seal": "s"})


def test_two_that_come_at_once_make_the_tables_once(server):
    """Neither search fails on tables that the other is making."""
    url = server.database()

    with ThreadPoolExecutor(4) as threads:
        names = ["linear", "mlp", "a", "b"]
        made = list(threads.map(lambda name: open_study(url, name).study_name, names))

    assert made == names


def test_a_name_of_the_longest_kind_fits(server):
    """Two hundred letters, outside ASCII too."""
    url, name = server.database(), "é" * 200

    searched(url)
    record(open_study(url, name), [make_trial(0)], {"seal": "s"})

    assert len(open_study(url, name).trials) == 1


def test_nothing_stays_connected(server):
    """A search that has ended leaves no connection, and no lock."""
    url = server.database()
    searched(url)

    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        count = connection.scalar(
            text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        )

    assert count == 1
