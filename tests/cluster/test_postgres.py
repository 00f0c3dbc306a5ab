"""PostgreSQL as a storage: dropped connections, two that come at once, names and holders."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from study.confirm.comparison import compare
from study.errors import BusyError, ResourceError, StudyError
from study.report import write
from study.search import Settings, search
from study.storage import lock, open_study, record, schema
from study.storage.postgresql import reconnecting
from tests.helpers.plans import confirmed, plan, searched
from tests.helpers.storages import make_trial

from .helpers import N_TRIALS, query

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_studies_of_the_longest_name_go_all_the_way(kind, request, tmp_path):
    """Two hundred letters, outside ASCII too, are searched, confirmed and reported."""
    url = tmp_path / "study.db"
    if kind == "PostgreSQL":
        url = request.getfixturevalue("server").database()
    names = ("a" * 200, "é" * 200)
    for model, name in zip(("linear", "mlp"), names, strict=True):
        search(plan(model), Settings(str(url), name, N_TRIALS))
    confirmed(url, names=names)
    page = write(str(url), tmp_path / "reports", linear=names[0], mlp=names[1])[0]

    assert compare(str(url), names).n_seeds == 2
    assert all(name in page.read_text() for name in names)


def test_a_longer_name_is_refused_before_it_is_searched(tmp_path):
    """Its confirmation would have no room."""
    with pytest.raises(StudyError, match="is too long: use at most 200 letters"):
        search(plan("linear"), Settings(str(tmp_path / "study.db"), "a" * 201, N_TRIALS))

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def making(server):
    """An empty database in which somebody makes the tables, without an end."""
    url = server.database()
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({schema._ALONE})"))
        yield url


def test_tables_that_another_makes_are_waited_for_and_not_for_ever(making, monkeypatch):
    """Then status 4, in one line."""
    monkeypatch.setattr(schema, "PATIENCE_S", 0.1)

    with pytest.raises(BusyError, match="is locked by another program: wait for it or stop it"):
        open_study(making, "linear")


def test_tables_that_are_there_are_not_waited_for(server, monkeypatch):
    """Opening and reading take no lock but the study's own."""
    url = server.database()
    open_study(url, "linear")
    monkeypatch.setattr(schema, "create_schema", None)
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({schema._ALONE})"))
        open_study(url, "mlp")


def _refused(url):
    with pytest.raises(BusyError) as caught, lock(url, "linear"):
        pytest.fail("was let in")
    return str(caught.value)


def test_the_holder_of_a_study_in_another_database_is_not_named(server, monkeypatch):
    """Studies of all databases of a server are locked by the same numbers."""
    others = [server.database() for _ in range(3)]
    with ExitStack() as stack:
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        for url in others:
            stack.enter_context(lock(url, "linear"))
        monkeypatch.setattr(socket, "gethostname", lambda: "here")
        own = server.database()
        stack.enter_context(lock(own, "linear"))

        assert " on here since " in _refused(own)


def test_a_machine_of_a_long_name_does_not_hide_since_when_it_searches(server, monkeypatch):
    """The server keeps 63 bytes: the name is cut, the date is not."""
    monkeypatch.setattr(socket, "gethostname", lambda: "n" * 64)
    url = server.database()
    with lock(url, "linear"):
        said = _refused(url)

    assert re.search(r"by pid \d+ on n+ since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d: ", said)


def _connections(url):
    """How many there are to the database, but for the one that asks."""
    words = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
    return query(url, words)


def test_a_search_keeps_one_connection_and_a_confirmation_four(server):
    """Those of their locks, while nothing is read or recorded."""
    url, during = server.database(), {"search": set(), "confirm": set()}
    searched(url, progress=lambda work, best: during["search"].add(_connections(url)))
    searched(url, "mlp")
    confirmed(url, lambda done, total: during["confirm"].add(_connections(url)))

    assert during == {"search": {1}, "confirm": {4}}


def test_nothing_stays_connected(server):
    """A search that has ended leaves no connection, and no lock."""
    url = server.database()
    searched(url)

    assert _connections(url) == 0
