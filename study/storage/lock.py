"""One search of a study at a time.

The holder says who it is where a second one can read it. The lock does not depend on that: the
operating system, or PostgreSQL, releases it even if its holder is killed.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from study.errors import ResourceError
from study.explain import NO_LOCKS, explaining
from study.storage import safe_files
from study.storage.disk import require_local
from study.storage.holder import ANOTHER, LONGEST, PATIENCE_S, account, busy, is_alive
from study.storage.postgresql.lock import server_lock
from study.storage.urls import files, resolve, sqlite_path

_held: set[int] = set()  # descriptors of the locks that this process holds, and of their words


@contextmanager
def lock(storage: str, name: str) -> Iterator[None]:
    """Hold the study ``name`` for the length of the block.

    The lock is the operating system's, on the file ``lock`` in the study's companion folder,
    which stays; on PostgreSQL it is an advisory lock of the server. Who holds it is written in
    the file ``holder`` beside it, since Windows lets nobody read a file that is locked.

    Raises:
        StudyError: The storage is an SQLite file on a network file system.
        BusyError: Another process holds it; the message says which, and since when.
        ResourceError: The files can't be written, the file system has no locks, or the server
            does not answer.
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
    with ExitStack() as opened:
        with explaining(str(path)):
            safe_files.make_folder(path.parent)
            locked, words = (_open(path.with_name(n), opened) for n in ("lock", "holder"))
            if not _is_free(path, locked):
                raise busy(storage, name, _holder(words, locked))
            if os.fstat(locked).st_size:
                os.ftruncate(locked, 0)  # version 0.1 wrote its words here
            os.ftruncate(words, 0)
            os.write(words, f"{account()}\n".encode())
        try:
            yield
        finally:
            if words in _held:  # a forked child has closed it already
                os.ftruncate(words, 0)


def _open(path: Path, opened: ExitStack) -> int:
    """A descriptor that is closed at the end, or by a forked child at its beginning."""
    descriptor = safe_files.open_file(path, os.O_RDWR | os.O_CREAT, LONGEST)
    _held.add(descriptor)
    opened.callback(_close, descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    if descriptor in _held:
        _held.discard(descriptor)
        os.close(descriptor)


def _is_free(path: Path, descriptor: int) -> bool:
    """Take the kernel's lock of a file, if no other process holds it.

    It is ``flock`` on the whole file, as in version 0.1, or ``LockFileEx`` on Windows.

    Raises:
        ResourceError: There is no such lock here; one that a dead holder would keep is not used.
    """
    from filelock import lock_descriptor

    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError as error:
        raise ResourceError(f"{path}: {NO_LOCKS}") from error


def _holder(*descriptors: int) -> str:
    """Who holds the lock, by its own account, unless that names a dead process."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for text in map(_read, descriptors):
            if is_alive(text):
                return text
        time.sleep(0.01)
    return ANOTHER


def _read(descriptor: int) -> str:
    """The words in a file; Windows lets nobody read one that is locked, but an empty one."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    size = min(os.fstat(descriptor).st_size, LONGEST)
    return os.read(descriptor, size).decode(errors="replace").strip()


def holder(folder: Path) -> str | None:
    """What a companion folder says of its lock's holder, in words; ``None`` for nothing.

    Raises:
        StudyError: What is there is no file of a search.
        OSError: It can't be read.
    """
    paths = [folder / "holder", folder / "lock"]  # version 0.1 wrote its words into the lock
    there = [path for path in paths if safe_files.require_companion(path)]
    words = [safe_files.read(path, LONGEST).decode(errors="replace").strip() for path in there]
    if alive := next(filter(is_alive, words), None):
        return f"is being searched by {alive}"
    return "its lock names a search that was killed, and holds nothing" if any(words) else None


def _close_in_child() -> None:
    """A forked child shares its parent's lock, and must not keep it when the parent dies."""
    for descriptor in [*_held]:
        _close(descriptor)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
