"""One search of a study at a time.

The holder says who it is where a second one can read it. Nobody's word is needed for the
lock itself: the kernel, or PostgreSQL, frees it when its holder dies, however it dies.
"""

import fcntl
import hashlib
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from study.errors import BusyError
from study.storage.explain import explaining
from study.storage.urls import files, label, resolve, shown

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_held: set[int] = set()  # descriptors of the locks that this process holds
_PATIENCE_S = 0.5  # how long a holder may take to write its name


@contextmanager
def lock(storage: str, name: str) -> Iterator[None]:
    """Hold the study ``name`` for the length of the block.

    The lock is the kernel's, on the file ``lock`` in the study's companion folder, which
    stays; on PostgreSQL it is an advisory lock of the server, which other machines see too.

    Raises:
        BusyError: Another process holds it; the message says which, and since when.
        ResourceError: The file can't be written, or the server does not answer.
    """
    what = f"study {shown(name)} in {label(storage)}"
    if re.match(r"postgresql\b", resolve(storage)):
        with _server_lock(storage, name, what):
            yield
    else:
        with _file_lock(files(storage, name) / "lock", what):
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


@contextmanager
def _server_lock(url: str, name: str, what: str) -> Iterator[None]:
    """An advisory lock of PostgreSQL, which lasts as long as a connection of its own.

    A server that restarts forgets it. Who records then is found out by counting trials.
    """
    from sqlalchemy import text

    key = {"key": _key(name)}
    with ExitStack() as stack:
        with explaining(label(url)):
            connection = stack.enter_context(_own_connection(url))
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
                holder = connection.scalar(text(_SERVER_HOLDER), key)
                raise _busy(what, holder or "another process")
        yield


@contextmanager
def alone(url: str) -> Iterator[None]:
    """On PostgreSQL, be the only one in such a block; elsewhere, nothing."""
    if not re.match(r"postgresql\b", url):
        yield
        return
    from sqlalchemy import text

    with _own_connection(url) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key("")})
        yield


@contextmanager
def _own_connection(url: str) -> Iterator["Connection"]:
    """A connection that nobody else is given, and that takes its locks with it."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    account = {"application_name": _account()}
    engine = create_engine(
        url, poolclass=NullPool, connect_args=account, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        try:
            yield connection
        finally:
            connection.invalidate()  # closes it, without a word to a server that may be gone


def _key(name: str) -> int:
    """The number that PostgreSQL knows a lock by."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


_SERVER_HOLDER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = :key AND granted
"""


def holder(path: Path) -> str | None:
    """What the lock file ``path`` says of its holder, in words; ``None`` where nobody is named."""
    if not path.is_file():
        return None
    account = path.read_text(errors="replace")[:300].strip()
    if not account:
        return None
    return f"is being searched by {account}" if _is_alive(account) else _LEFT


_LEFT = "its lock names a search that was killed, and holds nothing"


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)


def _take(descriptor: int, what: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(what, _holder(descriptor)) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{_account()}\n".encode(), 0)


def _account() -> str:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    return f"pid {os.getpid()} on {socket.gethostname()} since {since}"


def _busy(what: str, holder: str) -> BusyError:
    return BusyError(f"{what}: being searched by {holder}: wait for it or stop it")


def _holder(descriptor: int) -> str:
    """Who holds the lock, by its own account; a dead one's account is not believed."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        text = os.pread(descriptor, 300, 0).decode(errors="replace").strip()
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
