"""One search of a study at a time.

The holder says who it is where a second one can read it. Nobody's word is needed for the
lock itself: the kernel, or PostgreSQL, frees it when its holder dies, however it dies.
"""

import fcntl
import hashlib
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import BusyError
from study.explain import explaining
from study.storage import companions
from study.storage.filesystem import require_local
from study.storage.reconnecting import reconnecting
from study.storage.urls import files, label, resolve, shown, sqlite_path

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row

_log = logging.getLogger(__name__)
_held: set[int] = set()  # descriptors of the locks that this process holds
_LONGEST = 300  # bytes of what a holder says of itself
_PATIENCE_S = 0.5  # how long a holder may take to write its name


@contextmanager
def lock(storage: str, name: str) -> Iterator[None]:
    """Hold the study ``name`` for the length of the block.

    The lock is the kernel's, on the file ``lock`` in the study's companion folder, which
    stays; on PostgreSQL it is an advisory lock of the server, which other machines see too.

    Raises:
        StudyError: The storage is an SQLite file on a network file system.
        BusyError: Another process holds it; the message says which, and since when.
        ResourceError: The file can't be written, or the server does not answer.
    """
    path = sqlite_path(resolve(storage))
    if re.match(r"postgresql\b", storage):
        with _server_lock(storage, name):
            yield
    else:
        if path is not None:
            require_local(path)
        with _file_lock(files(storage, name) / "lock", _what(storage, name)):
            yield


@contextmanager
def _file_lock(path: Path, what: str) -> Iterator[None]:
    with explaining(str(path)):
        descriptor = _open(path)
        try:
            _take(descriptor, what)
        except BaseException:
            os.close(descriptor)
            raise
    _held.add(descriptor)
    try:
        yield
    finally:
        if descriptor in _held:  # a forked child has let go already
            _held.discard(descriptor)
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


@dataclass(frozen=True)
class _There:
    """An advisory lock of PostgreSQL: it lasts as long as a connection of its own."""

    connection: "Connection"
    backend: "Row[Any]"  # the server's process at its other end


_there: dict[tuple[str, str], _There] = {}  # that this process holds, by URL and study


@contextmanager
def _server_lock(url: str, name: str) -> Iterator[None]:
    if (url, name) in _there:  # though its connection may be gone
        raise _busy(_what(url, name), _there[url, name].backend.account)
    with explaining(label(url)):
        _there[url, name] = reconnecting(url, lambda: _take_there(url, name))
    try:
        yield
    finally:
        _close(_there.pop((url, name)).connection)


def keep_lock(url: str, name: str) -> None:
    """Take the server's lock of a study anew where its connection is gone.

    A server that restarts, or a network that drops an idle connection, frees it without a
    word. Nothing where this process holds no such lock.

    Raises:
        BusyError: Another process holds it by now.
    """
    held = _there.get((url, name))
    if held is not None and not _answers(held.connection):
        _log.warning("%s: its lock is gone, taking it again", _what(url, name))
        _close(held.connection)
        _there[url, name] = reconnecting(url, lambda: _take_there(url, name, held.backend))


def _take_there(url: str, name: str, left: "Row[Any] | None" = None) -> _There:
    """Take the lock on a connection of its own.

    Where its last connection was dropped half way, the server may not know, and hold the lock
    for the process ``left`` at the other end, which is ended then.
    """
    from sqlalchemy import text

    key, deadline = {"key": _key(name)}, time.monotonic() + _PATIENCE_S
    connection = _own_connection(url)
    try:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            backend = connection.execute(text(_BACKEND), key).first()
            if backend not in (None, left) or time.monotonic() > deadline:
                raise _busy(_what(url, name), backend.account if backend else "another process")
            if backend is not None:
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend.pid})
            time.sleep(0.01)
        return _There(connection, connection.execute(text(_BACKEND), key).one())
    except BaseException:
        _close(connection)
        raise


_BACKEND = """
SELECT pid, backend_start, application_name AS account
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = :key AND granted
AND datname = current_database()
"""


def _own_connection(url: str) -> "Connection":
    """A connection that nobody else is given, and that takes its locks with it."""
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.pool import NullPool

    options: dict[str, Any] = {"application_name": _account(_SHOWN_THERE)}
    if make_url(url).get_driver_name().startswith("psycopg"):
        options |= _ALIVE
    engine = create_engine(
        url, poolclass=NullPool, connect_args=options, isolation_level="AUTOCOMMIT"
    )
    return engine.connect()


# https://www.postgresql.org/docs/current/libpq-connect.html: an idle connection is heard of
# every minute (s), so that no router forgets it, and given up after one of silence (ms)
_ALIVE = {"keepalives_idle": 60, "tcp_user_timeout": 60_000}
_SHOWN_THERE = 63  # bytes of application_name that a server keeps


def _answers(connection: "Connection") -> bool:
    from sqlalchemy.exc import DBAPIError

    try:
        connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def _close(connection: "Connection") -> None:
    """Close it, if it is not, without a word to a server that may be gone."""
    if not connection.closed:
        connection.invalidate()
        connection.close()


def _key(name: str) -> int:
    """The number that PostgreSQL knows a lock by."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def holder(path: Path) -> str | None:
    """What the lock file ``path`` says of its holder, in words; ``None`` where nobody is named.

    Raises:
        StudyError: It is no file of a search.
        OSError: It can't be read.
    """
    if not companions.require_companion(path):
        return None
    account = companions.read(path, _LONGEST).decode(errors="replace").strip()
    if not account:
        return None
    return f"is being searched by {account}" if _is_alive(account) else _LEFT


_LEFT = "its lock names a search that was killed, and holds nothing"


def _open(path: Path) -> int:
    companions.make_folder(path.parent)
    return companions.open_file(path, os.O_RDWR | os.O_CREAT, _LONGEST)


def _take(descriptor: int, what: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(what, _holder(descriptor)) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{_account()}\n".encode(), 0)


def _account(longest: int = _LONGEST) -> str:
    """Who holds a lock, and since when; a machine's name is cut where all is longer."""
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    room = longest - len(f"pid {os.getpid()} on  since {since}")
    return f"pid {os.getpid()} on {socket.gethostname()[:room]} since {since}"


def _what(storage: str, name: str) -> str:
    return f"study {shown(name)} in {label(storage)}"


def _busy(what: str, holder: str) -> BusyError:
    return BusyError(f"{what}: being searched by {holder}: wait for it or stop it")


def _holder(descriptor: int) -> str:
    """Who holds the lock, by its own account; a dead one's account is not believed."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        text = os.pread(descriptor, _LONGEST, 0).decode(errors="replace").strip()
        if _is_alive(text):
            return text
        time.sleep(0.01)
    return "another process"


def _is_alive(text: str) -> bool:
    account = re.fullmatch(r"pid (\d{1,9}) on (\S+) since \S+", text)
    if account is None:
        return False
    if account[2] != socket.gethostname():
        return True
    try:
        os.kill(int(account[1]), 0)  # asks only
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _let_go_in_child() -> None:
    """A forked child shares its parent's lock, and must not keep it when the parent dies."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
