"""F5, F6: a full or failing disk ends a search with status 5, and costs no finished trial."""

import itertools
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from study import cli
from study.errors import ResourceError, StudyError
from study.storage import require_room
from tests.helpers import posix
from tests.helpers.children import ended, forked, start
from tests.helpers.commands import command, run
from tests.helpers.storages import count

from .helpers import search, state, tmpfs

resource = posix.module("resource")

FILLER = "filler"


def _filling(folder, left):
    """A progress callback that leaves so many bytes on the disk once a generation is there."""

    def fill(work, best):
        if best is not None and not (folder / FILLER).exists():
            disk = os.statvfs(folder)
            free = disk.f_bavail * disk.f_frsize - left
            (folder / FILLER).write_bytes(bytes(max(free, 0)))

    return fill


@pytest.mark.matrix("F5")
@pytest.mark.parametrize("sizes", [3, pytest.param(20, marks=pytest.mark.faults)])
def test_a_disk_that_fills_up_costs_no_finished_trial(calm, tmp_path, sizes, attempts):
    """With 0 to 76 KB left after the first generation: status 5 or 0, and then the same table."""
    statuses = []
    for number in range(sizes):
        folder = tmp_path / str(number)
        folder.mkdir()
        with tmpfs(folder, 1024) as disk:
            if disk is None:
                pytest.skip("this user may not mount a tmpfs: the next test fills files instead")
            left = number * 4096 * (20 // sizes)
            path, fill = folder / "study.db", _filling(folder, left)
            statuses.append(forked(lambda p=path, f=fill: search(p, progress=f) and None))
            assert count(path) in (4, 8)
            (folder / FILLER).unlink()
            assert forked(lambda p=path: search(p) and None) == 0
            assert state(path) == state(calm), f"{left} bytes were left"
    attempts(sizes)
    assert set(statuses) <= {0, 5}
    assert statuses[0] == 5


def _limited(path, limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    search(path)


@pytest.mark.matrix("F5")
@pytest.mark.parametrize("sizes", [4, pytest.param(20, marks=pytest.mark.faults)])
def test_files_that_can_not_grow_cost_no_finished_trial(calm, tmp_path, sizes, attempts):
    """At any size from nothing to the finished study's: status 5, and then the same table."""
    whole = calm.stat().st_size
    for number in range(sizes):
        path, limit = tmp_path / f"{number}.db", whole * number // sizes
        assert forked(lambda p=path, x=limit: _limited(p, x)) == 5
        assert count(path) in (0, 4)
        search(path)
        assert state(path) == state(calm), f"{limit} bytes were allowed"
    attempts(sizes)


@pytest.mark.matrix("F5")
def test_a_nearly_full_disk_is_seen_before_training(tmp_path):
    """One line with what is left and what is needed; no lock, no file grows."""
    with tmpfs(tmp_path, 64) as disk:
        if disk is None:
            pytest.skip("this user may not mount a tmpfs")
        result = run(
            [*command("linear", "--steps", 5000, "--storage", tmp_path / "study.db")], tmp_path
        )

    assert result.status == 5
    assert re.fullmatch(
        r"study: \S+: its disk has 0\.\d MB left, and about 0\.\d MB are needed: .*\n|"
        r"study: \S+study\.db: the disk is full: .*\n",
        result.stderr,
    )


@pytest.mark.matrix("F5")
@pytest.mark.parametrize("module", ["study", "study.report"])
def test_a_report_that_has_no_room_is_refused_before_anything_is_computed(tmp_path, module):
    """A nearly full ``--out`` is seen before hours of search, and nothing is made."""
    (tmp_path / "small").mkdir()
    with tmpfs(tmp_path / "small", 64) as disk:
        if disk is None:
            pytest.skip("this user may not mount a tmpfs")
        line = command("linear", "--out", tmp_path / "small/reports", module=module)
        result = run([*line[:3], *line[5:]], tmp_path)

        assert (result.status, result.stdout) == (5, "")
        assert "small: its disk has 0.1 MB left, and about 4.0 MB are needed" in result.stderr
        assert list(tmp_path.rglob("*")) == [tmp_path / "small"]


def test_room_is_asked_for_where_a_folder_would_be_made(tmp_path):
    """The nearest folder that is there counts, and a file in the way is said to be one."""
    (tmp_path / "file").write_text("")

    require_room(tmp_path / "a/b/c", 1000)
    with pytest.raises(
        ResourceError, match=rf"^{re.escape(str(tmp_path))}: its disk has .* 1000000000\.0 MB"
    ):
        require_room(tmp_path / "a", 10**15)
    with pytest.raises(StudyError, match="file: is not a folder"):
        require_room(tmp_path / "file/a", 1)


CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "rename")


def _injected(path, call, errno, n):
    """A search whose ``n``-th such call fails; its status, what it said, and whether it did."""
    words, trace = f"{path}.err", f"{path}.trace"

    def waiting():
        os.kill(os.getpid(), signal.SIGSTOP)
        search(path)

    pid = start(lambda: _told(waiting), stderr=words)
    os.waitpid(pid, os.WUNTRACED)
    inject = f"inject={call}:error={errno}:when={n}"
    line = ["strace", "-f", "-p", str(pid), "-o", trace, "-e", f"trace={call}", "-e", inject]
    tracer = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    tracer.stderr.readline()  # "attached"
    os.kill(pid, signal.SIGCONT)
    status = ended(pid)
    tracer.communicate(timeout=60)
    return status, Path(words).read_text(), "(INJECTED)" in Path(trace).read_text()


def _told(work):
    """As a command ends, but that its line is written by a call that is not made to fail."""
    try:
        work()
    except Exception as error:
        known = cli.explained(error)
        os.writev(2, [f"study: {known}\n".encode()])
        return known.status
    return 0


@pytest.mark.matrix("F6")
@pytest.mark.parametrize("errno", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("every", [150, pytest.param(1, marks=pytest.mark.faults)])
def test_a_system_call_that_fails_costs_nothing(calm, tmp_path, errno, every, attempts):
    """Whichever write, flush, rename or removal fails: status 5 or 0, then the same table."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed: the limits above fail the same calls")
    wanted, tried = state(calm), 0
    for call in CALLS:
        for n in itertools.count(1, every):
            path = tmp_path / f"{call}-{n}.db"
            status, said, hit = _injected(path, call, errno, n)
            if not hit:
                break
            tried += 1
            assert status in (0, 5), f"{call} {n}: {said}"
            assert said.count("\n") == (status != 0), f"{call} {n}: {said}"
            assert "Traceback" not in said
            search(path)
            assert state(path) == wanted, f"{call} {n}"
    attempts(tried)
    assert tried >= len(CALLS) - 1
