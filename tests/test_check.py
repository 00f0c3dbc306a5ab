"""The check says what is wrong with a storage, in plain words, and changes nothing."""

import json
import shutil
import sqlite3
from contextlib import closing

import optuna
import pytest

from study.check import check, lines
from study.search import Settings, search
from study.storage import files
from tests.helpers.commands import module, run
from tests.helpers.plans import plan
from tests.helpers.storages import snapshot
from tests.helpers.vouching import as_of_before_the_seal, drop_orphans


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A small search of eight trials, five of which keep their weights."""
    path, level = tmp_path_factory.mktemp("check") / "study.db", optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    search(plan(), Settings(str(path), "linear", 8))
    yield path
    optuna.logging.set_verbosity(level)


@pytest.fixture
def path(searched, tmp_path):
    """A copy of it, to damage."""
    shutil.copytree(searched.parent, tmp_path / "copy")
    return tmp_path / "copy" / "study.db"


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def weights(path):
    return sorted(files(str(path), "linear").glob("*.safetensors"))


def command(path):
    """The command as a real process."""
    return run(module("study.check", "--storage", path), path.parent)


def test_a_whole_storage_is_said_to_be_as_recorded(path):
    """Status 0, a line a study, and no byte changed."""
    before = snapshot(path.parent)

    assert command(path) == (0, "linear: 8 trials, as recorded\n", "")
    assert snapshot(path.parent) == before


def test_a_damaged_storage_ends_in_status_2(path):
    """Every damaged trial has its line, and the last line says what to do."""
    execute(path, "UPDATE trial_values SET value = 0.5 WHERE trial_id IN (2, 3)")

    assert command(path) == (
        2,
        "linear: 8 trials, 2 things wrong\n"
        "  wrong: linear: trial 1 is damaged (its digest does not match)\n"
        "  wrong: linear: trial 2 is damaged (its digest does not match)\n",
        f"study: {path}: 2 things are wrong: restore it from a copy, or search again in a new"
        " file\n",
    )


def test_a_missing_storage_is_one_line(tmp_path):
    """And it is not made."""
    status, stdout, stderr = command(tmp_path / "study.db")

    assert (status, stdout) == (2, "")
    assert "there is no such file" in stderr
    assert list(tmp_path.iterdir()) == []


def _flip(path):
    content = bytearray(weights(path)[0].read_bytes())
    content[-1] ^= 1
    weights(path)[0].write_bytes(content)


def _misstate(path):
    """Give an index's record a header that is longer than the record."""
    content, record = path.read_bytes(), b"\x01)\x01\x04weights_sha256"
    path.write_bytes(content.replace(b"\x04" + record, b"\x15" + record, 1))


FOUND = {
    "what ends SQLite's own check": (_misstate, "is damaged: restore it from a copy"),
    "missing weights": (lambda p: weights(p)[0].unlink(), "there are no weights there"),
    "damaged weights": (_flip, "is damaged, or was not written by a search"),
    "weights of another trial": (
        lambda p: shutil.copy(weights(p)[1], weights(p)[0]),
        "holds the weights of another trial",
    ),
    "a gap": (
        lambda p: execute(p, "UPDATE trials SET number = 9 WHERE trial_id = 8"),
        "its 8 trials are not numbered from 0 to 7",
    ),
    "a trial less": (
        lambda p: (execute(p, "DELETE FROM trials WHERE trial_id = 8"), drop_orphans(p)),
        "it has 7 trials, and 8 were recorded",
    ),
    "another manifest": (
        lambda p: execute(p, "UPDATE study_user_attributes SET value_json = '{}'"),
        "manifest, machine, dates or parameters have changed",
    ),
    "an unreadable state": (
        lambda p: execute(p, "UPDATE trials SET state = 'BEST' WHERE trial_id = 3"),
        "the rows of trial 2 can't be read",
    ),
}


@pytest.mark.parametrize("damage", FOUND)
def test_what_is_wrong_is_named(path, damage):
    """Weights, order, seal, rows that can't be read, and the file as SQLite sees it."""
    make, words = FOUND[damage]
    make(path)

    assert [finding for finding in check(str(path)).wrong if words in finding.what]


LEFT_OVER = {
    "a draft": (lambda f: (f / ".0123456789abcdef.tmp").write_bytes(b"x"), "is left over"),
    "old weights": (lambda f: (f / "trial-00099.safetensors").write_bytes(b"x"), "is left over"),
    "a lock": (lambda f: (f / "holder").write_text("pid 1 on home since 2020-01-01\n"), "pid 1"),
    "one of 0.1": (lambda f: (f / "lock").write_text("pid 1 on home since 2020-01-01\n"), "pid 1"),
    "a study's folder": (lambda f: f.with_name("gone").mkdir(), "belongs to no study there"),
}


@pytest.mark.parametrize("kind", LEFT_OVER)
def test_what_a_kill_left_is_noted_and_is_no_error(path, kind):
    """The next search tidies it up."""
    make, words = LEFT_OVER[kind]
    make(files(str(path), "linear"))

    checked = check(str(path))

    assert checked.wrong == []
    assert [line for line in lines(checked) if line.startswith("  note: ") and words in line]


def test_a_study_of_another_program_is_noted(path):
    """It has no digests to hold it to, and is not ours to judge."""
    optuna.create_study(study_name="mine", storage=f"sqlite:///{path}").add_trial(
        optuna.trial.create_trial(value=1.0)
    )

    checked = check(str(path))

    assert checked.wrong == []
    assert "  note: mine: was not searched by this package" in list(lines(checked))


def test_a_storage_of_an_earlier_version_without_a_seal_is_read(path):
    """Its trials' digests still vouch for them, it is named as such, and is sealed next time."""
    as_of_before_the_seal(path)
    checked = check(str(path))
    assert checked.wrong == []
    assert any("kept no seal" in line for line in lines(checked))

    search(plan(), Settings(str(path), "linear", 9))

    with closing(sqlite3.connect(path)) as connection:
        [(seal,)] = connection.execute("SELECT value_json FROM study_system_attributes")
    assert json.loads(seal)["trials"] == 9
