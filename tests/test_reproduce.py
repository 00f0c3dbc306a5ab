"""A stored trial, retrained: the same bits, within rounding, or different, and where."""

import json
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import optuna
import pytest

from study.errors import StudyError
from study.reproduce import reproduce
from study.search import Plan, Settings, search
from study.training.protocol import Protocol
from study.training.registry import MODELS
from tests.helpers import commands
from tests.helpers.plans import space_of
from tests.helpers.vouching import vouch

SHORT = Protocol(steps=300, val_every=20)
PATIENCE_S = 300


def plan(model, **changes):
    """A small plan."""
    space = space_of(hidden_units=(8, 16) if MODELS[model].size_parameters else None)
    fields = {"protocol": SHORT, "generation_size": 8, "cohort_size": 4, "target": 0.03}
    return Plan(model, space, **fields | changes)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A plain study, one with a pruner, and one that was extended in mid-generation."""
    path, level = tmp_path_factory.mktemp("reproduce") / "study.db", optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    search(plan("linear"), Settings(str(path), "plain", 16))
    search(plan("mlp", pruner="hyperband"), Settings(str(path), "pruned", 16))
    for n_trials in (5, 11):  # generations of 5, 3 and 3
        search(plan("mlp", seed=3), Settings(str(path), "extended", n_trials))
    yield path
    optuna.logging.set_verbosity(level)


@pytest.fixture
def altered(searched, tmp_path):
    """A copy of the storage, to alter."""
    return shutil.copy(searched, tmp_path / "study.db")


def query(path, sql, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, values).fetchall()


def attributes(path, study, number):
    """The id of a trial and its attributes."""
    sql = "SELECT trial_id FROM trials JOIN studies USING (study_id) "
    [(trial,)] = query(path, f"{sql} WHERE study_name = ? AND number = ?", study, number)
    sql = "SELECT key, value_json FROM trial_user_attributes WHERE trial_id = ?"
    return trial, {key: json.loads(text) for key, text in query(path, sql, trial)}


def alter(path, study, number, change, *, redigest=True):
    """Change a trial's attributes by SQL, and vouch for it."""
    trial, attrs = attributes(path, study, number)
    change(attrs)
    sql = "UPDATE trial_user_attributes SET value_json = ? WHERE trial_id = ? AND key = ?"
    for key, value in attrs.items():
        query(path, sql, json.dumps(value), trial, key)
    if redigest:
        vouch(path)


def run(path, study, number):
    """The command: its status, stdout and stderr."""
    options = ("--storage", path, "--study-name", study, "--trial", number)
    return commands.here("study.reproduce", *options)


def assert_refused(result, *words):
    """Status 2 and one line that has all these words."""
    assert (result.status, result.stdout) == (2, "")
    assert result.stderr.startswith("study: ")
    assert result.stderr.count("\n") == 1
    assert [word for word in words if word not in result.stderr] == []


@pytest.mark.parametrize(("study", "n_trials"), [("plain", 16), ("pruned", 16), ("extended", 11)])
def test_every_trial_is_identical(searched, study, n_trials):
    """Weights, curve and predictions, whatever the generation, cohort and state."""
    for number in range(0, n_trials, 5):  # at every place in a cohort
        found = reproduce(str(searched), study, number)

        assert (found.weights, found.curve, found.predictions) == (True, True, True), number
        assert found.identical
        assert found.words == "identical: weights, curve and predictions have the same bits"


def test_the_studies_hold_what_they_should(searched):
    """Some trials were pruned and some not, and the extension cut a generation short."""
    trials = [attributes(searched, "pruned", number)[1] for number in range(16)]
    starts = [attributes(searched, "extended", number)[1]["generation"] for number in range(11)]

    assert {trial["outcome"] for trial in trials} >= {"pruned", "finished"}
    assert starts == [0] * 5 + [5] * 3 + [8] * 3


def test_a_pruned_trial_is_reproduced_to_where_it_stopped(searched):
    """Its curve is shorter, and the pruner stops it at the same step again."""
    found = [attributes(searched, "pruned", number)[1] for number in range(16)]
    stopped = [number for number, trial in enumerate(found) if trial["outcome"] == "pruned"]

    for number in stopped[:3]:
        assert found[number]["curve"]["step"][-1] < 280
        assert reproduce(str(searched), "pruned", number).identical


def test_the_command_says_identical_with_status_0(searched):
    """On one line, that names study and trial."""
    options = ("--storage", searched, "--study-name", "extended", "--trial", 9)
    result = commands.run(commands.module("study.reproduce", *options), searched.parent)

    assert (result.status, result.stderr) == (0, "")
    assert result.stdout == (
        "extended trial 9: identical: weights, curve and predictions have the same bits\n"
    )


def test_the_command_says_different_with_status_1(altered):
    """An altered curve is told apart, and the first step that differs is named."""

    def change(attrs):
        for place in (4, 7):
            attrs["curve"]["val_errors"][place] += 40

    alter(altered, "plain", 2, change)

    result = run(altered, "plain", 2)

    assert (result.status, result.stderr) == (1, "")
    assert result.stdout == "plain trial 2: different: first at step 80\n"


@pytest.mark.parametrize("name", ["train_loss", "train_errors", "val_loss", "val_errors"])
def test_every_curve_is_compared(altered, name):
    """One figure of one validation is enough."""

    def change(attrs):
        attrs["curve"][name][11] += 10

    alter(altered, "plain", 3, change)

    found = reproduce(str(altered), "plain", 3)

    assert (found.curve, found.close, found.first_difference) == (False, False, 220)
    assert found.words == "different: first at step 220"


@pytest.mark.parametrize(
    ("name", "change", "close"),
    [
        ("val_loss", lambda loss: loss * (1 + 1e-6), True),
        ("val_loss", lambda loss: loss * (1 - 1e-6), True),
        ("val_loss", lambda loss: loss * 1.1, False),
        ("train_loss", lambda loss: loss * (1 + 1e-6), True),
        ("val_errors", lambda errors: errors + 1, True),
        ("val_errors", lambda errors: errors + 10, False),
        ("val_errors", lambda errors: errors - 10, False),
    ],
)
def test_rounding_is_told_from_a_difference(altered, name, change, close):
    """A loss a millionth off, or one image, is what another machine gives; more is not."""

    def shift(attrs):
        attrs["curve"][name][5] = change(attrs["curve"][name][5])

    alter(altered, "plain", 3, shift)

    found = reproduce(str(altered), "plain", 3)

    assert not found.identical
    assert (found.close, found.first_difference) == (close, 100)
    expected = "identical within float32 rounding: differs" if close else "different:"
    assert found.words == f"{expected} first at step 100"


def test_rounding_alone_ends_with_status_0(altered):
    """And the line says that it is not the same bits."""

    def change(attrs):
        attrs["curve"]["val_loss"] = [loss * (1 + 1e-6) for loss in attrs["curve"]["val_loss"]]

    alter(altered, "plain", 3, change)

    result = run(altered, "plain", 3)

    assert result.status == 0
    assert result.stdout == (
        "plain trial 3: identical within float32 rounding: differs first at step 0\n"
    )


def test_a_loss_that_was_not_finite_is_different(altered):
    """A stored null is no number, and no number is close to it."""

    def change(attrs):
        attrs["curve"]["val_loss"][13] = None

    alter(altered, "plain", 3, change)

    found = reproduce(str(altered), "plain", 3)

    assert (found.curve, found.close, found.first_difference) == (False, False, 260)


def test_a_shorter_curve_is_different(altered):
    """A pruned trial whose last validation was taken away is not the same trial."""

    def change(attrs):
        attrs["curve"] = {name: values[:-1] for name, values in attrs["curve"].items()}

    alter(altered, "plain", 3, change)

    found = reproduce(str(altered), "plain", 3)

    assert not found.identical
    assert not found.close
    assert found.words.startswith("different: ")


def test_altered_predictions_are_different(altered):
    """A curve with the same bits does not vouch for other predictions."""

    def change(attrs):
        attrs["predictions"] = attributes(altered, "plain", 5)[1]["predictions"]

    assert (
        attributes(altered, "plain", 5)[1]["predictions"]
        != attributes(altered, "plain", 3)[1]["predictions"]
    )
    alter(altered, "plain", 3, change)

    found = reproduce(str(altered), "plain", 3)

    assert (found.weights, found.curve, found.predictions) == (True, True, False)
    assert found.words.startswith("different: ")
    assert "predictions" in found.words


def test_altered_weights_are_noticed(altered):
    """A curve with the same bits does not vouch for other weights."""
    alter(altered, "plain", 3, lambda attrs: attrs.update(weights_sha256="0" * 64))

    found = reproduce(str(altered), "plain", 3)

    assert (found.weights, found.curve, found.predictions) == (False, True, True)
    assert not found.identical
    assert "in the weights alone" in found.words


def test_another_seed_is_different(altered):
    """Initial weights that were not the trial's give another curve from the first step."""
    alter(altered, "plain", 3, lambda attrs: attrs.update(seed=attrs["seed"] + 1))

    found = reproduce(str(altered), "plain", 3)

    assert (found.weights, found.first_difference) == (False, 0)


def test_a_digest_that_does_not_match_is_damage(altered):
    """An altered trial without a new digest is refused before anything is trained."""

    def change(attrs):
        attrs["curve"]["val_errors"][4] += 1

    alter(altered, "plain", 2, change, redigest=False)

    assert_refused(run(altered, "plain", 2), "trial 2", "digest", "damaged")


def test_an_altered_value_is_damage(altered):
    """The digest covers the value that Optuna shows, too."""
    trial, _ = attributes(altered, "plain", 2)
    query(altered, "UPDATE trial_values SET value = 0.001 WHERE trial_id = ?", trial)

    with pytest.raises(StudyError, match=r"trial 2.*damaged"):
        reproduce(str(altered), "plain", 2)


def test_a_trial_that_is_missing_is_said_in_one_line(searched):
    """With the numbers that are there."""
    assert_refused(run(searched, "plain", 16), "--trial 16", "0 to 15")


def test_a_study_that_is_missing_is_said_in_one_line(searched):
    """With the studies that are there."""
    with pytest.raises(StudyError, match=r"'none'.*plain") as refusal:
        reproduce(str(searched), "none", 0)

    assert "\n" not in str(refusal.value)


def test_a_storage_that_is_missing_is_not_made(tmp_path):
    """One line, and no file."""
    with pytest.raises(StudyError, match=r"study\.db"):
        reproduce(str(tmp_path / "study.db"), "plain", 0)

    assert list(tmp_path.iterdir()) == []


def test_a_foreign_study_is_refused(altered):
    """A study without a manifest was not searched here."""
    url = f"sqlite:///{altered}"
    optuna.create_study(storage=url, study_name="foreign").optimize(lambda trial: 1.0, n_trials=1)

    with pytest.raises(StudyError, match=r"'foreign'.*manifest"):
        reproduce(str(altered), "foreign", 0)


def test_other_data_is_refused(searched, pair, monkeypatch):
    """A trial is not retrained on images that it never saw."""
    from study.training import work

    foreign = pair.taking(np.arange(len(pair.raw))[::-1], pair.n_train)
    monkeypatch.setattr(work, "load_pair", lambda *_: foreign)

    with pytest.raises(StudyError, match="SHA-256"):
        reproduce(str(searched), "plain", 0)


def test_nothing_is_written(searched):
    """The storage's bytes are the same after a reproduction."""
    before = searched.read_bytes()

    reproduce(str(searched), "plain", 1)

    assert searched.read_bytes() == before
