"""The verdict's one sentence, whatever was decided."""

from dataclasses import replace

import pytest

from study.confirm.verdict import Verdict
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
