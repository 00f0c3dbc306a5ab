"""What stands beside what in the table, and when a pair's report is of what is there."""

import json
from dataclasses import replace

import pytest

from study.errors import StudyError
from study.sweep.page import answer, apart, is_current
from study.sweep.table import Row, Side, marked, unreadable


def row(first=4, second=9, errors=(5, 4), n_val=100, trials=(64, 64), **changes):
    """A pair's row."""
    settings = {"steps": 5000, "seed": 0}
    sides = (
        Side(error, count, count, sha256="digest", settings=settings)
        for error, count in zip(errors, trials, strict=True)
    )
    return replace(Row(first, second, n_val, *sides), **changes)


def notes(*rows, n_trials=64, until_target=False):
    """The rows' notes."""
    found = {each.pair: each for each in rows}
    return [each.note for each in marked(found, n_trials, until_target=until_target)]


@pytest.mark.parametrize(
    ("errors", "winner", "gap"),
    [((50, 20), "mlp", 0.03), ((7, 9), "linear", -0.002), ((3, 3), "tie", 0)],
)
def test_the_winner_errs_less(errors, winner, gap):
    """By the gap of the two errors, linear less MLP."""
    found = row(errors=errors, n_val=1000)

    assert found.winner == winner
    assert found.gap == pytest.approx(gap)


def test_the_sentence_counts_winners():
    """And names the pair that the models differ most on."""
    found = [row(0, 1, (5, 4)), row(2, 3, (9, 4)), row(4, 5, (2, 2))]

    assert answer(found) == (
        "At its best the MLP erred less on 2 of 3 pairs, the linear model on 0, with 1 tie; they "
        "differ most on 2 against 3, by 5.00 percentage points."
    )
    assert apart(found) == ""


def test_a_pair_with_a_note_is_not_counted():
    """However large its gap; and how many such there are is said."""
    found = [row(0, 1, (5, 4)), row(2, 3, (99, 4), note="seed 1, not 0")]

    assert answer(found).startswith("At its best the MLP erred less on 1 of 1 pair, the linear")
    assert apart(found).startswith("1 pair is shown and not counted: ")
    assert answer(found[1:]) == "No pair has been searched to its end yet."


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
    found = replace(found, linear=replace(found.linear, target_met=met))

    assert notes(found, until_target=True) == [note]


def test_settings_that_most_pairs_have_otherwise_are_noted():
    """Each once, though both models have it; as many pairs of a kind, and the first is usual."""
    usual = [row(0, 1), row(2, 3)]
    side = Side(4, 64, 64, settings={"steps": 40, "seed": 1})
    other = row(0, 2, linear=side, mlp=side)

    assert notes(*usual, other) == ["", "steps 40, not 5000, seed 1, not 0", ""]
    assert notes(row(0, 3), other) == ["", "steps 5000, not 40, seed 0, not 1"]


def test_what_can_be_read_is_told_from_what_cannot():
    """By pair."""
    found = {(2, 3): row(2, 3), (0, 1): StudyError("trial 3 is damaged")}

    assert [each.pair for each in marked(found, 64, until_target=False)] == [(2, 3)]
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
    assert not is_current(reported, row(mlp=Side(4, 64, 64, sha256="other")))


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
