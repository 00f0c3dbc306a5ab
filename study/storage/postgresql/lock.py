"""An advisory lock of a PostgreSQL server, which the processes of all machines see.

It lasts as long as a connection of its own: the server releases it even if its holder is killed.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from study.explain import explaining
from study.storage.holder import ANOTHER, PATIENCE_S, account, busy
from study.storage.postgresql.reconnecting import reconnecting
from study.storage.urls import label, shown

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row

_log = logging.getLogger(__name__)
_BACKEND = """
SELECT pid, backend_start, application_name AS account
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = :key AND granted
AND datname = current_database()
"""
# https://www.postgresql.org/docs/current/libpq-connect.html: an idle connection sends a sign of
# life every minute (s), so that no router forgets it, and is given up after one of silence (ms)
_ALIVE = {"keepalives_idle": 60, "tcp_user_timeout": 60_000}
_LONGEST = 63  # bytes of application_name that a server keeps


@dataclass(frozen=True)
class _Held:
    connection: "Connection"
    backend: "Row[Any]"  # the server's process at its other end


_held: dict[tuple[str, str], _Held] = {}  # the locks of this process, by URL and study


@contextmanager
def server_lock(url: str, name: str) -> Iterator[None]:
    """Hold the study ``name`` for the length of the block; see :func:`study.storage.lock`."""
    if (url, name) in _held:  # though its connection may be gone
        raise busy(url, name, _held[url, name].backend.account)
    with explaining(label(url)):
        _held[url, name] = reconnecting(url, lambda: _take(url, name))
    try:
        yield
    finally:
        _close(_held.pop((url, name)).connection)


def keep_lock(url: str, name: str) -> None:
    """Take the lock of a study again if its connection is gone.

    A server that restarts, and a network that drops an idle connection, release it silently.
    Nothing happens where this process holds no such lock.

    Raises:
        BusyError: Another process holds it by now.
    """
    held = _held.get((url, name))
    if held is not None and not _answers(held.connection):
        _log.warning("study %s in %s: its lock is gone, taking it again", shown(name), label(url))
        _close(held.connection)
        _held[url, name] = reconnecting(url, lambda: _take(url, name, held.backend))


def _take(url: str, name: str, left: "Row[Any] | None" = None) -> _Held:
    """Take the lock on a connection of its own.

    A server may not know yet that the last connection was dropped. It then holds the lock for
    the process ``left`` at the other end, which is ended here.
    """
    from sqlalchemy import text

    key, deadline = {"key": _key(name)}, time.monotonic() + PATIENCE_S
    connection = _own_connection(url)
    try:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            backend = connection.execute(text(_BACKEND), key).first()
            if backend not in (None, left) or time.monotonic() > deadline:
                raise busy(url, name, backend.account if backend else ANOTHER)
            if backend is not None:
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend.pid})
            time.sleep(0.01)
        return _Held(connection, connection.execute(text(_BACKEND), key).one())
    except BaseException:
        _close(connection)
        raise


def _own_connection(url: str) -> "Connection":
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.pool import NullPool

    options: dict[str, Any] = {"application_name": account(_LONGEST)}
    if make_url(url).get_driver_name().startswith("psycopg"):
        options |= _ALIVE
    engine = create_engine(
        url, poolclass=NullPool, connect_args=options, isolation_level="AUTOCOMMIT"
    )
    return engine.connect()


def _answers(connection: "Connection") -> bool:
    from sqlalchemy.exc import DBAPIError

    try:
        connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def _close(connection: "Connection") -> None:
    """Close a connection, if it is open, without asking a server that may be gone."""
    if not connection.closed:
        connection.invalidate()
        connection.close()


def _key(name: str) -> int:
    """The number by which PostgreSQL knows a lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
