"""A study says what it was, and is held to it."""

import sqlite3
from contextlib import closing

import pytest

from study.errors import StudyError
from study.storage import check_manifest, load_study, machine, manifest, record, set_manifest
from tests.helpers.storages import make_trial

WANTED = {"seed": 0, "protocol": {"steps": 5000, "classes": (4, 9)}, "digest": "ab"}


def test_a_fresh_study_gets_the_manifest(path, study):
    """It is one JSON object in the user attribute ``manifest``; tuples are read as lists."""
    assert manifest(study) is None

    check_manifest(study, lambda _: WANTED)

    stored = load_study(str(path), "linear").user_attrs["manifest"]
    assert stored == {"seed": 0, "protocol": {"steps": 5000, "classes": [4, 9]}, "digest": "ab"}


def test_the_same_manifest_passes_and_changes_nothing(path, study):
    """A second run of the same command writes nothing."""
    set_manifest(study, WANTED)
    before = path.read_bytes()

    check_manifest(study, lambda _: WANTED)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"seed": 1}, "(seed 0 → 1)"),
        ({"protocol": {"steps": 100, "classes": (4, 9)}}, "(protocol.steps 5000 → 100)"),
        ({"protocol": {"steps": 5000, "classes": (9, 4)}}, "(protocol.classes [4, 9] → [9, 4])"),
        ({"protocol": {"steps": 5000}}, "(protocol.classes [4, 9] → absent)"),
        ({"extra": None}, "(extra absent → null)"),
        ({"digest": "x" * 99}, '(digest "ab" → "' + "x" * 56 + "…)"),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, "c absent → 3 and 1 more)"),
    ],
)
@pytest.mark.matrix("F11")
def test_another_manifest_is_refused_by_field_and_changes_nothing(changes, complaint, path, study):
    """The message names the first differing fields, old → new."""
    set_manifest(study, WANTED)
    before = path.read_bytes()

    with pytest.raises(StudyError, match="study 'linear': was searched with other") as caught:
        check_manifest(study, lambda _: WANTED | changes)

    assert complaint in str(caught.value)
    assert path.read_bytes() == before


def test_trials_without_a_manifest_are_foreign(path, study):
    """A study that another program filled is not gone on with."""
    record(study, [make_trial(0)])
    before = path.read_bytes()

    with pytest.raises(StudyError, match="has 1 trials of another program"):
        check_manifest(study, lambda _: WANTED)

    assert path.read_bytes() == before


@pytest.mark.parametrize("json", ["[1]", "{", '"x"', ""])
@pytest.mark.matrix("F11")
def test_a_damaged_manifest_is_refused(json, path, study):
    """What is not a JSON object is damage, said in one line."""
    set_manifest(study, WANTED)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE study_user_attributes SET value_json = ?", [json])
        connection.commit()

    with pytest.raises(StudyError, match="study 'linear': its manifest is damaged"):
        check_manifest(study, lambda _: WANTED)


def test_the_machine_is_kept_and_held_against_nobody(path, study):
    """Another machine goes on with the study, which still says where it was begun."""
    check_manifest(study, lambda _: WANTED)
    kept = load_study(str(path), "linear").user_attrs["machine"]
    assert set(kept) == {"processor", "cores", "system", "python"}
    study.set_user_attr("machine", {"processor": "another"})

    check_manifest(study, lambda _: WANTED)

    assert machine(load_study(str(path), "linear")) == {"processor": "another"}


def test_a_study_of_before_has_no_machine(study):
    """It is nowhere, not here."""
    assert machine(study) == {}
