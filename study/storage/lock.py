"""One search of a study at a time."""

import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from study.errors import BusyError
from study.storage.explain import explaining
from study.storage.urls import files, label, shown

_held: set[int] = set()  # descriptors of the locks that this process holds
_PATIENCE_S = 0.5  # how long a holder may take to write its name


@contextmanager
def lock(storage: str, name: str) -> Iterator[None]:
    """Hold the study ``name`` for the length of the block.

    The kernel holds the lock, on the file ``lock`` in the study's companion folder, and
    frees it when the process dies, however it dies. The file stays.

    Raises:
        BusyError: Another process holds it; the message says which, and since when.
        ResourceError: The file can't be written.
    """
    path = files(storage, name) / "lock"
    with explaining(str(path)):
        descriptor = _open(path)
        try:
            _take(descriptor, f"study {shown(name)} in {label(storage)}")
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


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)


def _take(descriptor: int, what: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(descriptor)
        raise BusyError(f"{what}: being searched by {holder}: wait for it or stop it") from None
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    text = f"pid {os.getpid()} on {socket.gethostname()} since {since}\n"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


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
