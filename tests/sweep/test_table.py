"""What stands beside what in the table, and when a pair's report is of what is there."""

import json
from dataclasses import replace

import pytest

from study.errors import StudyError
from study.sweep.data_sets import DataSet, of_pair
from study.sweep.frame import frame_of_pairs, signed_gap
from study.sweep.notes import marked, unreadable
from study.sweep.page import is_current, to_html
from study.sweep.rows import Content, Row, Side
from study.sweep.sentences import answer, apart

SETTINGS = {"steps": 5000, "sampler": "qmc"}


def row(first=4, second=9, errors=(5, 4), n_val=100, trials=(64, 64), **changes):
    """A pair's row."""
    return row_of(of_pair("mnist", (first, second)), errors, n_val, trials, **changes)


def row_of(data, errors=(5, 4), n_val=100, trials=(64, 64), settings=None, **changes):
    """A row of any data set, of as many models as there are errors."""
    sides = {
        name: Side(error, count, count, sha256="digest", settings=settings or SETTINGS)
        for name, error, count in zip(("linear", "mlp", "deep"), errors, trials, strict=False)
    }
    return replace(Row(data, sides, n_val), **changes)


def notes(*rows, n_trials=64, until_target=False):
    """The rows' notes."""
    found = {each.data: each for each in rows}
    return [each.note for each in marked(found, n_trials, until_target=until_target)]


def content(*rows, **changes):
    """A page of two models with these rows."""
    return Content(rows, ("linear", "mlp"), **changes)


@pytest.mark.parametrize(
    ("errors", "winner", "gap"),
    [((50, 20), "mlp", 0.03), ((7, 9), "linear", -0.002), ((3, 3), "tie", 0)],
)
def test_the_winner_errs_less(errors, winner, gap):
    """By the gap of the two errors, linear less MLP."""
    found = row(errors=errors, n_val=1000)

    assert found.winner == winner
    assert signed_gap(found) == pytest.approx(gap)
    assert found.gap == pytest.approx(abs(gap))


def test_the_sentence_counts_winners():
    """And names the pair that the models differ most on."""
    found = content(row(0, 1, (5, 4)), row(2, 3, (9, 4)), row(4, 5, (2, 2)))

    assert answer(found) == (
        "At its best the MLP erred less on 2 of 3 pairs, the linear model on 0, with 1 tie; they "
        "differ most on 2 against 3, by 5.00 percentage points."
    )
    assert apart(found) == ""


def test_a_pair_with_a_note_is_not_counted():
    """However large its gap; and how many such there are is said."""
    found = [row(0, 1, (5, 4)), row(2, 3, (99, 4), note="steps 9, not 5000")]

    assert answer(content(*found)).startswith("At its best the MLP erred less on 1 of 1 pair, the")
    assert apart(content(*found)).startswith("1 pair is shown and not counted: ")
    assert answer(content(found[1])) == "No pair has been searched to its end yet."


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


def own(name, errors=(5, 4), **changes):
    """A row of a person's own data."""
    return row_of(DataSet(name, name), errors, **changes)


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


def test_the_winner_of_three_models_is_ahead_of_the_next():
    """Where two of them err least, it is a tie, and nothing leads."""
    won, tied = (own("a", errors, trials=(1, 1, 1)) for errors in ((9, 4, 6), (5, 3, 3)))

    assert (won.winner, won.gap) == ("mlp", 0.02)
    assert (tied.winner, tied.leaders, tied.gap) == ("tie", ["mlp", "deep"], 0)


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            [(9, 4, 6), (9, 4, 5), (1, 4, 6)],
            "At its best the MLP erred least on 2 of 3 data sets, the linear model on 1, no other "
            "on any, with 0 ties; the best leads most on 2.csv, by 3.00 percentage points.",
        ),
        (
            [(4, 4, 6)],
            "No model erred less than every other on any of 1 data set, with 1 tie.",
        ),
    ],
)
def test_the_sentence_on_three_models_names_those_that_won(errors, said):
    """Those that won most first."""
    rows = [own(f"{k}.csv", each, trials=(64, 64, 64)) for k, each in enumerate(errors)]

    assert answer(Content(rows, ("linear", "mlp", "deep"), only_pairs=False)) == said


def test_the_first_of_two_models_is_orange(tmp_path):
    """Whichever they are: the page and the table's columns go by their order."""
    found = row(0, 1, errors=(3, 9))
    found = replace(found, sides=dict(reversed(found.sides.items())))
    page = to_html(tmp_path, Content([found], ("mlp", "linear")))

    assert '<td class="mlp step4"><span title="0 against 1: MLP 9.00 % (9 of 100)' in page
    assert "Orange: the MLP erred less; blue: the linear model; darker" in page
    assert [*frame_of_pairs([found])][4:6] == ["mlp_error", "linear_error"]
