"""Every number of a comparison, recomputed from the SQLite file by other code."""

import json
from dataclasses import astuple

import numpy as np
import pytest
from pytest import approx  # noqa: PT013 (a bare name reads as in a formula)

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
    assert comparison.n_splits == len(half.splits) == 3
    assert {len(split["searched"]) for split in half.splits} == {4}
    assert comparison.search_trials_per_split == 4


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
def test_the_holdout_error_has_the_corrected_interval(comparison, evidence, side):
    """Mean and Nadeau–Bengio interval of the stored predictions' errors on the holdouts."""
    found, half = getattr(comparison, side).holdout, getattr(evidence, side)
    rates = [errors / 1791 for errors in half.holdout_errors]

    assert found.mean == approx(np.mean(rates))
    assert astuple(found.interval) == approx(oracle.nadeau_bengio(rates))
    assert found.df == 2


@SIDES
def test_optimism_is_what_the_choice_hid(comparison, evidence, side):
    """Holdout errors minus the errors that the split's search chose by, on average."""
    half = getattr(evidence, side)
    gaps = np.array(half.holdout_errors) - np.array(half.inner_errors)

    assert getattr(comparison, side).optimism == approx(gaps.mean())
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


def test_the_difference_is_paired_by_split(comparison, evidence):
    """Mean, interval, t and p of A − B over the splits."""
    found, x = comparison.difference, evidence.difference
    lower, upper = oracle.nadeau_bengio(x)
    t = x.mean() / np.sqrt((1 / 3 + 1791 / 8209) * x.var(ddof=1))

    assert astuple(found.interval) == approx((lower, upper))
    assert found.mean == approx(x.mean())
    assert found.mean == approx(comparison.a.holdout.mean - comparison.b.holdout.mean)
    assert (found.t, found.p) == approx((t, 2 * oracle.stats.t.sf(abs(t), 2)))


def test_outperforming_counts_the_pairs_of_one_seed(comparison, evidence):
    """P(B errs less) and its interval, by enumerating every bootstrap sample."""
    found = comparison.b_outperforms_a
    expected = oracle.outperforming(evidence.a.final_errors, evidence.b.final_errors)

    assert (found.probability, *astuple(found.interval)) == approx(expected)
    assert found.n_pairs == 4


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
    """One test a seed, at the last validation, both models of that seed."""
    counts = evidence.replicate_counts

    assert [(m.b, m.c) for m in comparison.replicate_mcnemar] == counts
    assert [m.mid_p for m in comparison.replicate_mcnemar] == approx(
        [oracle.mid_p(b, c) for b, c in counts]
    )


def test_the_verdict_follows_the_rule(comparison, evidence):
    """The rule's conditions on the recomputed numbers, from the leader's side."""
    lower, upper = oracle.nadeau_bengio(evidence.difference)
    leader = "B" if lower + upper > 0 else "A"
    _, low, high = oracle.outperforming(evidence.a.final_errors, evidence.b.final_errors)
    low, high = (low, high) if leader == "B" else (1 - high, 1 - low)
    wins = [
        oracle.mid_p(b, c) < 0.05 and (b > c) == (leader == "B")
        for b, c in evidence.replicate_counts
    ]
    found = comparison.verdict

    assert found.leader == leader
    assert found.separated == (lower > 0 or upper < 0)
    assert found.outperforms == (low > 0.5 and high > 0.75)
    assert found.confirmed == (np.mean(wins) >= 0.9)
    assert found.within_margin == (lower >= -0.0025 and upper <= 0.0025)


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
    assert [s["value"] for s in half.splits] == [e / 1791 for e in half.holdout_errors]
