"""F27, F31, F32, F35, F36: what a study is held to, and what Optuna's tools may do to it."""

import logging
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import optuna
import pytest

from study.check import check, lines
from study.confirm.comparison import compare
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm, restart
from study.errors import BusyError, StudyError
from study.report.collect import collect
from study.reproduce import reproduce
from study.search import Settings, loop
from study.search import search as search_here
from study.search.checkpoints import save_again, weights_path
from study.search.objective import Objective
from study.search.summary import summary
from study.storage import files, frozen_trials, load_study, study_names
from study.storage.searched import Searched
from study.trials import best_of, frozen
from tests.helpers.commands import here
from tests.helpers.plans import plan, space_of
from tests.helpers.storages import table, weights
from tests.helpers.vouching import as_of_before_the_name

LINEAR, PAIR = "linear", ("linear", "mlp")
SIZES = {"seeds": 2, "splits": 2, "n_trials": 2, "finalists": 1}


def search(path, n_trials=8, name=LINEAR, **changes):
    """A search of generations of four, two trials a cohort."""
    return search_here(plan(**changes), Settings(str(path), name, n_trials))


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search of eight linear models."""
    path = tmp_path_factory.mktemp("searched") / "study.db"
    search(path)
    return path


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory):
    """Both models, searched and confirmed."""
    path = tmp_path_factory.mktemp("confirmed") / "study.db"
    for model in PAIR:
        search_here(plan(model), Settings(str(path), model, 4))
    confirm(ConfirmSettings(str(path), PAIR, **SIZES))
    return path


def copied(path, folder):
    """A copy of a storage, its companion folder included."""
    shutil.copytree(path.parent, folder / "copy")
    return folder / "copy" / path.name


@pytest.fixture
def path(searched, tmp_path):
    """A copy of the search, to do something to."""
    return copied(searched, tmp_path)


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def opened(path, name=LINEAR):
    """The study as anybody opens it with Optuna."""
    return optuna.load_study(study_name=name, storage=f"sqlite:///{path}")


def wrong(path):
    """What the check says is wrong."""
    try:
        return [finding.what for finding in check(str(path)).wrong]
    except StudyError as error:
        return [str(error)]


def refusals(path):
    """What every command that reads the study says of it."""
    commands = {
        "search": lambda: search(path, 9),
        "report": lambda: collect(str(path)),
        "reproduce": lambda: reproduce(str(path), LINEAR, 0),
        "confirm": lambda: confirm(ConfirmSettings(str(path), PAIR, **SIZES)),
    }
    found = {}
    for name, command in commands.items():
        with pytest.raises(StudyError) as refusal:
            command()
        found[name] = str(refusal.value)
    return found


# --- F27: guards that are lost ----------------------------------------------------------------

USER, SYSTEM = "study_user_attributes", "study_system_attributes"
LOST = {
    "manifest deleted": f"DELETE FROM {USER} WHERE key = 'manifest'",
    "manifest misspelt": f"UPDATE {USER} SET key = 'Manifest' WHERE key = 'manifest'",
    "seal deleted": f"DELETE FROM {SYSTEM} WHERE key = 'seal'",
    "seal misspelt": f"UPDATE {SYSTEM} SET key = 'seal ' WHERE key = 'seal'",
    "seal of fewer than none": f"""UPDATE {SYSTEM} SET value_json = json_set(value_json,
    '$.trials', -5) WHERE key = 'seal'""",
    "machine deleted": f"DELETE FROM {USER} WHERE key = 'machine'",
    "direction changed": "UPDATE study_directions SET direction = 'MAXIMIZE'",
    "direction deleted": "DELETE FROM study_directions",
}


@pytest.mark.matrix("F27")
@pytest.mark.parametrize("loss", LOST)
def test_a_lost_guard_is_damage_to_every_command(path, loss):
    """Nobody reads a study on without its manifest, seal, machine or direction."""
    execute(path, LOST[loss])

    assert wrong(path)
    assert all("'linear'" in words or str(path) in words for words in refusals(path).values())


@pytest.mark.matrix("F27")
def test_a_study_that_lost_all_its_marks_is_known_by_its_trials(path):
    """Trials that a search recorded belong to a study with a manifest."""
    execute(path, f"DELETE FROM {USER}", f"DELETE FROM {SYSTEM}")

    assert wrong(path) == ["is damaged (it has trials of a search, and its manifest is missing)"]


@pytest.mark.matrix("F27")
def test_a_confirmation_that_lost_all_its_marks_is_known_by_its_trials(confirmed, tmp_path):
    """Replicates and splits too, though each may be alone in its cohort."""
    path = copied(confirmed, tmp_path)
    execute(path, f"DELETE FROM {USER}", f"DELETE FROM {SYSTEM}")

    assert len([words for words in wrong(path) if "its manifest is missing" in words]) == 6


@pytest.mark.matrix("F27")
def test_a_search_that_was_killed_before_its_first_trial_goes_on(path, searched):
    """A manifest without a seal is no damage where nothing was recorded."""
    execute(path, "DELETE FROM trials", f"DELETE FROM {SYSTEM}", *_orphans())

    assert wrong(path) == []
    search(path)

    assert table(path, LINEAR) == table(searched, LINEAR)


def _orphans():
    tables = ("values", "params", "user_attributes", "system_attributes", "intermediate_values")
    return [f"DELETE FROM trial_{name}" for name in tables]


# --- F32: trials that were trained otherwise --------------------------------------------------

SHORTER = replace(plan().protocol, steps=40)
OTHERWISE = {
    "steps": {"protocol": SHORTER},
    "validations": {"protocol": replace(plan().protocol, val_every=10)},
    "batches": {"protocol": replace(plan().protocol, batch_size=50)},
    "split": {"protocol": replace(plan().protocol, n_train=9_000)},
    "seed": {"seed": 7},
    "ranges": {"space": space_of((1e-3, 0.1))},
    "model": {"model": "mlp"},
}


def objective(pair, **changes):
    """An objective with the settings of the search, but for these."""
    wanted = plan(**changes)
    return Objective(
        wanted.model,
        replace(pair, n_train=wanted.protocol.n_train),
        seed=wanted.seed,
        space=wanted.space,
        protocol=wanted.protocol,
        target=wanted.target,
        device="cpu",
    )


@pytest.mark.matrix("F32")
@pytest.mark.parametrize("kind", OTHERWISE)
def test_an_objective_with_other_settings_is_refused(path, pair, kind):
    """It names the difference, and its trial is a failed one that all pass over."""
    study = opened(path)

    with pytest.raises(StudyError, match="study 'linear': was searched with other settings"):
        study.optimize(objective(pair, **OTHERWISE[kind]), n_trials=1)

    assert study.trials[-1].state.name == "FAIL"
    assert wrong(path) == []


@pytest.mark.matrix("F32")
@pytest.mark.parametrize("kind", OTHERWISE)
def test_a_trial_that_was_trained_otherwise_is_named_wherever_it_came_from(path, pair, kind):
    """Copied from a study of one's own, it is refused by every command."""
    own = optuna.create_study()
    own.optimize(objective(pair, **OTHERWISE[kind]), n_trials=1)
    opened(path).add_trial(own.trials[0])

    found = wrong(path)

    assert len(found) == 1
    assert found[0].startswith("trial 8 was ")
    assert all("trial 8 was " in words for name, words in refusals(path).items())


@pytest.mark.matrix("F32")
@pytest.mark.parametrize("kind", [kind for kind in OTHERWISE if kind != "batches"])
def test_a_trial_in_an_older_storage_is_held_to_what_it_tells(path, pair, kind):
    """Steps, images, seed, ranges and model show in a trial's own attributes."""
    as_of_before_the_name(path)
    own = optuna.create_study()
    own.optimize(objective(pair, **OTHERWISE[kind]), n_trials=1)
    opened(path).add_trial(own.trials[0])

    [words] = wrong(path)

    assert words.startswith("trial 8 was trained with other ")


@pytest.mark.matrix("F32")
def test_an_objective_with_the_settings_of_the_search_adds_to_it(path, pair):
    """Its trials count, are reproduced to the bit, and are sealed by the next search."""
    opened(path).optimize(objective(pair), n_trials=3)
    assert all("weights" in words for words in wrong(path))
    assert all(reproduce(str(path), LINEAR, number).identical for number in (8, 9, 10))

    outcome = search(path, 12)

    assert [trial.number for trial in outcome.trials] == list(range(12))
    assert Searched.read(str(path), LINEAR).notes == []
    assert wrong(path) == []


@pytest.mark.matrix("F32")
def test_a_study_without_a_manifest_is_the_callers_own(tmp_path, pair):
    """The objective trains with any settings, and the check passes over the study."""
    study = optuna.create_study(study_name="own", storage=f"sqlite:///{tmp_path}/own.db")
    study.optimize(objective(pair, seed=3), n_trials=1)

    checked = check(f"{tmp_path}/own.db")

    assert list(lines(checked)) == [
        "own: 1 trials, as recorded",
        "  note: own: was not searched by this package",
    ]


# --- F36: Optuna's ordinary life --------------------------------------------------------------


def _enqueued(study):
    study.enqueue_trial({"learning_rate": 0.1})


def _asked(study):
    study.ask()


def _failed(study):
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)


LIFE = {"WAITING": _enqueued, "RUNNING": _asked, "FAIL": _failed}


@pytest.mark.matrix("F36")
@pytest.mark.parametrize("state", LIFE)
def test_an_unfinished_trial_is_told_and_passed_over(path, searched, state, tmp_path):
    """The search goes on beside it with the trials that it would have had without."""
    LIFE[state](opened(path))
    alone = copied(searched, tmp_path / "alone")

    outcome = search(path, 12)
    search(alone, 12)

    assert [trial.number for trial in outcome.trials] == [*range(8), *range(9, 13)]
    assert _trained(path) == _trained(alone)
    said = summary(Settings(str(path), LINEAR), outcome)
    assert [line for line in said if line.startswith("  passed over") and state in line]
    assert collect(str(path)).searches[0].stored.others == {state: 1}
    assert wrong(path) == []
    assert any(state in line for line in lines(check(str(path))))
    assert reproduce(str(path), LINEAR, 12).identical


def _trained(path):
    """What was trained, without numbers."""
    trials = collect(str(path)).searches[0].trials
    return [(t.learning_rate, t.val_errors, t.step, t.weights_sha256) for t in trials]


@pytest.mark.matrix("F36")
def test_a_trial_that_is_enqueued_while_a_search_trains_costs_nothing(path, monkeypatch):
    """The generation gets the numbers after it."""
    train = loop.train_cohort

    def and_enqueue(task, progress=None):
        if task.trials[0].place == 8:
            opened(path).enqueue_trial({"learning_rate": 0.1})
        return train(task, progress)

    monkeypatch.setattr(loop, "train_cohort", and_enqueue)
    outcome = search(path, 12)

    assert [trial.number for trial in outcome.trials] == [*range(8), *range(9, 13)]
    assert wrong(path) == []


@pytest.mark.matrix("F36")
def test_a_waiting_trial_that_an_objective_finishes_later_is_one_more_trial(path, pair):
    """Though its number lies among those of trials that a seal covers."""
    opened(path).enqueue_trial({"learning_rate": 0.1})
    search(path, 12)

    opened(path).optimize(objective(pair), n_trials=1)

    assert [found for found in wrong(path) if "weights" not in found] == []
    outcome = search(path, 16)
    assert sorted(trial.number for trial in outcome.trials) == list(range(16))
    assert wrong(path) == []
    assert all(reproduce(str(path), LINEAR, number).identical for number in (7, 8, 9, 15))


@pytest.mark.matrix("F36")
def test_a_trial_that_is_finished_while_a_search_trains_is_no_damage(path, pair, monkeypatch):
    """The generation is not recorded, and the same command goes on beside it."""
    train = loop.train_cohort
    opened(path).enqueue_trial({"learning_rate": 0.1})

    def and_finish(task, progress=None):
        if task.trials[0].place == 8:
            opened(path).optimize(objective(pair), n_trials=1)
        return train(task, progress)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "train_cohort", and_finish)
        with pytest.raises(BusyError, match="run the same command again"):
            search(path, 12)
    search(path, 12)

    assert wrong(path) == []


def _rename(path, old, new):
    execute(path, f"UPDATE studies SET study_name = '{new}' WHERE study_name = '{old}'")


@pytest.mark.matrix("F36")
def test_a_renamed_study_is_read_reported_and_gone_on_with(path, searched, tmp_path):
    """As the dashboard renames it; its trials go on as under the old name."""
    _rename(path, LINEAR, "logistic")
    alone = copied(searched, tmp_path / "alone")
    assert [words for words in wrong(path) if "weights" not in words] == []

    search(path, 12, "logistic")
    search(alone, 12)

    assert table(path, "logistic") == table(alone, LINEAR)
    assert collect(str(path)).searches[0].name == "logistic"
    assert wrong(path) == []


@pytest.mark.matrix("F36")
@pytest.mark.parametrize("renamed", ["linear", "linear/replicates", "mlp/splits"])
def test_a_confirmation_outlives_a_renaming(confirmed, tmp_path, renamed):
    """The verdict of the report is that of before, whichever of its studies has a new name."""
    path = copied(confirmed, tmp_path)
    _rename(path, renamed, "another")
    names = [name.replace(renamed, "another") if name == renamed else name for name in PAIR]

    found = collect(str(path), linear=names[0], mlp=names[1]).comparison
    again = confirm(ConfirmSettings(str(path), tuple(names), **SIZES))

    assert found.verdict == collect(str(confirmed)).comparison.verdict
    assert again == 0


@pytest.mark.matrix("F36")
def test_a_copied_study_is_a_study(path, tmp_path):
    """Into another file, or beside the first under another name."""
    url, other = f"sqlite:///{path}", f"sqlite:///{tmp_path}/other.db"
    optuna.copy_study(from_study_name=LINEAR, from_storage=url, to_storage=other)
    optuna.copy_study(
        from_study_name=LINEAR, from_storage=url, to_storage=url, to_study_name="copy"
    )

    search(tmp_path / "other.db", 9)
    search(path, 9, "copy")

    assert wrong(path) == wrong(tmp_path / "other.db") == []
    assert table(path, "copy") == table(tmp_path / "other.db", LINEAR)


@pytest.mark.matrix("F36")
def test_a_copy_does_not_drop_its_originals_confirmation(confirmed, tmp_path):
    """It has none of its own."""
    path = copied(confirmed, tmp_path)
    url = f"sqlite:///{path}"
    optuna.copy_study(
        from_study_name=LINEAR, from_storage=url, to_storage=url, to_study_name="copy"
    )

    assert collect(str(path), linear="copy", mlp="mlp").comparison is None
    assert collect(str(path), linear=LINEAR, mlp="mlp").comparison is not None


@pytest.mark.matrix("F36")
def test_restarting_a_copys_confirmation_leaves_the_originals(confirmed, tmp_path):
    """Also where the original was renamed, so that neither has the first name."""
    path = copied(confirmed, tmp_path)
    url = f"sqlite:///{path}"
    optuna.copy_study(
        from_study_name=LINEAR, from_storage=url, to_storage=url, to_study_name="copy"
    )
    _rename(path, LINEAR, "original")

    restart(ConfirmSettings(str(path), ("copy", "mlp"), **SIZES))

    assert "linear/replicates" in study_names(str(path))


@pytest.mark.matrix("F36")
@pytest.mark.parametrize("command", [confirm, restart])
def test_anothers_study_of_a_confirmations_name_stops_it_before_anything_is_dropped(
    confirmed, tmp_path, command
):
    """The line says to rename it."""
    path = copied(confirmed, tmp_path)
    url = f"sqlite:///{path}"
    optuna.delete_study(study_name="linear/splits", storage=url)
    mine = optuna.create_study(study_name="linear/splits", storage=url)
    mine.optimize(lambda trial: 1.0, n_trials=1)
    before = path.read_bytes()

    with pytest.raises(StudyError, match="'linear/splits': has the name of a confirmation"):
        command(ConfirmSettings(str(path), PAIR, **SIZES))

    assert path.read_bytes() == before


@pytest.mark.matrix("F36")
def test_a_study_that_begins_with_a_failed_trial_is_searched(tmp_path, searched):
    """As one whose trials failed later."""
    path = tmp_path / "study.db"
    study = optuna.create_study(study_name=LINEAR, storage=f"sqlite:///{path}")
    _failed(study)

    search(path)

    assert wrong(path) == []
    assert _trained(path) == _trained(searched)


@pytest.mark.matrix("F36")
def test_under_an_older_seal_a_renaming_is_told_as_one(path):
    """That seal covers the name; the former one is that of the folder beside the storage."""
    as_of_before_the_name(path)
    _rename(path, LINEAR, "logistic")

    checked = check(str(path))

    assert [f.what for f in checked.wrong if "weights" not in f.what] == []
    assert "  note: logistic: was renamed from 'linear' since it was recorded" in lines(checked)


@pytest.mark.matrix("F36")
def test_notes_tags_and_attributes_of_others_are_nobodys_damage(path):
    """What the dashboard and a person write into a study changes nothing."""
    study = opened(path)
    study.set_user_attr("tags", ["mine"])
    study._storage.set_study_system_attr(study._study_id, "dashboard:note_ver", 1)

    assert wrong(path) == []
    assert len(search(path, 9).trials) == 9


# --- F26: confirmations of which a part is gone -----------------------------------------------


@pytest.mark.matrix("F26")
@pytest.mark.parametrize("gone", ["linear/replicates", "mlp/splits"])
def test_a_partial_confirmation_is_told(confirmed, tmp_path, gone):
    """The report says what is missing, and what to run."""
    path = copied(confirmed, tmp_path)
    optuna.delete_study(study_name=gone, storage=f"sqlite:///{path}")

    record = collect(str(path))

    assert record.comparison is None
    assert record.unconfirmed == f"study '{gone}': is not there"
    assert confirm(ConfirmSettings(str(path), PAIR, **SIZES)) == 2
    assert collect(str(path)).comparison is not None


@pytest.mark.matrix("F26")
def test_a_confirmation_without_its_study_is_told(confirmed, tmp_path):
    """The check names both."""
    path = copied(confirmed, tmp_path)
    optuna.delete_study(study_name="mlp", storage=f"sqlite:///{path}")

    said = [line for line in lines(check(str(path))) if "which is not there" in line]

    assert said == [
        f"  note: mlp/{part}: confirms study 'mlp', which is not there"
        for part in ("splits", "replicates")
    ]


# --- F31: advice that cures -------------------------------------------------------------------


def best_trial(path):
    return best_of(collect(str(path)).searches[0].trials)


def _one(path):
    weights_path(str(path), LINEAR, best_trial(path).number).unlink()


def _all(path):
    shutil.rmtree(files(str(path), LINEAR))


def _swapped(path):
    first, second, *_ = sorted(files(str(path), LINEAR).glob("*.safetensors"))
    shutil.copy(first, second)


def _flipped(path):
    first = next(files(str(path), LINEAR).glob("*.safetensors"))
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)


def _moved(path):
    shutil.move(f"{path}.files", path.with_name("elsewhere.files"))


LOSSES = {
    "one file": _one, "all files": _all, "another trial's": _swapped, "flipped bit": _flipped,
    "database renamed": _moved,
}  # fmt: skip


@pytest.mark.matrix("F31")
@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_search_makes_lost_weights_again(path, searched, loss):
    """Though it has no trial to add; the files are those of before, byte for byte."""
    LOSSES[loss](path)
    assert "run the same search again" in wrong(path)[0]

    assert search(path).added == 0

    assert wrong(path) == []
    assert weights(path, LINEAR) == weights(searched, LINEAR)


@pytest.mark.matrix("F31")
def test_weights_that_can_not_be_made_again_are_not_made_up(path, caplog):
    """Where training gives other bits, the file stays away and the search says so."""
    _one(path)
    trial = best_trial(path)

    with caplog.at_level(logging.WARNING, "study.search.checkpoints"):
        save_again(str(path), LINEAR, trial, 0, {"linear.weight": np.zeros((1, 784), np.float32)})

    assert f"the weights of trial {trial.number} can't be made again here" in caplog.text
    assert "there are no weights there" in wrong(path)[0]


def _unconfirmed(path):
    optuna.delete_study(study_name="mlp/splits", storage=f"sqlite:///{path}")
    return lambda: compare(str(path), PAIR)


def _sought_again(path):
    search_here(plan("mlp"), Settings(str(path), "mlp", 12))
    best = min(found.value for found in opened(path, "mlp").trials)
    assert best < min(found.value for found in opened(path, "mlp").trials[:4])
    return lambda: compare(str(path), PAIR)


def _in_wal_mode(path):
    execute(path, "PRAGMA journal_mode = WAL")
    return lambda: collect(str(path))


def _of_an_older_optuna(path):
    execute(
        path,
        "UPDATE alembic_version SET version_num = 'v3.0.0.d'",
        "DROP INDEX IF EXISTS ix_trials_study_id",
    )
    return lambda: collect(str(path))


ADVICE = {
    "no confirmation": _unconfirmed,
    "another best trial": _sought_again,
    "WAL mode": _in_wal_mode,
    "older tables": _of_an_older_optuna,
}


@pytest.mark.matrix("F31")
@pytest.mark.parametrize("trouble", ADVICE)
def test_the_command_in_a_message_cures(confirmed, tmp_path, trouble):
    """Copied into a shell as it stands, though the path has a space and a quote."""
    (tmp_path / "my 'own").mkdir()
    path = copied(confirmed, tmp_path / "my 'own")
    read = ADVICE[trouble](path)
    with pytest.raises(StudyError) as refusal:
        read()
    advice = re.search("`(.*)`", str(refusal.value))[1]

    in_a_shell(advice)

    read()


def in_a_shell(line):
    """Run a command line of a message; this environment's programs need not be on the path."""
    program, *arguments = shlex.split(line)
    if program == "sqlite3":  # SQLite's own program need not be installed
        execute(*arguments)
    elif program == "optuna":
        optunas = "import sys; from optuna.cli import main; sys.exit(main())"
        start = [sys.executable, "-c", optunas]
        subprocess.run([*start, *arguments], check=True, capture_output=True)
    else:
        minus_m, module, *options = arguments
        size = ("--seeds", "2", "--splits", "2", "--n-trials", "2", "--finalists", "1")
        more = size if module == "study.confirm" else ()
        assert (program, minus_m) == ("python", "-m")
        assert here(module, *options, *more).status == 0


# --- F35: local time --------------------------------------------------------------------------

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


@pytest.fixture
def zone():
    """Set the process's time zone; as before at the end."""
    if not hasattr(time, "tzset"):
        pytest.skip("Windows sets no time zone for a process")

    def put(name):
        os.environ["TZ"] = name
        time.tzset()

    before = os.environ.get("TZ")
    yield put
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


REPEATED = {  # an instant, UTC, in the second of two equal hours
    "Europe/Berlin": datetime(2026, 10, 25, 1, 30, 1, 5, UTC),
    "America/New_York": datetime(2026, 11, 1, 6, 15, 0, 999_999, UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, 10, 0, 1, UTC),
}


@pytest.mark.matrix("F35")
@pytest.mark.parametrize("recorded_in", REPEATED)
def test_a_study_of_an_hour_that_clocks_repeat_is_whole_everywhere(
    tmp_path, zone, recorded_in, monkeypatch, attempts
):
    """Recorded in one zone's repeated hour, it is read in every other, and gone on with."""
    instant = REPEATED[recorded_in]

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(instant.timestamp(), tz)

    monkeypatch.setattr(loop, "datetime", Clock)
    monkeypatch.setattr(frozen, "datetime", Clock)
    path = tmp_path / "study.db"
    zone(recorded_in)
    search(path, 4)

    for reader in ZONES:
        zone(reader)
        assert wrong(path) == [], reader
        [(start, _), *_] = collect(str(path)).searches[0].times
        assert start == instant
    zone("Asia/Kathmandu")
    search(path, 8)
    zone(recorded_in)
    assert wrong(path) == []
    attempts(len(ZONES))


@pytest.mark.matrix("F35")
def test_a_date_that_is_read_in_a_repeated_hour_is_the_date_that_was_recorded(path, zone):
    """Recorded in UTC, read in a zone where that hour came twice."""
    zone("Europe/Berlin")
    instant = "2026-10-25 01:30:00.000005"
    execute(path, f"UPDATE trials SET datetime_start = '{instant}'")

    [trial, *_] = frozen_trials(load_study(str(path), LINEAR))

    assert trial.datetime_start.astimezone(UTC) == datetime.fromisoformat(f"{instant}+00:00")


# --- as a command -----------------------------------------------------------------------------


@pytest.mark.matrix("F36")
def test_optunas_own_command_adds_a_trial_that_the_check_tells(path):
    """``optuna ask`` leaves a running trial; status 0, and a note."""
    program = "import sys; from optuna.cli import main; sys.exit(main())"
    options = ("ask", "--study-name", LINEAR, "--storage", f"sqlite:///{path}")
    subprocess.run([sys.executable, "-c", program, *options], check=True, capture_output=True)

    line = [sys.executable, "-m", "study.check", "--storage", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "note: linear: has unfinished trials (1 RUNNING)" in done.stdout
