"""What goes wrong on one pair stays there, and is told in one line with the right status."""

import os
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from study import storage
from study.errors import ResourceError, StudyError
from study.sweep import loop, reports
from study.sweep.data_sets import of_pair
from study.sweep.options import parser, settings_of
from tests.helpers.commands import end, run, wait_for
from tests.helpers.storages import count

from .helpers import PAIRS, begin, links, table


def test_a_pair_that_another_search_holds_is_left_to_it(bare, here):
    """Status 4, and the other pair is searched and shown."""
    path = str(bare / "sweep.db")
    storage.open_study(path, "kmnist-0-1/linear")
    with storage.lock(path, "kmnist-0-1/linear"):
        status, stdout, stderr = here(bare, "--no-reports")

    assert status == 4
    assert stderr.count("\n") == 1
    assert stderr.startswith("study: 0-1: study 'kmnist-0-1/linear' in ")
    assert "being searched by pid" in stderr
    assert stdout.startswith("8-9: linear ")
    assert list(table(bare)) == ["8-9"]


def test_a_pair_of_another_protocol_is_refused_and_kept(copy, here):
    """By what differs and what a sweep can do; a pair that is new is noted as unlike the others.

    Pairs of different settings do not stand beside each other: the first ones are more.
    """
    status, _, stderr = here(copy, "--steps", 60, "--no-reports", pairs=("0-1", "2-3"))

    assert status == 2
    assert stderr == (
        "study: 0-1: study 'kmnist-0-1/linear': was searched with other settings (protocol.steps "
        "40 → 60): use those, or name another --storage\n"
    )
    assert {pair: row["note"] for pair, row in table(copy).items()} == {
        "0-1": "",
        "2-3": "steps 60, not 40",
        "8-9": "",
    }
    assert "<li>2 against 3: steps 60, not 40</li>" in (copy / "reports/index.html").read_text()


def test_a_damaged_pair_is_left_out_by_name(copy, here):
    """On the page too; the other pair is as it was."""
    with closing(sqlite3.connect(copy / "sweep.db")) as connection, connection:
        connection.execute("UPDATE trial_values SET value = 0.5 WHERE trial_id = 1")
    name = storage.study_names(str(copy / "sweep.db"))[0]
    pair = name.removeprefix("kmnist-").partition("/")[0]

    status, _, stderr = here(copy, "--no-reports")

    assert status == 2
    assert stderr.startswith(f"study: {pair}: study '{name}': trial 0 is damaged")
    assert stderr.count("\n") == 1
    assert [*table(copy), pair] == sorted(PAIRS, key=lambda other: other == pair)
    assert f"Left out: {pair}: study" in (copy / "reports/index.html").read_text()


def test_a_damaged_confirmation_is_no_missing_one(copy_of_confirmed, here):
    """Its pair is left out, in one line that says what is wrong."""
    copy = copy_of_confirmed
    with closing(sqlite3.connect(copy / "sweep.db")) as connection, connection:
        connection.execute(
            "UPDATE trial_values SET value = 0.5 WHERE trial_id = (SELECT min(trial_id) FROM "
            "trials NATURAL JOIN studies WHERE study_name = 'kmnist-0-1/mlp/replicates')"
        )

    status, _, stderr = here(copy, "--no-reports")

    assert status == 2
    assert stderr.startswith("study: 0-1: study 'kmnist-0-1/mlp/replicates': trial 0 is damaged")
    assert stderr.count("\n") == 1
    assert list(table(copy)) == ["8-9"]


@pytest.fixture
def failing(monkeypatch):
    """Lets the first pair fail with an error, or every one; the pairs that were begun."""
    begun = []

    def fail(error, *, every=False):
        def search(settings, data, plans, workers, end):
            begun.append(data.pair)
            if every or len(begun) == 1:
                raise error

        monkeypatch.setattr(loop, "_search", search)
        return begun

    return fail


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ResourceError("disk: is full: free some"), 5),
        (ZeroDivisionError("no"), 1),
    ],
)
def test_what_no_pair_can_do_without_ends_the_sweep(copy, here, failing, error, status):
    """No more pairs are begun; those that are there are shown."""
    begun = failing(error)

    found, _, stderr = here(copy, "--no-reports", "--jobs", 1, pairs=("0-1", "8-9", "2-3"))

    assert (found, begun) == (status, [(0, 1)])
    first, second = stderr.splitlines()
    assert first.startswith("study: 0-1: ")
    assert second == "study: not begun: 2 pairs: run it again to go on"
    assert set(table(copy)) == set(PAIRS)


def test_the_status_is_that_of_the_worst_failure(copy, here, failing):
    """Whatever became of the target."""
    failing(StudyError("wrong"))

    assert here(copy, "--no-reports", "--require-target")[0] == 2


def test_a_target_that_a_pair_misses_is_status_3_where_it_is_required(copy, here):
    """And no failure otherwise."""
    assert here(copy, "--no-reports", "--require-target")[::2] == (3, "")
    assert here(copy, "--no-reports")[::2] == (0, "")


def test_the_time_is_the_whole_sweeps(copy, here):
    """Once it is over no pair is begun, and what is there is shown."""
    status, stdout, stderr = here(copy, "--timeout", 1e-6, pairs=(*PAIRS, "2-3"))

    assert (status, stdout) == (0, "reports/index.html (2 pairs)\n")
    assert stderr == "study: not begun: 3 pairs: run it again to go on\n"


def test_a_pair_gets_what_is_left_of_the_time(copy, here, monkeypatch):
    """Not as much as the sweep had."""
    limits = []
    monkeypatch.setattr(loop, "search", lambda plan, own, pool: limits.append(own.timeout))
    here(copy, "--no-reports", "--jobs", 1, "--timeout", 1000)

    assert len(limits) == 4
    assert sorted(limits, reverse=True) == limits
    assert 0 < limits[-1] < limits[0] < 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--restart"], "--restart: drops a confirmation, and none is asked for: add --confirm"),
        (
            ["--dask", "tcp://localhost:1", "--backend", "loky"],
            "--backend loky: does nothing beside --dask: leave one out",
        ),
        (["--batch-size", "121"], "--batch-size 121: more than the 120 training images"),
        (
            ["--trial-timeout", "9", "--backend", "threading"],
            "--trial-timeout: --backend threading trains in this process, which can't be stopped",
        ),
        (["--dataset", "mnist"], "train-images-idx3-ubyte: SHA-256 is "),
    ],
)
def test_what_is_wrong_for_every_pair_is_said_once(copy, here, options, words):
    """Before any pair is begun."""
    status, stdout, stderr = here(copy, *options)

    assert (status, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1


def test_a_storage_that_is_none_is_said_once(bare, here):
    """Another application's database stays as it is."""
    with closing(sqlite3.connect(bare / "sweep.db")) as connection, connection:
        connection.execute("CREATE TABLE notes (text)")
    before = (bare / "sweep.db").read_bytes()

    status, _, stderr = here(bare)

    assert status == 2
    assert stderr == (
        "study: sweep.db: is another application's database (with 'notes'): name a new file\n"
    )
    assert (bare / "sweep.db").read_bytes() == before


def test_pairs_that_the_package_has_not_need_a_folder(tmp_path):
    """The first of them is named, and nothing is made."""
    command = [sys.executable, "-m", "study.sweep", "--digits", "4-9", "3-5"]
    status, _, stderr = run(command, tmp_path)

    assert status == 2
    assert stderr.startswith("study: classes 3 and 5 of mnist: not in the package")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_has_seen_enough_does_not_end_it(bare):
    """As ``| head -1`` has: the sweep goes on to its end, whose status it has."""
    process = begin(bare, "--no-reports", "--jobs", 1)
    process.stdout.readline()
    process.stdout.close()
    status, stderr = process.wait(), process.stderr.read()
    process.stderr.close()

    assert (status, stderr) == (0, "")
    assert list(table(bare)) == list(PAIRS)


@pytest.mark.posix("Windows has no process groups")
def test_ctrl_c_while_pairs_train_ends_it_in_one_line(bare):
    """At once, however many there are; what is finished is kept."""
    pairs = ("0-1", "2-3", "8-9")
    options = ("--steps", 4000, "--n-trials", 640, "--no-reports", "--jobs", 2)
    process = begin(bare, *options, pairs=pairs)
    wait_for(lambda: count(bare / "sweep.db"), process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    result = end(process)

    assert (result.status, result.stdout) == (130, "")
    assert result.stderr == "study: interrupted: finished trials are kept; run it again to go on\n"


@pytest.mark.posix("Windows has no process groups")
def test_ctrl_c_while_reports_are_drawn_ends_it_in_one_line(copy):
    """The processes that draw end too, without a word; the overview has no dead link."""
    for pair in PAIRS:
        (copy / f"reports/{pair}/summary.json").unlink()
    process = begin(copy, "--jobs", 2)
    wait_for(lambda: not (copy / "reports/8-9/index.html").exists(), process)
    os.killpg(process.pid, signal.SIGINT)
    result = end(process)

    assert result.status == 130
    assert result.stderr == "study: interrupted: finished trials are kept; run it again to go on\n"
    assert links(copy) == []


def test_no_more_reports_are_drawn_at_once_than_there_are_cores(monkeypatch):
    """With one core they are drawn here, whatever --jobs says."""
    monkeypatch.setattr("study.system.available_cores", lambda: 1)
    monkeypatch.setattr(reports, "_report", lambda settings, data: (os.getpid(), data.pair))
    pairs = [of_pair("mnist", pair) for pair in ((0, 1), (8, 9))]

    drawn = list(reports.write_reports(settings_of(parser().parse_args([])), 9, pairs))

    assert drawn == [(os.getpid(), (0, 1)), (os.getpid(), (8, 9))]


def test_by_default_as_many_pairs_are_searched_at_once_as_there_are_cores(monkeypatch):
    """Or as are asked for."""
    monkeypatch.setattr("study.system.available_cores", lambda: 7)

    assert loop.at_once(settings_of(parser().parse_args([]))) == 7
    assert loop.at_once(settings_of(parser().parse_args(["--jobs", "3"]))) == 3
