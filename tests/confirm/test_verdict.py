"""The verdict's one sentence, whatever was decided, of two models and of more."""

from dataclasses import replace
from itertools import combinations

import pytest

from study.confirm.verdict import OverallVerdict, Verdict
from study.stats import Interval

NAMES = ("the linear model", "the MLP")
BETTER = Verdict(
    outcome="B better",
    leader="B",
    separated=True,
    outperforms=True,
    confirmed=True,
    within_margin=False,
    reasons=("", "", ""),
    names=NAMES,
    errors=(0.0325, 0.0126),
    interval=Interval(0.0158, 0.0239),
)


def test_the_sentence_has_the_evidence():
    """Both errors, the lower first, and by how much the leader errs less."""
    assert BETTER.sentence == (
        "The MLP is better: on images that played no part in tuning, the MLP errs on 1.26 % and "
        "the linear model on 3.25 %, a difference of 1.99 percentage points (95 % interval 1.58 "
        "to 2.39)."
    )


def test_the_sentence_is_the_same_whichever_model_stands_first():
    """Swapping A and B mirrors the interval, and the leader is still first."""
    swapped = replace(
        BETTER,
        outcome="A better",
        leader="A",
        names=NAMES[::-1],
        errors=BETTER.errors[::-1],
        interval=BETTER.interval.mirrored(),
    )

    assert swapped.sentence == BETTER.sentence


@pytest.mark.parametrize(
    ("outcome", "separated", "headline"),
    [
        ("suggestive", True, "The evidence favours the MLP but does not settle it"),
        ("equivalent", False, "The linear model and the MLP are equivalent in practice"),
        ("not separated", False, "The linear model and the MLP are not separated"),
        (
            "not separated",
            True,
            "The linear model and the MLP differ on the holdouts, but not reliably on fresh seeds",
        ),
    ],
)
def test_the_headline_names_both_models_where_none_is_better(outcome, separated, headline):
    """And says what the evidence does allow."""
    found = replace(BETTER, outcome=outcome, separated=separated)

    assert found.headline == headline
    assert found.sentence.startswith(f"{headline}: on images")


def test_a_studys_name_stays_as_it_is():
    """Two searches of one model are called by their studies' names."""
    assert replace(BETTER, names=("mlp-50", "mlp-wide")).headline == "mlp-wide is better"


def test_the_rows_of_a_table_are_no_images():
    """The sentence calls what the models were tested on by its name."""
    rows = replace(BETTER, items="rows")

    assert rows.sentence == BETTER.sentence.replace("on images", "on rows")
    assert OverallVerdict(NAMES, rows.errors, (rows,)).sentence.count("on rows that") == 1


# One of several pairs


def test_the_sentence_of_one_of_several_pairs_says_that_its_interval_is_simultaneous():
    """All else is as for two models alone."""
    found = replace(BETTER, p_adjusted=0.003)

    assert found.sentence == BETTER.sentence.replace("95 %", "simultaneous 95 %")
    assert found.disagreement == ""


@pytest.mark.parametrize("leader", ["A", "B"])
def test_where_holm_separates_and_bonferronis_interval_does_not_a_sentence_says_so(leader):
    """It has both, the interval from the leader's side, whichever model stands first."""
    interval = Interval(-0.0002, 0.0131)
    found = replace(BETTER, interval=interval, p_adjusted=0.0312)
    if leader == "A":
        swapped = {"errors": BETTER.errors[::-1], "interval": interval.mirrored()}
        found = replace(found, leader="A", outcome="A better", **swapped)

    assert found.disagreement == (
        "Holm's correction separates the linear model and the MLP (p = 0.031), but the "
        "simultaneous interval of their difference, -0.02 to 1.31 percentage points, contains 0: "
        "Bonferroni's intervals are wider than Holm's correction needs."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"p_adjusted": 0.2, "separated": False, "outcome": "not separated"},
        {"p_adjusted": None},
        {"p_adjusted": 0.01, "interval": Interval(0.0001, 0.0131)},
        {"p_adjusted": 0.01, "interval": Interval(-0.0131, -0.0001), "leader": "A"},
    ],
    ids=["neither", "two-models", "both", "both-for-A"],
)
def test_where_both_agree_nothing_is_said(changes):
    """Of two models alone the interval and its p value never disagree."""
    found = replace(BETTER, **{"interval": Interval(-0.0002, 0.0131)} | changes)

    assert found.disagreement == ""


# Several models

CALLED = {"l": "the linear model", "m": "the MLP", "w": "mlp-wide", "d": "deep"}
ERRORS = {"l": 0.0325, "m": 0.0126, "w": 0.014, "d": 0.02}  # the MLP leads


def overall(models, outcomes, **errors):
    """Of these models, where ``outcomes`` has the pairs that are not "not separated".

    Written with the better one first: ``{"ml": "better", "mw": "equivalent"}``.
    """
    errors = ERRORS | errors
    pairs = []
    for a, b in combinations(models, 2):
        outcome, ahead = outcomes.get(a + b, outcomes.get(b + a)) or "not separated", "A"
        if b + a in outcomes or (a + b not in outcomes and errors[b] < errors[a]):
            ahead = "B"
        pairs.append(
            replace(
                BETTER,
                outcome=f"{ahead} better" if outcome == "better" else outcome,
                leader=ahead,
                names=(CALLED[a], CALLED[b]),
                errors=(errors[a], errors[b]),
                p_adjusted=0.01,
            )
        )
    return OverallVerdict(
        tuple(CALLED[m] for m in models), tuple(errors[m] for m in models), tuple(pairs)
    )


BEATS_BOTH = {"ml": "better", "mw": "better"}


@pytest.mark.parametrize("models", ["lmw", "mlw", "wlm"])
def test_a_model_that_is_better_than_every_other_is_named(models):
    """With all errors, the lowest first, and the correction; in whatever order they stand."""
    assert overall(models, BEATS_BOTH).sentence == (
        "The MLP is better than every other model: on images that played no part in tuning, the "
        "MLP errs on 1.26 %, mlp-wide on 1.40 % and the linear model on 3.25 % (3 pairs, with "
        "Holm's correction)."
    )


@pytest.mark.parametrize(
    ("outcomes", "headline"),
    [
        pytest.param(
            {"ml": "better", "wl": "better"},
            "mlp-wide cannot be told apart from the MLP, which errs least; both are better than "
            "the linear model",
            id="two-level-both-better",
        ),
        pytest.param(
            {"ml": "better"},
            "mlp-wide cannot be told apart from the MLP, which errs least; the MLP is better than "
            "the linear model",
            id="two-level-one-better",
        ),
        pytest.param(
            {},
            "The linear model and mlp-wide cannot be told apart from the MLP, which errs least",
            id="all-level",
        ),
        pytest.param(
            {"wl": "better"},
            "The linear model and mlp-wide cannot be told apart from the MLP, which errs least",
            id="better-among-those-behind",
        ),
        pytest.param(
            {"mw": "equivalent", "ml": "better", "wl": "better"},
            "mlp-wide is equivalent in practice to the MLP, which errs least; both are better "
            "than the linear model",
            id="equivalent",
        ),
        pytest.param(
            {"mw": "equivalent", "ml": "equivalent"},
            "The linear model and mlp-wide are equivalent in practice to the MLP, which errs "
            "least",
            id="all-equivalent",
        ),
        pytest.param(
            {"mw": "equivalent"},
            "The linear model and mlp-wide cannot be told apart from the MLP, which errs least",
            id="equivalent-and-not-separated",
        ),
        pytest.param(
            {"mw": "suggestive", "ml": "better", "wl": "better"},
            "The evidence favours the MLP over mlp-wide but does not settle it; both are better "
            "than the linear model",
            id="suggestive",
        ),
        pytest.param(
            {"mw": "suggestive", "ml": "suggestive"},
            "The evidence favours the MLP over the linear model and mlp-wide but does not settle "
            "it",
            id="all-suggestive",
        ),
        pytest.param(
            {"ml": "suggestive"},
            "mlp-wide cannot be told apart from the MLP, which errs least; the evidence favours "
            "the MLP over the linear model but does not settle it",
            id="suggestive-and-not-separated",
        ),
    ],
)
def test_where_none_is_better_than_every_other_the_headline_says_who_is_level(outcomes, headline):
    """First who cannot be told apart from the leader, then what these are better than."""
    found = overall("lmw", outcomes)

    assert found.headline == headline
    assert found.sentence.startswith(f"{headline}: on images")


def test_what_only_the_leader_is_better_than_stands_apart():
    """The model that is level with it is not said to be better than all that it beats."""
    found = overall("lmwd", {"ml": "better", "wl": "better", "md": "better"})

    assert found.headline == (
        "mlp-wide cannot be told apart from the MLP, which errs least; both are better than the "
        "linear model; the MLP is also better than deep"
    )


def test_three_level_models_are_counted():
    """Both are two; three are all 3."""
    found = overall("lmwd", {"ml": "better", "wl": "better", "dl": "better"})

    assert found.headline.endswith("all 3 are better than the linear model")


def test_of_two_that_err_least_none_is_said_to():
    """A tie has no single lowest error; the first leads."""
    found = overall("lmw", {"ml": "better", "wl": "better"}, w=ERRORS["m"])

    assert found.headline == (
        "mlp-wide cannot be told apart from the MLP; both are better than the linear model"
    )
