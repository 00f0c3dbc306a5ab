"""One search of a study at a time.

The holder says who it is where a second one can read it. The lock does not depend on that: the
operating system, or PostgreSQL, releases it even if its holder is killed.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.explain import explaining
from study.storage import safe_files
from study.storage.disk import require_local
from study.storage.holder import ANOTHER, LONGEST, PATIENCE_S, account, busy, is_alive
from study.storage.postgresql.lock import server_lock
from study.storage.urls import files, resolve, sqlite_path

_held: set[int] = set()  # descriptors of the locks that this process holds


@contextmanager
def lock(storage: str, name: str) -> Iterator[None]:
    """Hold the study ``name`` for the length of the block.

    The lock is the operating system's, on the file ``lock`` in the study's companion folder,
    which stays; on PostgreSQL it is an advisory lock of the server.

    Raises:
        StudyError: The storage is an SQLite file on a network file system.
        BusyError: Another process holds it; the message says which, and since when.
        ResourceError: The file can't be written, or the server does not answer.
    """
    path = sqlite_path(resolve(storage))
    if re.match(r"postgresql\b", storage):
        with server_lock(storage, name):
            yield
    else:
        if path is not None:
            require_local(path)
        with _file_lock(storage, name):
            yield


@contextmanager
def _file_lock(storage: str, name: str) -> Iterator[None]:
    path = files(storage, name) / "lock"
    with explaining(str(path)):
        safe_files.make_folder(path.parent)
        descriptor = safe_files.open_file(path, os.O_RDWR | os.O_CREAT, LONGEST)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{account()}\n".encode(), 0)
        except BlockingIOError:
            found = _holder(descriptor)
            os.close(descriptor)
            raise busy(storage, name, found) from None
        except BaseException:
            os.close(descriptor)
            raise
    _held.add(descriptor)
    try:
        yield
    finally:
        if descriptor in _held:  # a forked child has closed it already
            _held.discard(descriptor)
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _holder(descriptor: int) -> str:
    """Who holds the lock, by its own account, unless that names a dead process."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        text = os.pread(descriptor, LONGEST, 0).decode(errors="replace").strip()
        if is_alive(text):
            return text
        time.sleep(0.01)
    return ANOTHER


def holder(path: Path) -> str | None:
    """What the lock file ``path`` says of its holder, in words; ``None`` where nobody is named.

    Raises:
        StudyError: It is no file of a search.
        OSError: It can't be read.
    """
    if not safe_files.require_companion(path):
        return None
    text = safe_files.read(path, LONGEST).decode(errors="replace").strip()
    if not text:
        return None
    if is_alive(text):
        return f"is being searched by {text}"
    return "its lock names a search that was killed, and holds nothing"


def _close_in_child() -> None:
    """A forked child shares its parent's lock, and must not keep it when the parent dies."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)
