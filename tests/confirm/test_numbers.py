"""Every number of a comparison, recomputed from the SQLite file by other code."""

import json
from dataclasses import astuple

import numpy as np
import pytest
from pytest import approx  # noqa: PT013 (a bare name reads as in a formula)

from study.confirm.verdict import Judged

from . import oracle

SIDES = pytest.mark.parametrize("side", ["a", "b"])


@SIDES
def test_the_raw_best_is_the_trial_with_the_fewest_errors(comparison, evidence, side):
    """Its errors are its stored predictions against the labels; its interval is Wilson's."""
    found, half = getattr(comparison, side), getattr(evidence, side)

    assert found.raw_best_trial == half.best["number"]
    assert found.raw_best_errors == half.wrong(half.best).sum()
    assert astuple(found.raw_best_interval) == approx(
        oracle.wilson(found.raw_best_errors, half.n), rel=1e-9
    )
    assert found.n_val == half.n == len(half.labels)


@SIDES
def test_the_sizes_are_those_of_the_storage(comparison, evidence, side):
    """Counts of trials, seeds, splits and inner trials are rows of the file."""
    found, half = getattr(comparison, side), getattr(evidence, side)

    assert found.n_trials == len(half.complete)
    assert comparison.n_seeds == len(half.of_best) == 4
    assert {len(split["searched"]) for split in half.splits} == {4}
    assert comparison.judged == Judged(
        n_trials=4,
        n_fit=half.splits[0]["n_fit"],
        n_splits=len(half.splits),
        n_images=sum(split["n_holdout"] for split in half.splits),
        folds=7,
        items="images",
    )


@SIDES
def test_the_recommended_trial_is_the_simplest_level_one(comparison, evidence, side):
    """Within one standard error: fewest units, then the middle learning rate."""
    found, half = getattr(comparison, side), getattr(evidence, side)
    simplest = oracle.recommended(half.complete, half.n)

    assert found.recommended_trial == simplest["number"] != half.best["number"]
    assert found.recommended_errors == half.wrong(simplest).sum()


@SIDES
@pytest.mark.parametrize("kind", ["final", "best"])
def test_the_replicates_are_summarised(comparison, evidence, side, kind):
    """Median, IQM, range, mean and spread of the best trial's errors on fresh seeds."""
    found = getattr(getattr(comparison, side), f"replicates_{kind}")
    half = getattr(evidence, side)
    answers = {"final": "final_predictions", "best": "predictions"}[kind]
    errors = [int(half.wrong(r, answers).sum()) for r in half.of_best]

    assert (found.n, found.minimum, found.maximum) == (4, min(errors), max(errors))
    assert found.mean == approx(sum(errors) / 4)
    assert found.median == approx(sum(sorted(errors)[1:3]) / 2)
    assert found.iqm == approx(float(oracle.iqm(errors)))
    assert found.sd == approx(np.std(errors, ddof=1))


@SIDES
def test_the_replicates_interval_is_the_bootstrap_of_their_iqm(comparison, evidence, side):
    """Its ends lie where the 4⁴ possible samples have 2 to 3 % beyond them."""
    found, half = getattr(comparison, side).replicates_final, getattr(evidence, side)
    iqms = oracle.resampled(half.final_errors, oracle.iqm)
    lower, upper = (
        np.quantile(iqms, q, method="inverted_cdf") for q in ([0.02, 0.03], [0.97, 0.98])
    )

    assert lower[0] <= found.interval.lower <= lower[1]
    assert upper[0] <= found.interval.upper <= upper[1]


@SIDES
def test_finalists_have_their_mean_over_all_seeds(comparison, evidence, side):
    """Each finalist's mean is that of its final errors."""
    found, half = getattr(comparison, side).finalists, getattr(evidence, side)
    errors = {number: [] for number in found}
    for replicate in half.replicates:
        wrong = half.wrong(replicate, "final_predictions")
        errors[replicate["finalist"]].append(int(wrong.sum()))

    assert next(iter(found)) == half.best["number"]
    assert found == approx({number: np.mean(values) for number, values in errors.items()})


@SIDES
@pytest.mark.parametrize(
    ("name", "wrong"), [("holdout", "holdout_wrong"), ("simplest_holdout", "simplest_wrong")]
)
def test_the_held_out_error_has_its_interval(comparison, evidence, side, name, wrong):
    """Mean and interval of the stored predictions' errors, of the best and the simplest trial."""
    found, half = getattr(getattr(comparison, side), name), getattr(evidence, side)
    mean, se, df = oracle.held_out(getattr(half, wrong), *half.sizes)

    assert (found.mean, found.se, found.df) == approx((mean, se, df))
    assert astuple(found.interval) == approx(oracle.ends(mean, se, df))


@SIDES
def test_simplicity_is_paired_by_image(comparison, evidence, side):
    """The simplest trial's errors less the best one's, on the same held-out images."""
    found, half = getattr(comparison, side).simplicity, getattr(evidence, side)
    gained = [
        a.astype(float) - b for a, b in zip(half.simplest_wrong, half.holdout_wrong, strict=True)
    ]

    assert found.mean == approx(np.concatenate(gained).mean())
    if found.is_bound:  # the simplest was the best of each search
        assert not np.concatenate(gained).any()
    else:
        assert found.se == approx(oracle.held_out(gained, *half.sizes)[1])


@SIDES
def test_a_splits_simplest_trial_is_the_simplest_level_one_of_its_search(evidence, side):
    """By the rule that recommends a study's, on the trials of the split alone."""
    half = getattr(evidence, side)
    for split in half.splits:
        trials = [
            {"number": k, "parameters": parameters, "val_errors": errors}
            for k, (parameters, errors, _) in enumerate(split["searched"])
        ]
        simplest = oracle.recommended(trials, split["n_val"])

        assert split["simplest"]["parameters"] == simplest["parameters"]
        assert split["simplest"]["val_errors"] == simplest["val_errors"]


@SIDES
def test_optimism_is_what_the_choice_hid(comparison, evidence, side):
    """The error on held-out images minus the one that the split's search chose by, on average."""
    half = getattr(evidence, side)
    gaps = [
        held_out / s["n_holdout"] - inner / s["n_val"]
        for s, held_out, inner in zip(
            half.splits, half.holdout_errors, half.inner_errors, strict=True
        )
    ]

    assert getattr(comparison, side).optimism == approx(np.mean(gaps))
    for split, inner in zip(half.splits, half.inner_errors, strict=True):
        assert inner == min(errors for _, errors, _ in split["searched"])


@SIDES
def test_the_bias_correction_is_that_of_the_error_matrix(comparison, evidence, side):
    """Choosing in the bag and scoring out of it, by a bootstrap of another seed."""
    found, half = getattr(comparison, side).bias_corrected, getattr(evidence, side)
    wrong = np.stack([half.wrong(trial) for trial in half.complete], 1)

    assert found.best == approx(wrong.mean(0).min())
    assert found.error == approx(oracle.bias_corrected(wrong), abs=0.0012)  # 4 standard errors
    assert found.interval.lower < found.error < found.interval.upper


def test_the_difference_is_paired_by_image(comparison, evidence):
    """Mean, interval, t and p of A − B over the held-out images."""
    found = comparison.difference
    mean, se, df = oracle.held_out(evidence.differences, *evidence.a.sizes)

    assert astuple(found.interval) == approx(oracle.ends(mean, se, df))
    assert found.mean == approx(mean)
    assert found.mean == approx(comparison.a.holdout.mean - comparison.b.holdout.mean)
    assert (found.t, found.p) == approx((mean / se, 2 * oracle.stats.t.sf(abs(mean / se), df)))


def test_outperforming_counts_the_pairs_of_one_seed(comparison, evidence):
    """P(B errs less) at the best step and its interval, by enumerating every bootstrap sample."""
    found = comparison.b_outperforms_a
    expected = oracle.outperforming(evidence.a.best_errors, evidence.b.best_errors)

    assert (found.probability, *astuple(found.interval)) == approx(expected)
    assert found.n_pairs == 4


def test_the_splits_are_counted_like_the_seeds(comparison, evidence):
    """P(B errs less) on what a split held out."""
    found = comparison.b_ahead_over_splits
    expected = oracle.outperforming(evidence.a.holdout_errors, evidence.b.holdout_errors)

    assert (found.probability, *astuple(found.interval)) == approx(expected)
    assert found.n_pairs == 3


def test_mcnemar_counts_what_only_one_of_the_raw_best_gets_wrong(comparison, evidence):
    """B: only A wrong; c: only B wrong; the mid-p is summed term by term."""
    found, (b, c) = comparison.raw_mcnemar, evidence.raw_counts

    assert (found.b, found.c) == (b, c)
    assert found.mid_p == approx(oracle.mid_p(b, c))
    assert found.exact_p == approx(min(1, 2 * oracle.stats.binom.cdf(min(b, c), b + c, 0.5)))


def test_the_raw_difference_has_newcombes_interval(comparison, evidence):
    """Method 10 on the four cells of the two raw best trials."""
    wrong = (evidence.a.wrong(evidence.a.best), evidence.b.wrong(evidence.b.best))

    assert astuple(comparison.raw_difference) == approx(oracle.newcombe(*wrong))


def test_mcnemar_of_every_pair_of_replicates(comparison, evidence):
    """One test a seed, each model at its best step, both models of that seed."""
    counts = evidence.replicate_counts

    assert [(m.b, m.c) for m in comparison.replicate_mcnemar] == counts
    assert [m.mid_p for m in comparison.replicate_mcnemar] == approx(
        [oracle.mid_p(b, c) for b, c in counts]
    )


def test_the_verdict_follows_the_rule(comparison, evidence):
    """The rule on the recomputed numbers: the interval, the margin, the three probabilities."""
    mean, se, df = oracle.held_out(evidence.differences, *evidence.a.sizes)
    (low, high), inner = oracle.ends(mean, se, df), oracle.ends(mean, se, df, 0.9)
    margin = 0.2 * (comparison.a.holdout.mean + comparison.b.holdout.mean) / 2
    t, found = oracle.stats.t(df, mean, se), comparison.verdict

    assert found.leader == ("B" if mean > 0 else "A")
    assert found.separated == (low > 0 or high < 0)
    assert found.within_margin == (inner[0] > -margin and inner[1] < margin)
    assert found.margin == approx(margin)
    assert astuple(found.probabilities) == approx(
        (t.cdf(-margin), t.cdf(margin) - t.cdf(-margin), t.sf(margin))
    )
    assert found.detectable == approx(se * oracle.stats.t(df).ppf([0.975, 0.8]).sum())


def test_a_comparison_is_json(comparison):
    """Every number survives JSON, with the sentence beside it."""
    found = json.loads(json.dumps(comparison.as_dict()))

    assert found["sentence"] == comparison.sentence
    assert found["headline"] == comparison.verdict.headline
    assert found["raw_mcnemar"]["b"] == comparison.raw_mcnemar.b
    assert found["a"]["holdout"]["mean"] == comparison.a.holdout.mean


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_the_stored_counts_are_those_of_the_stored_predictions(evidence, name):
    """Nothing is said twice and differently: counts, predictions and labels agree."""
    half = {"linear": evidence.a, "mlp": evidence.b}[name]

    for r in half.replicates:
        assert r["final_errors"] == half.wrong(r, "final_predictions").sum()
        assert r["val_errors"] == half.wrong(r).sum()
        assert r["value"] == r["final_errors"] / 1791
    assert [s["holdout_errors"] for s in half.splits] == half.holdout_errors
    assert [s["val_errors"] for s in half.splits] == half.inner_errors
    sizes = [split["n_holdout"] for split in half.splits]
    shares = [e / n for e, n in zip(half.holdout_errors, sizes, strict=True)]
    assert [s["value"] for s in half.splits] == shares
    simplest = [split["simplest"]["holdout_errors"] for split in half.splits]
    assert simplest == [wrong.sum() for wrong in half.simplest_wrong]
