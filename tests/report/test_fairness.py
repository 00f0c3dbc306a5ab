"""Was it a fair comparison: the first sentence answers it, from what each model had."""

from types import SimpleNamespace

import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from study.report import sections
from study.report.collect import collect
from study.report.record import Record
from study.report.sections.fairness import fairness
from study.report.tables import trials as frame_of

RATE = {"learning_rate": FloatDistribution(1e-3, 1, log=True)}
TWO = RATE | {"hidden_units": IntDistribution(8, 64), "momentum": FloatDistribution(0.5, 0.5)}


def answer(*models, monkeypatch):
    """The words of a record with these models: each its noun, trials, seconds and space."""
    searches = [
        SimpleNamespace(
            title=noun,
            noun=noun,
            trials=[None] * count,
            seconds=seconds,
            stored=SimpleNamespace(plan=SimpleNamespace(space=space)),
        )
        for noun, count, seconds, space in models
    ]
    monkeypatch.setattr(sections.fairness, "facts", lambda record: [])
    return fairness(Record("s.db", searches, None, ""), None).text[0]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (
            [("the linear model", 64, 10, RATE), ("the MLP", 64, 11, RATE)],
            "The models had equal numbers of trials (64 each), about equal training times"
            " (10 s for the linear model and 11 s for the MLP) and equal numbers of"
            " hyperparameters to search (1 each). The data,",
        ),
        (
            [("the linear model", 64, 10, RATE), ("the MLP", 64, 12, TWO)],
            "The models had equal numbers of trials (64 each), unequal training times"
            " (10 s for the linear model and 12 s for the MLP) and unequal numbers of"
            " hyperparameters to search (1 for the linear model and 2 for the MLP). The MLP had"
            " more to search with the same trials. The data,",
        ),
        (
            [("a", 1000, 10, TWO), ("b", 64, 10, RATE), ("c", 1000, 10, TWO)],
            "The models had unequal numbers of trials (1,000 for a, 64 for b and 1,000 for c),"
            " about equal training times (10 s for a, 10 s for b and 10 s for c) and"
            " unequal numbers of hyperparameters to search (2 for a, 1 for b and 2 for c). The"
            " more trials, the lower their lowest error tends to be, by luck alone: a and c had"
            " the most. The data,",
        ),
        ([("the MLP", 64, 10, TWO)], "Nothing is compared here: there is one study."),
    ],
    ids=["equal", "more to search", "more trials", "alone"],
)
def test_the_answer_follows_from_what_each_model_had(models, said, monkeypatch):
    """Trials, time and what was searched, each equal or not; a fixed hyperparameter is none."""
    assert answer(*models, monkeypatch=monkeypatch).startswith(said)


def test_the_answer_is_that_of_the_storage(original):
    """Six trials each; the MLP's hidden units were searched too."""
    record = collect(str(original))

    [text] = fairness(record, frame_of(record)).text
    assert text.startswith("The models had equal numbers of trials (6 each), ")
    assert "to search (1 for the linear model and 2 for the MLP). The MLP had more" in text
