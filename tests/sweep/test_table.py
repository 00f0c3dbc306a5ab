"""What stands beside what in the table, and when a pair's report is of what is there."""

import json
from dataclasses import replace

import pytest

from study.errors import StudyError
from study.sweep.data_sets import of_pair
from study.sweep.frame import frame_of_pairs
from study.sweep.notes import marked, unreadable
from study.sweep.page import is_current, to_html
from study.sweep.rows import Side

from .helpers import SETTINGS, content, judge, own, row


def notes(*rows, n_trials=64, until_target=False):
    """The rows' notes."""
    found = {each.data: each for each in rows}
    return [each.note for each in marked(found, n_trials, until_target=until_target)]


def test_a_search_that_is_not_whole_is_noted():
    """With what it has of what was asked for; more than that is whole."""
    assert notes(row(0, 1, trials=(64, 16)), row(2, 3, trials=(128, 64))) == [
        "mlp has 16 of 64 trials",
        "",
    ]


@pytest.mark.parametrize(("met", "note"), [(True, ""), (False, "linear has 16 of 64 trials")])
def test_a_search_that_stops_at_its_target_is_whole_there(met, note):
    """Where it was told to."""
    found = row(trials=(16, 64))
    linear = replace(found.sides["linear"], target_met=met)
    found = replace(found, sides=found.sides | {"linear": linear})

    assert notes(found, until_target=True) == [note]


def test_settings_that_most_pairs_have_otherwise_are_noted():
    """Each once, though both models have it; as many pairs of a kind, and the first is usual."""
    usual = [row(0, 1), row(2, 3)]
    other = row(0, 2, settings={"steps": 40, "sampler": "tpe"})

    assert notes(*usual, other) == ["", "steps 40, not 5000, sampler tpe, not qmc", ""]
    assert notes(row(0, 3), other) == ["", "steps 5000, not 40, sampler qmc, not tpe"]


def test_what_can_be_read_is_told_from_what_cannot():
    """By pair."""
    found = {of_pair("mnist", (2, 3)): row(2, 3)}
    found[of_pair("mnist", (0, 1))] = StudyError("trial 3 is damaged")

    assert [each.data.pair for each in marked(found, 64, until_target=False)] == [(2, 3)]
    assert unreadable(found) == ["0-1: trial 3 is damaged"]


@pytest.fixture
def reported(tmp_path):
    """A folder with a report of ``row()``, as far as the overview looks at it."""
    models = {name: {"trials_sha256": "digest"} for name in ("linear", "mlp")}
    (tmp_path / "4-9").mkdir()
    (tmp_path / "4-9/index.html").touch()
    (tmp_path / "4-9/summary.json").write_text(json.dumps({"models": models, "comparison": None}))
    return tmp_path


def test_a_report_of_what_is_there_is_current(reported):
    """Nothing need be drawn."""
    assert is_current(reported, row())


def test_a_report_of_other_trials_is_not(reported):
    """As after a longer search of one model."""
    other = row()
    other.sides["mlp"] = Side(4, 64, 64, sha256="other")

    assert not is_current(reported, other)


def test_a_report_without_the_confirmation_is_not(reported):
    """Nor is one of another confirmation."""
    assert not is_current(reported, row(comparison={"seed": 0}))


@pytest.mark.parametrize("name", ["index.html", "summary.json"])
def test_a_report_that_was_not_written_to_its_end_is_not(reported, name):
    """The page is its last file."""
    (reported / "4-9" / name).unlink()

    assert not is_current(reported, row())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"models": null}', '{"models": {"mlp": 1}}'])
def test_a_summary_that_is_none_is_not(reported, text):
    """And no error."""
    (reported / "4-9/summary.json").write_text(text)

    assert not is_current(reported, row())


def test_what_depends_on_the_data_is_not_compared():
    """Such as the number of rows that train; the number of steps is."""
    rows = [
        own("a", settings=SETTINGS | {"n_train": 80, "target": None}),
        own("b", settings=SETTINGS | {"n_train": 90, "order": 0}),
        own("c", settings={"steps": 40, "sampler": "qmc", "n_train": 80}),
        row(settings=SETTINGS | {"n_train": 10_000, "target": 0.02}),
    ]

    assert notes(*rows[:3]) == ["", "", "steps 40, not 5000"]
    assert notes(*rows) == ["", "", "", "steps 40, not 5000"]


def test_pairs_are_compared_with_pairs_in_all_settings():
    """However many other data sets stand beside them."""
    pairs = [row(0, 1, settings=SETTINGS | {"n_train": 200})]
    pairs += [row(2, k, settings=SETTINGS | {"n_train": 100}) for k in (3, 4)]
    others = [own(name) for name in "abcd"]

    assert notes(*pairs, *others) == ["n_train 200, not 100", *6 * [""]]


def test_the_first_of_two_models_is_orange(tmp_path):
    """Whichever they are: the page and the table's columns go by their order."""
    [found] = judge(row(0, 1, errors=(3, 19), models=("mlp", "linear")))
    page = to_html(tmp_path, content(found, models=("mlp", "linear")))

    assert '<td class="linear step4"><span title="0 against 1: MLP 3.00 % (3 of 100)' in page
    assert "Orange: the MLP errs clearly less; blue: the linear model; darker" in page
    columns = [name for name in frame_of_pairs([found]) if name.endswith("_error")]
    assert columns == ["mlp_error", "linear_error"]
