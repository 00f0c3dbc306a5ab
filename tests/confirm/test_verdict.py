"""The verdict's one sentence, whatever was decided, of two models and of more."""

from dataclasses import replace
from itertools import combinations

import pytest

from study.confirm.verdict import Judged, OverallVerdict, Verdict
from study.margin import Margin
from study.stats import CorrectedMean, Interval, Probabilities

NAMES = ("the linear model", "the MLP")


def difference(lower, upper, *, is_bound=False):
    """Of two models, with this interval."""
    mean = (lower + upper) / 2
    return CorrectedMean(mean, Interval(lower, upper), 9.6, 1e-9, 11_790, 0.002, is_bound)


BETTER = Verdict(
    outcome="B better",
    leader="B",
    separated=True,
    within_margin=False,
    names=NAMES,
    errors=(0.0325, 0.0126),
    difference=difference(0.0158, 0.0239),
    margin=0.00451,
    stated_margin=Margin(0.2, is_relative=True),
    probabilities=Probabilities(0.0001, 0.02, 0.9799),
    detectable=0.0056,
    judged=Judged(16, 8_571, 7, 11_791, 7),
)


def test_the_sentence_has_the_evidence():
    """What was judged, both errors, the lower first, and by how much the leader errs less."""
    assert BETTER.sentence == (
        "The MLP is better: tuned with 16 trials on 8,571 training images, and judged on images "
        "that played no part in it, the MLP errs on 1.26 % and the linear model on 3.25 %, a "
        "difference of 1.99 percentage points (95 % interval 1.58 to 2.39)."
    )


def test_the_sentence_is_the_same_whichever_model_stands_first():
    """Swapping A and B mirrors the interval, and the leader is still first."""
    swapped = replace(
        BETTER,
        outcome="A better",
        leader="A",
        names=NAMES[::-1],
        errors=BETTER.errors[::-1],
        difference=difference(-0.0239, -0.0158),
    )

    assert swapped.sentence == BETTER.sentence


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        (
            {"outcome": "equivalent"},
            "The linear model and the MLP are equivalent in practice",
        ),
        ({"outcome": "not separated"}, "The linear model and the MLP are not separated"),
        (
            {"within_margin": True},
            "The MLP is better, but by less than the margin",
        ),
    ],
    ids=["equivalent", "not-separated", "better-and-equivalent"],
)
def test_the_headline_says_what_the_evidence_allows(changes, headline):
    """Both models where neither is better, and the margin where the better one is within it."""
    found = replace(BETTER, **changes)

    assert found.headline == headline
    assert found.sentence.startswith(f"{headline}: tuned")
    assert found.sentence.endswith("2.39; margin 0.45).") is found.within_margin


def test_images_that_all_models_judge_alike_bound_the_difference():
    """An interval of no width would claim too much."""
    found = replace(
        BETTER,
        outcome="not separated",
        leader=None,
        errors=(0.01, 0.01),
        difference=difference(-0.0003, 0.0003, is_bound=True),
    )

    assert found.sentence.endswith(
        "a difference of 0.00 percentage points (at most 0.03, with 95 % confidence)."
    )


def test_a_difference_is_not_beyond_100_points():
    """An interval's ends may be, with few images."""
    found = replace(BETTER, errors=(1.0, 0.0), difference=difference(0.7, 1.3))

    assert found.sentence.endswith("(95 % interval 70.00 to 100.00).")


def test_the_power_is_said_with_the_three_probabilities():
    """What the design finds, the margin in points and as it was stated, and each state."""
    assert BETTER.power == (
        "This design finds a difference of 0.56 percentage points with 80 % power. With a margin "
        "of 0.45 percentage points (20 % of their mean error), the probability that the linear "
        "model is better by more than it is below 0.01, that the MLP is 0.98, and that they are "
        "equivalent 0.02."
    )


def test_an_absolute_margin_is_said_once():
    """It is in percentage points already."""
    found = replace(BETTER, margin=0.0025, stated_margin=Margin(0.0025, is_relative=False))

    assert "With a margin of 0.25 percentage points, the probability" in found.power


def test_a_studys_name_stays_as_it_is():
    """Two searches of one model are called by their studies' names."""
    assert replace(BETTER, names=("mlp-50", "mlp-wide")).headline == "mlp-wide is better"


def test_the_rows_of_a_table_are_no_images():
    """The sentence calls what the models were tested on by its name."""
    rows = replace(BETTER, judged=replace(BETTER.judged, items="rows"))

    assert rows.sentence == BETTER.sentence.replace("images", "rows")
    assert "judged on rows" in OverallVerdict(NAMES, rows.errors, (rows,)).sentence


# One of several pairs


def test_the_sentence_of_one_of_several_pairs_says_that_its_interval_is_simultaneous():
    """All else is as for two models alone."""
    found = replace(BETTER, p_adjusted=0.003)

    assert found.sentence == BETTER.sentence.replace("95 %", "simultaneous 95 %")
    assert found.disagreement == ""


@pytest.mark.parametrize("leader", ["A", "B"])
def test_where_holm_separates_and_bonferronis_interval_does_not_a_sentence_says_so(leader):
    """It has both, the interval from the leader's side, whichever model stands first."""
    found = replace(BETTER, difference=difference(-0.0002, 0.0131), p_adjusted=0.0312)
    if leader == "A":
        swapped = {"errors": BETTER.errors[::-1], "difference": difference(-0.0131, 0.0002)}
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
        {"p_adjusted": 0.01, "difference": difference(0.0001, 0.0131)},
        {"p_adjusted": 0.01, "difference": difference(-0.0131, -0.0001), "leader": "A"},
    ],
    ids=["neither", "two-models", "both", "both-for-A"],
)
def test_where_both_agree_nothing_is_said(changes):
    """Of two models alone the interval and its p value never disagree."""
    found = replace(BETTER, **{"difference": difference(-0.0002, 0.0131)} | changes)

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
        "The MLP is better than every other model: tuned with 16 trials on 8,571 training images, "
        "and judged on images that played no part in it, the MLP errs on 1.26 %, mlp-wide on 1.40 "
        "% and the linear model on 3.25 % (3 pairs, with Holm's correction)."
    )


NOT_SEPARATED = "The MLP errs least, but is not separated from"


@pytest.mark.parametrize(
    ("outcomes", "headline", "pair_by_pair"),
    [
        pytest.param(
            {"ml": "better", "wl": "better"},
            f"{NOT_SEPARATED} mlp-wide",
            "the MLP and mlp-wide are better than the linear model",
            id="two-level-both-better",
        ),
        pytest.param(
            {"ml": "better"},
            f"{NOT_SEPARATED} mlp-wide",
            "the MLP is better than the linear model",
            id="two-level-one-better",
        ),
        pytest.param({}, f"{NOT_SEPARATED} all others", "", id="all-level"),
        pytest.param(
            {"wl": "better"},
            f"{NOT_SEPARATED} all others",
            "",
            id="better-among-those-behind",
        ),
        pytest.param(
            {"mw": "equivalent", "ml": "better", "wl": "better"},
            "The MLP errs least, but is equivalent in practice to mlp-wide",
            "the MLP and mlp-wide are better than the linear model",
            id="equivalent",
        ),
        pytest.param(
            {"mw": "equivalent", "ml": "equivalent"},
            "The MLP errs least, but is equivalent in practice to all others",
            "",
            id="all-equivalent",
        ),
        pytest.param(
            {"mw": "equivalent"},
            f"{NOT_SEPARATED} all others",
            "",
            id="equivalent-and-not-separated",
        ),
    ],
)
def test_where_none_is_better_than_every_other_the_headline_says_who_is_level(
    outcomes, headline, pair_by_pair
):
    """First who is not separated from the leader; the sentence ends with who is better."""
    found = overall("lmw", outcomes)

    assert found.headline == headline
    assert found.sentence.startswith(f"{headline}: tuned")
    assert found.sentence.partition(" Pair by pair: ")[2] == (pair_by_pair and f"{pair_by_pair}.")


def test_what_only_the_leader_is_better_than_stands_apart():
    """The model that is level with it is not said to be better than all that it beats."""
    found = overall("lmwd", {"ml": "better", "wl": "better", "md": "better"})

    assert found.headline == f"{NOT_SEPARATED} mlp-wide"
    assert found.sentence.endswith(
        "the MLP and mlp-wide are better than the linear model; the MLP is also better than deep."
    )


def test_three_level_models_are_counted_and_named():
    """The headline has their number, and the sentence their names."""
    found = overall("lmwd", {"ml": "better", "wl": "better", "dl": "better"})

    assert found.headline == f"{NOT_SEPARATED} 2 of 3 others"
    assert found.sentence.endswith(
        "Pair by pair: mlp-wide and deep are not separated from the MLP; all 3 are better than "
        "the linear model."
    )


def test_of_two_that_err_least_none_is_said_to():
    """A tie has no single lowest error; the first leads."""
    found = overall("lmw", {"ml": "better", "wl": "better"}, w=ERRORS["m"])

    assert found.headline == "The MLP is not separated from mlp-wide"


@pytest.mark.parametrize("outcome", ["better", "equivalent", "not separated"])
@pytest.mark.parametrize("within_margin", [False, True])
def test_no_headline_is_longer_than_fifteen_words(outcome, within_margin):
    """Of two models and of four, whatever was decided, with names of three words."""
    found = replace(
        BETTER,
        outcome="B better" if outcome == "better" else outcome,
        within_margin=within_margin,
        names=("the linear model", "the wide net"),
    )
    several = [
        replace(overall("lmwd", dict.fromkeys(pairs, outcome)), names=("the wide net",) * 4)
        for pairs in ([], ["ml"], ["ml", "mw"], ["ml", "mw", "md"])
    ]

    assert max(len(each.headline.split()) for each in (found, *several)) <= 15
