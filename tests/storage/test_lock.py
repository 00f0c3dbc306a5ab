"""One search of a study at a time, whoever dies."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from study.errors import BusyError, ResourceError, StudyError
from study.storage import files, lock
from tests.helpers.children import ended, start


def _holding(path, until):
    """A child that holds the lock, and tells its pid once it does."""
    read, write = os.pipe()

    def work():
        with lock(str(path), "linear"):
            until(write)

    pid = start(work)
    os.close(write)
    assert os.read(read, 1) == b"."
    os.close(read)
    return pid


def _forever(write):
    os.write(write, b".")
    time.sleep(60)


@pytest.fixture
def holder(path):
    """The pid of a process that holds the study linear, killed in the end."""
    pid = _holding(path, _forever)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.mark.matrix("F16")
def test_a_second_process_is_refused_and_told_who_holds_it(path, holder):
    """The message names study, storage, process, machine and time."""
    with pytest.raises(BusyError) as caught, lock(str(path), "linear"):
        pytest.fail("was let in")

    who = rf"pid {holder} on {re.escape(socket.gethostname())} since \d{{4}}-\d\d-\d\dT[0-9:+-]+"
    expected = (
        rf"study 'linear' in {re.escape(str(path))}: being searched by {who}: wait .* stop it"
    )
    assert re.fullmatch(expected, str(caught.value))
    assert caught.value.status == 4


def test_the_same_process_is_refused_too(path):
    """Two searches in one process exclude each other as two processes do."""
    with (
        lock(str(path), "linear"),
        pytest.raises(BusyError, match=f"pid {os.getpid()} "),
        lock(str(path), "linear"),
    ):
        pytest.fail("was let in")


def test_another_study_of_the_same_file_is_free(path, holder):
    """The lock is the study's, not the file's."""
    with lock(str(path), "mlp"):
        assert (files(str(path), "mlp") / "holder").read_text().startswith(f"pid {os.getpid()} on")


# How version 0.1 takes the lock, and says who it is in the locked file itself.
OLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o666)
try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(4)
os.ftruncate(descriptor, 0)
os.pwrite(descriptor, sys.argv[2].format(os.getpid()).encode(), 0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def version_01(path):
    """Starts a process that does what version 0.1 does for the lock of the study linear."""
    place = files(str(path), "linear") / "lock"
    place.parent.mkdir(parents=True)
    account = f"pid {{}} on {socket.gethostname()} since 2026-01-01T00:00:00+00:00\n"
    command = [sys.executable, "-S", "-c", OLD, str(place), account]
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    return lambda: subprocess.Popen(command, **pipes)


@pytest.mark.posix("version 0.1 locks by fcntl")
def test_version_01_is_kept_out_and_keeps_out(path, version_01):
    """Both versions lock the same file in the same way, and this one names the other."""
    with lock(str(path), "linear"), version_01() as refused:
        refused.stdin.close()
        assert refused.wait() == 4

    with version_01() as old:
        assert old.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=f"by pid {old.pid} on "), lock(str(path), "linear"):
            pytest.fail("was let in")
        old.kill()

    with lock(str(path), "linear"):
        assert (files(str(path), "linear") / "lock").read_bytes() == b""


@pytest.mark.posix("it locks by fcntl")
@pytest.mark.parametrize("reason", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_without_a_kernels_lock_there_is_no_other(path, reason, monkeypatch):
    """Where the file system refuses it, the search ends in one line, and no file stands for it."""

    def refuse(*_):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr("fcntl.flock", refuse)

    with pytest.raises(ResourceError, match="can't be locked"), lock(str(path), "linear"):
        pytest.fail("was let in")

    assert [file.stat().st_size for file in files(str(path), "linear").iterdir()] == [0, 0]


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM"])
@pytest.mark.matrix("F16")
def test_a_dead_holder_holds_nothing(end, path):
    """The kernel frees the lock however the process ends; the file stays."""
    pid = _holding(path, _forever)
    os.kill(pid, getattr(signal, end))
    os.waitpid(pid, 0)

    with lock(str(path), "linear"):
        text = (files(str(path), "linear") / "holder").read_text()

    assert text.startswith(f"pid {os.getpid()} on")
    assert (files(str(path), "linear") / "holder").read_text() == ""


@pytest.mark.posix("Windows forks no process")
@pytest.mark.matrix("F16")
def test_a_forked_worker_does_not_keep_a_dead_searchs_lock(path):
    """The child of a killed holder lives on without the lock."""

    def fork_and_wait(ready):
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        _forever(ready)

    pid = _holding(path, fork_and_wait)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    with lock(str(path), "linear"):
        pass


def test_a_dead_process_is_not_named_as_the_holder(path):
    """An account left by a process that is gone is not believed."""
    dead = start(lambda: 0)
    os.waitpid(dead, 0)
    with lock(str(path), "linear"):
        account = f"pid {dead} on {socket.gethostname()} since 2024-01-01T00:00:00"
        (files(str(path), "linear") / "holder").write_text(account)

        with pytest.raises(BusyError, match="by another process:"), lock(str(path), "linear"):
            pytest.fail("was let in")


@pytest.mark.posix("Windows forks no process")
def test_leaving_the_block_in_a_forked_child_leaves_the_parents_lock(path):
    """A child that unwinds through the block neither fails nor frees its parent's lock."""

    def child():
        raise SystemExit

    with lock(str(path), "linear"):
        try:
            pid = os.fork()
            if pid == 0:
                child()
        except SystemExit:
            pass
        else:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with pytest.raises(BusyError), lock(str(path), "linear"):
                pytest.fail("was let in")
    if pid == 0:
        os._exit(0)
    assert status == 0


def test_an_exception_in_the_block_frees_the_lock(path):
    """The lock ends with the block, and the exception passes."""
    with pytest.raises(ZeroDivisionError), lock(str(path), "linear"):
        _ = 1 / 0

    with lock(str(path), "linear"):
        pass


@pytest.mark.matrix("F16")
def test_of_eight_searches_one_is_let_in(path):
    """Started together in an empty folder, one holds the lock and seven are refused."""
    read, write = os.pipe()

    def search():
        try:
            with lock(str(path), "linear"):
                os.write(write, b"1")
                time.sleep(1.5)
        except BusyError as error:
            os.write(write, b"0" if "pid " in str(error) else b"?")

    for pid in [start(search) for _ in range(8)]:
        ended(pid)

    assert sorted(os.read(read, 99)) == sorted(b"00000001")


def test_a_link_in_the_locks_place_is_not_followed(path):
    """A planted symbolic link does not make the lock overwrite another file."""
    victim = path.with_name("victim")
    victim.write_text("precious")
    folder = files(str(path), "linear")
    folder.mkdir(parents=True)
    (folder / "lock").symlink_to(victim)

    with pytest.raises(StudyError, match="symbolic links"), lock(str(path), "linear"):
        pytest.fail("was let in")

    assert victim.read_text() == "precious"
