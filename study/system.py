"""What differs between Linux, macOS and Windows, in one place."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# Windows has neither links that are opened unasked nor pipes in a folder, and changes line ends.
SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows every signal ends a process at once
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
"""Apple's libraries may start threads of their own, after which a fork is not safe."""
_OPENS_FOLDERS = hasattr(os, "O_DIRECTORY")  # to flush or to lock one


def available_cores() -> int:
    """The cores that this process may use."""
    if sys.platform == "linux" and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def mode(path: Path) -> int:
    """What a path leads to, as ``st_mode``; 0 for nothing.

    Raises:
        OSError: It can't be asked, where ``Path.exists`` answers False since Python 3.14.
    """
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def is_running(pid: int) -> bool:
    """Whether there is a process of this number, another user's included."""
    if sys.platform == "win32":
        return _is_running_on_windows(pid)
    try:
        os.kill(pid, 0)  # signal 0 only asks; on Windows it would be Ctrl-C
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if sys.platform == "win32":

    def _is_running_on_windows(pid: int) -> bool:
        # https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
        from ctypes import WinDLL, get_last_error

        kernel = WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(0x0010_0000, False, pid)  # the right SYNCHRONIZE
        if not handle:
            return get_last_error() == 5  # ERROR_ACCESS_DENIED: another user's
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == 0x102)  # WAIT_TIMEOUT: no end yet
        finally:
            kernel.CloseHandle(handle)


def flush_folder(folder: Path) -> None:
    """Write a folder's names to the disk; Windows has no such call for a folder."""
    if _OPENS_FOLDERS:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Wait for the kernel's lock on a folder, and hold it; no lock where the file system has none.

    Windows locks no folder: there it is a file in it, which the last holder removes.
    """
    from filelock import lock_descriptor

    file = None if _OPENS_FOLDERS else folder / ".lock"
    flags = os.O_RDONLY if file is None else os.O_RDWR | os.O_CREAT
    descriptor = os.open(file or folder, flags)
    try:
        with suppress(OSError):
            lock_descriptor(descriptor)
        yield
    finally:
        os.close(descriptor)
        if file is not None:
            # another process waits with the file open, or has removed it after this one's end
            with suppress(PermissionError, FileNotFoundError):
                file.unlink()


def shell(words: Sequence[str]) -> str:
    """A command as it is typed in this system's shell."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
