"""Errors by class, and what probabilities are worth, by the storage, torch and scikit-learn."""

from base64 import b64decode

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, confusion_matrix, roc_auc_score

from study.report import sections, tables
from study.report.collect import collect
from study.report.content import with_details
from tests.helpers import sql
from tests.report.helpers import stored_best
from tests.report.test_content import answers

MODELS = ("linear", "mlp")


@pytest.fixture(scope="module")
def nines():
    """Of all images, those of a 9."""
    from study.dataset import load

    return load().labels == 1


def bits(text, n):
    return np.unpackbits(np.frombuffer(b64decode(text), np.uint8), count=n).astype(bool)


def csv(report, name):
    return pd.read_csv(report / "tables" / f"{name}.csv")


def test_errors_by_class_are_a_confusion_matrix(report, confirmed, nines):
    """Of the held-out images of all splits, and of the best trial's validation images."""
    found = csv(report, "classes").set_index(["study", "on", "class"])

    for model in MODELS:
        splits = sql.trials(confirmed, f"{model}/splits")
        held, said = (
            np.concatenate([bits(split[name], split["n_holdout"]) for split in splits])
            for name in ("holdout_labels", "holdout_predictions")
        )
        best = bits(stored_best(confirmed, model)["predictions"], 1791)
        for on, labels, given in (
            ("held out", held, said),
            ("validation", nines[10_000:], best),
        ):
            (right_4, wrong_4), (wrong_9, right_9) = confusion_matrix(labels, given)
            for name, wrong, right, also in (
                (4, wrong_4, right_4, wrong_9),
                (9, wrong_9, right_9, wrong_4),
            ):
                row = found.loc[(model, on, name)]
                assert (row["errors"], row["images"]) == (wrong, wrong + right)
                assert row["error"] == pytest.approx(wrong / (wrong + right), rel=1e-3)
                assert row["precision"] == pytest.approx(right / (right + also), rel=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_scores_are_scikit_learns_of_the_plain_model(report, confirmed, nines, model):
    """Area, Brier score and training errors, by torch's own module."""
    found = csv(report, "scores").set_index("study").loc[model]
    p, second = answers(confirmed, model, slice(None)).numpy(), nines[10_000:]

    assert found["roc_auc"] == pytest.approx(roc_auc_score(second, p), abs=2e-4)
    assert found["brier"] == pytest.approx(brier_score_loss(second, p), abs=2e-4)
    assert found["n_train"] == 10_000


def test_the_training_errors_are_those_of_the_training_images(confirmed, nines):
    """Those on which the probability is on the wrong side of one half, the training ones alone."""
    record = collect(str(confirmed))
    chances = tables.chances(record, record.data)

    scores = tables.scores(chances).set_index("study")

    for study, own in chances.groupby("study"):
        wrong = (own["p"].to_numpy() > 0.5) != nines
        assert scores.loc[study, "train_errors"] == wrong[:10_000].sum()
        assert wrong[10_000:].sum() == stored_best(confirmed, study)["val_errors"]


def test_a_curve_of_thresholds_counts_both_kinds_of_errors(confirmed, nines):
    """At each of its points, of which the one of one half has the best trial's errors."""
    record = collect(str(confirmed))
    chances = tables.chances(record, record.data)
    curves, second = tables.thresholds(chances), nines[10_000:]

    for study, own in curves.groupby("study"):
        p = chances.loc[(chances["study"] == study) & ~chances["trains"], "p"].to_numpy()
        for row in own[~own["is_half"]].to_dict("records"):
            said = p >= row["threshold"]
            wrong = row["first_taken_for_second"], row["second_taken_for_first"]
            assert wrong == ((said & ~second).sum(), (second & ~said).sum())
            assert row["recall"] == pytest.approx((said & second).sum() / second.sum())
            assert row["precision"] == pytest.approx((said & second).sum() / said.sum())
        [half] = own[own["is_half"]].to_dict("records")
        errors = half["first_taken_for_second"] + half["second_taken_for_first"]
        assert errors == stored_best(confirmed, study)["val_errors"]
        assert own["threshold"].is_monotonic_decreasing
        assert len(own) <= tables.classes.MOST + 1


def test_how_sure_a_model_is_puts_every_validation_image_into_one_bin(confirmed):
    """Bins by the probability of the model's own answer; an end belongs to the bin above it."""
    chances = pd.DataFrame(
        {
            "model": "MLP",
            "study": "mlp",
            "trains": [True, *[False] * 7],
            "second": [True, True, False, True, True, False, True, False],
            "p": [0.5, 0.5, 0.5, 0.75, 0.1, 0.005, 1.0, 1.0],
        }
    )

    found = tables.sure(chances)

    assert found["images"].tolist() == [2, 1, 1, 3]
    assert found["errors"].tolist() == [1, 0, 1, 1]
    assert found["sure"].tolist() == pytest.approx([0.5, 0.75, 0.9, 2.995 / 3], abs=1e-6)


def test_trials_by_their_error_are_the_empirical_distribution(confirmed):
    """A trial's share is how many of its study err as often or less; pruned ones are left out."""
    trials = tables.trials(collect(str(confirmed)))
    trials = trials.assign(val_error=[0.2, 0.1, 0.1, 0.4, 0.3, 0.0] * 2)
    trials.loc[trials["val_error"] == 0, "state"] = "PRUNED"

    found = tables.distribution(trials)

    assert found["val_error"].tolist() == [0.1, 0.1, 0.2, 0.3, 0.4] * 2
    assert found["share"].tolist() == pytest.approx([0.4, 0.4, 0.6, 0.8, 1.0] * 2)
    assert found["model"].tolist() == ["Linear model"] * 5 + ["MLP"] * 5


def test_the_details_are_those_that_a_record_has(storage):
    """Without a confirmation no held-out images; without weights no probabilities."""
    ids = [detail.id for detail in with_details(sections.compose(collect(str(storage))))]
    assert {"classes", "scores"} <= {*ids}

    for path in storage.parent.glob("study.db.files/*/*"):
        path.unlink()
    details = with_details(sections.compose(collect(str(storage))))
    found = {detail.id: detail for detail in details}

    assert "scores" not in found
    [table] = found["classes"].tables
    assert [row[0] for row in table.rows] == [
        "4 taken for 9, validation",
        "9 taken for 4, validation",
    ]
