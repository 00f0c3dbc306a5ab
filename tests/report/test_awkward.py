"""Studies that are not as one would wish: alone, empty, diverged, pruned, unlike, damaged."""

import json
import re

import pytest

from study.errors import ResourceError, StudyError
from study.report import general, render, write
from study.training.protocol import Protocol
from tests.helpers.sql import change
from tests.report.conftest import copied, searched
from tests.report.helpers import LaidOut, Undrawn, page_of, set_attribute, stored_best, written


def test_one_study_is_reported_alone(storage, tmp_path):
    """Without a second study nothing is compared, and the page says so."""
    found, page = written(storage, tmp_path, mlp="mlp")

    assert list(found["models"]) == ["mlp"]
    assert found["winner"] is None
    assert "There is no second study here to compare it with" in page.text
    assert "erred less" not in page.text


def test_a_study_without_trials_is_shown_as_such(storage, tmp_path):
    """No trial, no answer, no figure of it; the other model's are there."""
    change(storage, "DELETE FROM trials WHERE study_id = 1")

    summary, page = written(storage, tmp_path, drawn=LaidOut())

    found = summary["models"]["linear"]
    assert (found["trials"], found["best"], found["target_met"]) == (0, None, False)
    assert "no trial trained to the end" in page.text
    assert "The MLP’s best trial misread" in page.text


def test_no_trial_at_all_gives_a_page_without_an_answer(storage):
    """Two empty studies are reported, without a figure but that of the data."""
    change(storage, "DELETE FROM trials")

    page = page_of(storage, drawn=LaidOut())

    assert "No answer yet" in page.text
    drawn = [figure["aria-label"] for figure in page.all("svg")]
    assert len(page.all("figure")) == 1
    assert drawn
    assert all(alt.startswith(general.EXAMPLES_ALT) for alt in drawn)


@pytest.mark.parametrize(("state", "outcome"), [("COMPLETE", "diverged"), ("PRUNED", "pruned")])
def test_all_diverged_or_pruned_trials_are_counted_and_drawn(storage, tmp_path, state, outcome):
    """They stand in the tables and the counts; only complete ones can be best."""
    change(storage, "UPDATE trials SET state = ?", state)
    set_attribute(storage, "outcome", outcome)

    summary, page = written(storage, tmp_path, drawn=LaidOut())

    found = summary["models"]["linear"]
    assert found["outcomes"][outcome] == found["trials"] == 6
    assert (found["best"] is None) == (state == "PRUNED")
    assert f"6 (6 {outcome})" in page.text
    assert (tmp_path / "tables" / "learning_rate.csv").read_text().count(outcome) == 12


def test_a_pruned_trial_with_the_fewest_errors_does_not_win(storage, tmp_path):
    """A planted pruned minimum is drawn and counted, and another trial is best."""
    number = stored_best(storage, "linear")["number"]
    change(
        storage,
        "UPDATE trials SET state = 'PRUNED' WHERE study_id = 1 AND number = ?",
        number,
    )

    summary, _ = written(storage, tmp_path)

    best = summary["models"]["linear"]["best"]["trial"]
    assert best == stored_best(storage, "linear")["number"] != number


def test_running_and_failed_trials_are_counted(storage):
    """Optuna's other states are named beside the number of trials."""
    for number, state in ((6, "FAIL"), (7, "RUNNING")):
        insert = "INSERT INTO trials (number, study_id, state) VALUES (?, 1, ?)"
        change(storage, insert, number, state)

    assert "8 (1 fail, 1 running)" in page_of(storage).text


def test_a_trial_that_runs_does_not_undo_the_confirmation(confirmed, tmp_path):
    """A search that goes on elsewhere leaves the verdict, and its trial is counted."""
    storage = copied(confirmed, tmp_path / "copy")
    change(storage, "INSERT INTO trials (number, study_id, state) VALUES (6, 1, 'RUNNING')")

    text = page_of(storage).text

    assert "7 (1 running)" in text
    assert "Does it hold up?" in text


def test_a_target_for_the_upper_bound_is_held_against_it(storage, tmp_path):
    """By the rule wilson, an error under the target misses it where its interval reaches past."""
    relabel(storage, "linear", target_rule="wilson", target=0.035)
    set_attribute(storage, "val_errors", 55)

    summary, page = written(storage, tmp_path)

    assert summary["models"]["linear"]["target_met"] is False
    assert "3.5 % for the interval’s upper end: missed" in page.text
    assert "--target-rule wilson" in page.text


def test_a_tie_is_called_a_tie(storage, tmp_path):
    """Equal counts have no winner, whatever the losses."""
    set_attribute(storage, "val_errors", 33)

    summary, page = written(storage, tmp_path)

    text = page.text
    assert summary["winner"] == "tie"
    assert "A tie between the linear model and the MLP, not yet confirmed on fresh images" in text
    assert "The best of the linear model and the best of the MLP each misread 33 of 1,791" in text
    assert "erred less:" not in text


def test_no_errors_at_all_can_be_drawn(storage):
    """An error of 0 has a place on the log axes, and the page says which."""
    set_attribute(storage, "val_errors", 0)

    text = page_of(storage, drawn=LaidOut()).text

    assert "0.00 % (0 of 1,791)" in text
    assert "An error of 0 is drawn as half an image" in text


def test_losses_that_are_not_finite_are_drawn_as_gaps(storage, tmp_path):
    """A curve of missing losses is no obstacle, and summary.json stays JSON."""
    curve = stored_best(storage, "mlp")["curve"]
    set_attribute(storage, "val_loss", None)
    set_attribute(storage, "curve", curve | {"val_loss": [None] * len(curve["step"])})

    summary, _ = written(storage, tmp_path, drawn=LaidOut())

    assert summary["models"]["mlp"]["best"]["val_loss"] is None


@pytest.mark.parametrize("damage", ["absent", "broken", "foreign"])
def test_missing_weights_are_said_on_the_page(storage, damage):
    """Without the winner's own weights there is no picture of them, but a reason."""
    folder = storage.parent / "study.db.files" / "linear"
    name = f"trial-{stored_best(storage, 'linear')['number']:05d}.safetensors"
    if damage == "absent":
        (folder / name).unlink()
    elif damage == "broken":
        (folder / name).write_bytes(b"no weights")
    else:
        other = next(path for path in folder.glob("*.safetensors") if path.name != name)
        other.replace(folder / name)

    text = page_of(storage).text

    assert f"Linear model: the weights can’t be shown, since the file {name}" in text
    assert "784 weights" not in text
    assert "Linear model 50 → " not in text


def test_images_that_are_not_to_be_had_are_left_out(storage, tmp_path):
    """Studies of other images are reported without pictures, and the page says why."""
    for study in ("linear", "mlp"):
        relabel(storage, study, data_sha256="0" * 64)

    _, page = written(storage, tmp_path)

    text = page.text
    assert "the images found are not those of the studies" in text
    assert not (tmp_path / "tables" / "misread.csv").exists()


def relabel(storage, study, **fields):
    """Alter the manifest of a study."""
    from study.storage import load_study, manifest

    content = json.dumps(manifest(load_study(str(storage), study)) | fields)
    change(
        storage,
        "UPDATE study_user_attributes SET value_json = ? WHERE key = 'manifest' AND study_id ="
        " (SELECT study_id FROM studies WHERE study_name = ?)",
        content,
        study,
    )


def test_another_protocol_is_refused_with_the_difference(storage, tmp_path):
    """Two studies of unlike protocols are not compared: nothing is written."""
    searched(storage, "mlp", name="longer", protocol=Protocol(steps=350), n_trials=1)

    with pytest.raises(StudyError, match=r"differ in steps \(300 against 350\): search both"):
        write(str(storage), tmp_path / "out", linear="linear", mlp="longer")

    assert not (tmp_path / "out").exists()


def test_other_images_are_refused_with_the_difference(storage):
    """Two studies of unlike images are not compared."""
    relabel(storage, "mlp", data_sha256="0" * 64)

    with pytest.raises(StudyError, match=r"differ in the images' SHA-256 \(dbf9\w+… against 000"):
        render(str(storage))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"linear": "absent"}, "'absent' in .*is not there: it holds 'linear', 'mlp'"),
        ({"linear": "mlp", "mlp": "mlp"}, "study 'mlp': is named twice: name two studies"),
    ],
    ids=["absent", "twice"],
)
def test_a_wrong_name_is_refused(storage, names, message):
    """A study that is not there, or is both sides of a comparison, is named."""
    with pytest.raises(StudyError, match=message):
        render(str(storage), **names)


def test_the_only_study_of_a_model_needs_no_name(tmp_path):
    """A study under another name is found by its model; of two, one must be named."""
    storage = searched(tmp_path / "study.db", "linear", name="a", n_trials=1)
    assert "Linear" in page_of(storage).text
    searched(storage, "linear", name="b", n_trials=1)

    with pytest.raises(StudyError, match=r"has 2 linear studies \('a', 'b'\): name one: --linear"):
        render(str(storage))


def test_a_trial_of_another_program_is_refused(storage):
    """A complete trial without our attributes is not passed over."""
    change(storage, "DELETE FROM trial_user_attributes WHERE key = 'curve' AND trial_id = 2")

    with pytest.raises(StudyError, match="study 'linear': trial 1 was not recorded by this pack"):
        render(str(storage))


def test_a_folder_that_can_not_be_made_is_one_line(storage, tmp_path):
    """A file where the folder should be ends in a resource error that names it."""
    (tmp_path / "out").write_text("in the way")

    with pytest.raises((StudyError, ResourceError), match=re.escape(str(tmp_path / "out"))):
        write(str(storage), tmp_path / "out", drawn=Undrawn())
