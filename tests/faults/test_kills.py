"""F1, F2, F4: killed at any instant, the same command ends in the same table."""

import itertools
import os
import random
import secrets
import signal
import sys
import time

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from study.report import ownership
from study.search.command import main
from tests.helpers.children import EVENTS, ended, forked, kill, start
from tests.helpers.storages import assert_whole, count

from .helpers import search, state

EVERY = 30  # events from one kill to the next


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def _doomed(path, k):
    """A search that is killed at its database event ``k``."""
    left = iter(range(k - 1))
    for name in EVENTS:
        event.listen(Engine, name, lambda *_: next(left, None) is None and _die())
    search(path)


@pytest.mark.matrix("F1")
@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.faults)])
def test_killed_at_any_database_event_it_goes_on_to_the_same_table(
    calm, tmp_path, every, attempts
):
    """The file is whole, whole generations are in it, and the next run completes it."""
    wanted = state(calm)
    for k in itertools.count(1, every):
        path = tmp_path / f"{k}.db"
        if forked(lambda path=path, k=k: _doomed(path, k)) == 0:
            break
        if count(path):
            assert_whole(path)
            assert count(path) in (4, 8)
        search(path)
        assert state(path) == wanted, f"killed at event {k}"

    attempts(k // every)
    assert k > 150


def _command(path, jobs=2):
    """The command itself, with two workers; a search of several times the calm one's steps."""
    options = ("--steps", "300", "--val-every", "20", "--generation", "4", "--cohort", "2")
    line = ("study.search", "--model", "linear", "--n-trials", "8", "--storage", str(path))
    sys.argv = [*line, *options, "--jobs", str(jobs), "--quiet"]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return main()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, calm):
    """The command's table, and how long it takes."""
    path = tmp_path_factory.mktemp("undisturbed") / "study.db"
    assert forked(lambda: _command(path, jobs=1)) == 0
    began = time.monotonic()
    assert forked(lambda: _command(path.with_name("again.db"))) == 0
    return state(path), time.monotonic() - began


@pytest.mark.faults
@pytest.mark.matrix("F2")
@pytest.mark.parametrize("kills", [200])
def test_killed_at_random_times_it_goes_on_to_the_same_table(
    undisturbed, tmp_path, kills, attempts
):
    """The whole process group at a time drawn from the length of a search, workers included.

    Every run of the tests kills a search so twice, in ``tests/search/test_resuming.py``.
    """
    (wanted, took), seed = undisturbed, secrets.randbelow(10**6)
    print(f"seed of the times: {seed}")
    moments = random.Random(seed)
    for number in range(kills):
        path = tmp_path / f"{number}.db"
        pid = start(lambda path=path: _command(path))
        time.sleep(moments.uniform(0, took))
        kill(pid)
        assert ended(pid) in (0, -signal.SIGKILL)
        assert forked(lambda path=path: _command(path, jobs=1)) == 0
        assert state(path) == wanted, f"kill {number}"
    attempts(kills)


@pytest.mark.faults
@pytest.mark.matrix("F2")
def test_killed_ten_times_within_one_search_it_ends_in_the_same_table(
    undisturbed, tmp_path, attempts
):
    """However often, no work that was recorded is lost or done twice."""
    (wanted, took), path = undisturbed, tmp_path / "study.db"
    seed = secrets.randbelow(10**6)
    print(f"seed of the times: {seed}")
    moments, seen = random.Random(seed), [0]
    for _ in range(10):
        pid = start(lambda: _command(path))
        time.sleep(moments.uniform(0, 0.7 * took))
        kill(pid)
        ended(pid)
        seen.append(count(path))
    assert forked(lambda: _command(path, jobs=1)) == 0

    attempts(10)
    assert seen == sorted(seen)
    assert state(path) == wanted


TOUCHING = {"open", "write", "flush", "fsync", "close", "replace", "rename", "unlink", "mkdir"}


def _write_until(k, out, content):
    """Write a report, killed before or after the ``k``-th call that touches a file."""
    left = iter(range(k - 1))

    def watch(_, event, function):
        touches = event in ("c_call", "c_return") and function.__name__ in TOUCHING
        if touches and next(left, None) is None:
            _die()

    sys.setprofile(watch)
    ownership._replace(out, content)
    sys.setprofile(None)


@pytest.mark.matrix("F4")
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.faults)])
def test_a_kill_while_a_report_is_written_leaves_each_file_old_or_new(tmp_path, every, attempts):
    """The page comes last, so a page that is new has everything new beside it."""
    names = ("figures/a.png", "summary.json", "index.html")
    old, new = (dict.fromkeys(names, text * 9999) for text in (b"old", b"new"))
    for k in itertools.count(1, every):
        out = tmp_path / str(k)
        for name, content in old.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        status = forked(lambda k=k, out=out: _write_until(k, out, new))
        assert status in (0, -signal.SIGKILL)
        if status == 0:
            break
        found = {name: (out / name).read_bytes() for name in old}
        assert all(found[name] in (old[name], new[name]) for name in old)
        assert found["index.html"] == old["index.html"] or found == new

    attempts(k // every)
    assert k > 20
