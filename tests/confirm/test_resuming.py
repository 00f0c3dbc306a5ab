"""A confirmation that is stopped, repeated, extended or spread has one and the same table."""

import hashlib
import json
import secrets
import shutil
import signal
import subprocess
import sys
import time

import pytest

from study import storage
from study.confirm.comparison import compare
from study.confirm.loop import confirm
from study.workers import Workers
from tests.helpers import sql
from tests.helpers.commands import KILLED, PATIENCE_S, start
from tests.helpers.storages import copied

from . import doomed
from .helpers import OPTIONS, PAIR, arguments, here, settings

CONFIRM = "study.confirm"
PARTS = [name + part for name in PAIR for part in ("/replicates", "/splits")]


def parts(path):
    """The four studies of a confirmation, dates excepted."""
    return {name: sql.table(path, name) for name in PARTS}


def recorded(path):
    """How many trials the confirmation has so far, read while it runs."""
    like = "study_name LIKE '%/%'"
    count = f"SELECT count(*) FROM trials JOIN studies USING (study_id) WHERE {like}"
    return sql.query(path, count)[0][0]


@pytest.mark.posix("SIGKILL")
@pytest.mark.faults
@pytest.mark.matrix("F1")
def test_kills_at_random_moments_change_nothing(searched, confirmed, tmp_path):
    """Four SIGKILLs, at database events and in between, then a run to the end."""
    path, seed = copied(searched, tmp_path), secrets.randbelow(10**6)
    twin = shutil.copytree(searched.parent, tmp_path / "twin") / "study.db"
    print(f"seed of the kills: {seed}")

    line = [sys.executable, doomed.__file__, str(path), str(seed), str(twin)]
    ends = subprocess.run(line, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    confirm(settings(path))

    assert ends.stdout.split().count(str(int(signal.SIGKILL))) >= doomed.KILLS / 2
    assert parts(path) == parts(confirmed.path) == parts(twin)
    assert sql.contents(path) == sql.contents(confirmed.path)


@pytest.mark.matrix("F2")
def test_a_command_that_was_killed_ends_as_if_it_had_not_been(searched, confirmed, tmp_path):
    """The real command, SIGKILL at a random moment after its first record, and again."""
    path, seed = copied(searched, tmp_path), secrets.randbelow(10**6)
    print(f"seed of the kill: {seed}")
    process = start(arguments(CONFIRM, path, *OPTIONS), tmp_path)
    while process.poll() is None and recorded(path) <= seed % 6:
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == KILLED

    assert here(CONFIRM, path, *OPTIONS) == confirmed.result
    assert sql.contents(path) == sql.contents(confirmed.path)


@pytest.fixture
def former(searched, once, tmp_path):
    """A copy of a confirmation of version 0.1: random splits and three finalists."""

    def make(folder):
        of = {"folds": 0, "seeds": 2, "splits": 2, "n_trials": 2, "finalists": 3}
        confirm(settings(copied(searched, folder), **of))

    return copied(once("confirmed by version 0.1", make)[0] / "study.db", tmp_path)


UNSTATED = {"n_trials": 2, "finalists": None, "folds": None}


def test_a_confirmation_of_version_0_1_goes_on_as_it_began(former):
    """Random splits and three finalists stay, whatever a new confirmation has by default."""
    assert confirm(settings(former, seeds=2, splits=3, **UNSTATED)) == 2  # a split more of each

    for name in PAIR:
        splits = sql.trials(former, f"{name}/splits")
        assert [split["n_holdout"] for split in splits] == [1791] * 3
        assert not any("simplest" in split for split in splits)
        assert "folds" not in sql.manifest(former, f"{name}/splits")
    found = compare(str(former), PAIR)
    assert (found.judged.folds, found.difference.df) == (0, 2)
    assert found.a.simplicity is None


def test_a_model_that_is_added_to_random_splits_is_judged_on_them(former):
    """It would not be comparable otherwise."""
    confirm(settings(former, (*PAIR, "mlp-wide"), seeds=2, splits=2, **UNSTATED))

    assert "folds" not in sql.manifest(former, "mlp-wide/splits")


def test_a_second_confirmation_adds_nothing(again):
    """Nothing is trained, and every row is as before, dates included."""
    dates = "SELECT trial_id, datetime_start, datetime_complete FROM trials"
    before = sql.contents(again), sql.query(again, dates)

    assert confirm(settings(again)) == 0

    assert (sql.contents(again), sql.query(again, dates)) == before


def test_fewer_seeds_and_splits_take_nothing_away(again, confirmed):
    """The command prints what is there."""
    result = here(CONFIRM, again, "--seeds", 2, "--splits", 2, "--n-trials", 4)

    assert result == confirmed.result
    assert sql.contents(again) == sql.contents(confirmed.path)


def test_two_workers_give_the_table_of_one(fresh, confirmed):
    """``--jobs 2`` equals ``--jobs 1``, bit for bit."""
    told = []
    confirm(settings(fresh, workers=Workers(2)), lambda done, total: told.append((done, total)))

    assert sql.contents(fresh) == sql.contents(confirmed.path)
    assert told == [(done, 14) for done in range(1, 15)]


def test_more_seeds_keep_the_earlier_ones(again, confirmed):
    """From four seeds to six: the first four bit for bit, the splits untouched."""
    before = parts(confirmed.path)

    assert confirm(settings(again, seeds=6)) == 4

    after = parts(again)
    for name in PAIR:
        old, new = before[f"{name}/replicates"], after[f"{name}/replicates"]
        assert new[: len(old)] == old
        assert len(new) == len(old) / 4 * 6
        assert [t["replicate"] for t in new] == sorted([0, 1, 2, 3, 4, 5] * (len(old) // 4))
        assert after[f"{name}/splits"] == before[f"{name}/splits"]


def test_more_splits_keep_the_earlier_ones(again, confirmed):
    """From three splits to four: the first three bit for bit, the replicates untouched."""
    before = parts(confirmed.path)

    assert confirm(settings(again, splits=4)) == 2

    after = parts(again)
    for name in PAIR:
        assert after[f"{name}/splits"][:3] == before[f"{name}/splits"]
        assert [t["split"] for t in after[f"{name}/splits"]] == [0, 1, 2, 3]
        assert after[f"{name}/replicates"] == before[f"{name}/replicates"]


def test_restart_drops_and_redoes(again, confirmed):
    """What was there is gone; the same seed gives the same first rows, at a later date."""
    began = "SELECT min(datetime_start) FROM trials JOIN studies USING (study_id) WHERE {}"
    ours, theirs = (began.format(f"study_name {like} '%/%'") for like in ("LIKE", "NOT LIKE"))
    last = sql.query(again, ours.replace("min(", "max("))
    searches = sql.query(again, theirs)

    few = ("--seeds", 2, "--splits", 2, "--n-trials", 4, "--finalists", 2)
    result = here(CONFIRM, again, "--restart", *few)

    assert result.status == 0
    assert sql.query(again, ours) > last
    assert sql.query(again, theirs) == searches
    before, after = parts(confirmed.path), parts(again)
    for name in PAIR:
        assert after[f"{name}/splits"] == before[f"{name}/splits"][:2]
        seeds = before[f"{name}/replicates"]
        assert after[f"{name}/replicates"] == seeds[: len(seeds) // 2]


@pytest.mark.matrix("F16")
def test_a_running_confirmation_holds_its_studies(again):
    """A second one ends with status 4 and one line that says which study is held."""
    with storage.lock(str(again), "mlp/splits"):
        result = here(CONFIRM, again, *OPTIONS)

    assert (result.status, result.stdout) == (4, "")
    assert "mlp/splits" in result.stderr
    assert result.stderr.count("\n") == 1


def test_restart_drops_all_or_nothing(again):
    """Where one of the four studies is held, none is dropped."""
    before = sql.contents(again)

    with storage.lock(str(again), "mlp/splits"):
        result = here(CONFIRM, again, *OPTIONS, "--restart")

    assert result.status == 4
    assert sql.contents(again) == before


@pytest.mark.parametrize("name", PARTS)
def test_every_row_vouches_for_itself(confirmed, name):
    """The digest of each replicate and split is that of its value and attributes."""
    for trial in sql.trials(confirmed.path, name):
        value, digest = trial.pop("value"), trial.pop("digest")
        kept = {key: trial[key] for key in trial if key not in ("id", "number", "state")}
        text = json.dumps([value, kept], sort_keys=True, separators=(",", ":"))
        assert digest == hashlib.sha256(text.encode()).hexdigest()
