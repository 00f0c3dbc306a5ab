"""F16, F17: of searches at once one runs, and whoever reads meanwhile does it no harm."""

import os
import re
import sqlite3
import sys
import threading
import time
from contextlib import closing

import pytest

from study.errors import StudyError
from study.search.command import main
from study.storage.searched import Searched
from tests.helpers.children import ended, start
from tests.helpers.commands import command, end
from tests.helpers.commands import start as start_process
from tests.helpers.plans import SHORT
from tests.helpers.storages import count

from .helpers import NAME, search, state

EIGHT = 8
BUSY = r"study: study 'linear' in study\.db: being searched by pid (\d+) on \S+ since \S+: .*\n"


def _command(folder, gate):
    """The command, from the moment at which the gate closes."""
    os.chdir(folder)
    os.read(gate, 1)
    sys.argv = ["study.search", "--model", "linear", *SHORT, "--quiet", "--jobs", "1"]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return main()


@pytest.mark.matrix("F16")
@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.faults)])
def test_of_eight_searches_started_at_once_one_runs(calm, tmp_path, rounds, attempts):
    """In an empty folder: seven exit 4 and name the one, whose table has exactly its trials."""
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        gate, opening = os.pipe()
        words = [folder / f"{k}.err" for k in range(EIGHT)]

        def waiting(folder=folder, gate=gate, opening=opening):
            os.close(opening)
            return _command(folder, gate)

        pids = [start(waiting, stderr=w) for w in words]
        os.close(opening)
        os.close(gate)
        statuses = [ended(pid) for pid in pids]

        assert sorted(statuses) == [0] + [4] * 7
        holders = [re.fullmatch(BUSY, w.read_text()) for w in words if w.read_text()]
        assert {int(holder[1]) for holder in holders} == {pids[statuses.index(0)]}
        assert len(holders) == 7
        assert count(folder / "study.db") == 16
    attempts(rounds)


@pytest.mark.faults
@pytest.mark.matrix("F16")
def test_of_eight_real_commands_one_runs(tmp_path):
    """The same, as eight people would start it."""
    line = [*command("linear", *SHORT), "--steps", "20000", "--jobs", "1"]
    results = [end(process) for process in [start_process(line, tmp_path) for _ in range(EIGHT)]]

    assert sorted(result.status for result in results) == [0] + [4] * 7
    assert all(re.fullmatch(BUSY, result.stderr) for result in results if result.status)
    assert count(tmp_path / "study.db") == 16


@pytest.mark.matrix("F17")
@pytest.mark.parametrize("seconds", [1, pytest.param(30, marks=pytest.mark.faults)])
def test_a_reader_that_holds_the_file_delays_a_search_and_no_more(calm, tmp_path, seconds):
    """A read transaction is waited for, and the table is the same."""
    path = tmp_path / "study.db"
    search(path, 4)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM trials").fetchall()
        timer = threading.Timer(seconds, reader.execute, ["COMMIT"])
        timer.start()
        search(path)
        timer.join()

    assert state(path) == state(calm)


@pytest.mark.matrix("F17")
def test_whoever_reads_during_a_search_sees_whole_generations(calm, tmp_path, attempts):
    """Each read, from before there is a file on, is one state of the study, whose seal holds."""
    path, seen = tmp_path / "study.db", []
    pid = start(lambda: search(path, 24) and None)
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        seen.append(_finished(path))
        time.sleep(0.002)

    attempts(len(seen))
    assert seen == sorted(seen)
    assert set(seen) <= set(range(0, 25, 4))


def _finished(path):
    """How many trials are there, in a study that is as it was recorded."""
    try:
        return len(Searched.read(str(path), NAME).trials)
    except StudyError as error:
        said = str(error)
    assert re.search("there is no such file|is not there: it holds|it has no manifest: name", said)
    return 0
