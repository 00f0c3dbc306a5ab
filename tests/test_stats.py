"""The statistics against published values, brute-force enumeration and simulation."""

from dataclasses import replace
from itertools import combinations, product
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from sklearn import metrics
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from study import stats
from study.stats import PairedCounts

N = 1_791  # validation images

unhurried = settings(deadline=None)  # a busy machine is slow, not wrong

counts = st.integers(0, 60)
tables = st.builds(PairedCounts, counts, counts, counts, counts).filter(lambda t: t.n > 0)
error_pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25)
searches = st.lists(
    st.tuples(st.integers(0, 90), st.floats(1e-4, 10), st.sampled_from([10, 25, 50, 100])),
    min_size=1,
    max_size=30,
)


def ends(interval):
    return (interval.lower, interval.upper)


def swapped(table):
    return replace(table, only_a=table.only_b, only_b=table.only_a)


# --- one error rate, and targets for it -----------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "n", "lower", "upper"),
    [
        (19, 38, 0.348499, 0.651501),
        (43, N, 0.01787, 0.03218),
        (21, N, 0.00768, 0.01786),
        (0, N, 0.0, 0.00214),
    ],
)
def test_wilson_gives_the_reference_intervals(errors, n, lower, upper):
    """Wilson's interval has the published ends."""
    interval = stats.wilson(errors, n)

    assert ends(interval) == pytest.approx((lower, upper), abs=6e-6)


@unhurried
@given(st.integers(1, 5_000), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilson_equals_statsmodels(n, share, confidence):
    """Another package's interval, 0 and n errors included."""
    k = round(n * share)
    theirs = proportion_confint(k, n, alpha=1 - confidence, method="wilson")

    assert ends(stats.wilson(k, n, confidence=confidence)) == pytest.approx(theirs, abs=1e-12)


@unhurried
@given(n=st.integers(1, 5_000), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
def test_wilson_solves_the_score_equation_and_contains_the_estimate(n, share, confidence):
    """Both ends solve (p − θ)² = z²·θ(1 − θ)/n, and lie about p within 0 to 1."""
    errors = round(share * n)
    p, z = errors / n, scipy_stats.norm.ppf((1 + confidence) / 2)

    interval = stats.wilson(errors, n, confidence=confidence)

    for theta in ends(interval):
        assert (p - theta) ** 2 == pytest.approx(z**2 * theta * (1 - theta) / n, abs=1e-9)
    assert 0 <= interval.lower <= p + 1e-12
    assert p - 1e-12 <= interval.upper <= 1


@pytest.mark.parametrize(
    ("target", "rule", "most"),
    [
        (0.02, "point", 35),
        (0.02, "wilson", 24),
        (0.035, "point", 62),
        (0.035, "wilson", 47),
        (0.002, "wilson", None),
        (0.0, "point", 0),
        (1.0, "wilson", N),
    ],
)
def test_a_target_allows_the_reference_number_of_errors(target, rule, most):
    """The most errors that meet a target are the page's; one more misses it."""
    allowed = stats.allowed_errors(target, N, rule=rule)

    assert allowed == most
    for k in (0, 23, 24, 25, 35, 36, 47, 48, 62, 63, N - 1, N):
        assert stats.target_met(k, N, target, rule=rule) == (most is not None and k <= most)


def test_a_target_met_exactly_is_met():
    """29 of 100 meet 29 %, although 0.29 × 100 is below 29 in floating point."""
    assert stats.allowed_errors(0.29, 100) == 29


# --- two models on the same images ----------------------------------------------------------


def test_paired_counts_cross_tabulate_the_mistakes():
    """Each image falls into the one cell that says who got it wrong."""
    table = stats.paired_counts([1, 1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0, 0])

    assert table == PairedCounts(both=1, only_a=2, only_b=1, neither=3)
    assert table.n == 7
    assert table.difference == pytest.approx(3 / 7 - 2 / 7)


@unhurried
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1), st.randoms())
def test_permuting_the_images_changes_no_paired_count(images, random):
    """The order of the images is nowhere in the table."""
    shuffled = random.sample(images, len(images))

    assert stats.paired_counts(*zip(*shuffled, strict=True)) == stats.paired_counts(
        *zip(*images, strict=True)
    )


@pytest.mark.parametrize(
    ("b", "c", "exact", "mid"),
    [
        (121, 59, 4.434449e-06, None),
        (1, 7, 0.0703125, 0.0390625),
        (20, 5, 0.0041, None),
        (12, 8, 0.50, None),
        (26, 4, None, 3.4e-05),
        (3, 3, 1.0, 0.84375),
        (0, 0, 1.0, 0.5),
    ],
)
def test_mcnemar_gives_the_reference_p_values(b, c, exact, mid):
    """The exact and mid-p are the page's, to the digits that it gives."""
    test = stats.mcnemar(b, c)

    assert exact is None or test.exact_p == pytest.approx(exact, rel=1e-2, abs=1e-12)
    assert mid is None or test.mid_p == pytest.approx(mid, rel=5e-3)
    assert (b, c) != (121, 59) or test.exact_p == pytest.approx(exact, rel=1e-6)


@unhurried
@given(st.integers(0, 80), st.integers(0, 80))
def test_mcnemars_exact_p_equals_statsmodels(b, c):
    """Another package's exact test, no discordant image included."""
    theirs = contingency_tables.mcnemar([[5, b], [c, 7]], exact=True)

    assert stats.mcnemar(b, c).exact_p == pytest.approx(theirs.pvalue, abs=1e-12)


@pytest.mark.parametrize("n", range(1, 11))
def test_mcnemar_equals_the_enumeration_of_every_coin_toss(n):
    """Exact p: the 2ⁿ outcomes at least as lopsided; mid-p: those as lopsided count half."""
    lopsided = np.array([abs(2 * sum(toss) - n) for toss in product((0, 1), repeat=n)])

    for b in range(n + 1):
        seen, test = abs(2 * b - n), stats.mcnemar(b, n - b)
        assert test.exact_p == pytest.approx(np.mean(lopsided >= seen))
        half = np.mean(lopsided > seen) + np.mean(lopsided == seen) / 2
        assert test.mid_p == pytest.approx(half)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 30, 101])
def test_mid_p_averages_one_half_when_nothing_differs(n):
    """Under the null hypothesis the mean of the mid-p is ½ for every number of discordances."""
    mean = sum(
        scipy_stats.binom.pmf(b, n, 0.5) * stats.mcnemar(b, n - b).mid_p for b in range(n + 1)
    )

    assert mean == pytest.approx(0.5)


@unhurried
@given(counts, counts)
def test_swapping_the_models_leaves_mcnemars_p_values(b, c):
    """Both p are two-sided: swapping exchanges b and c, and the model favoured."""
    test, other = stats.mcnemar(b, c), stats.mcnemar(c, b)

    assert (other.exact_p, other.mid_p) == (test.exact_p, test.mid_p)
    assert {test.favours, other.favours} in ({None}, {"A", "B"})
    assert (test.favours == "A") == (b < c)
    assert 0 <= test.mid_p <= test.exact_p <= 1


@pytest.mark.parametrize(
    ("table", "lower", "upper"),
    [
        pytest.param((36, 12, 2, 0), 0.0569, 0.3404, id="newcombe-1998-no-negatives"),
        pytest.param((20, 12, 2, 16), 0.0562, 0.3292, id="newcombe-1998"),
        pytest.param((1, 1, 7, 12), -0.5069, -0.0256, id="fagerland-2014-bentur"),
        pytest.param((59, 6, 16, 80), -0.1186, -0.0046, id="fagerland-2017-cavo"),
    ],
)
def test_newcombe_gives_the_published_intervals(table, lower, upper):
    """Method 10 has the ends that Newcombe and Fagerland et al. print."""
    interval = stats.newcombe(PairedCounts(*table))

    assert ends(interval) == pytest.approx((lower, upper), abs=5.1e-5)


@unhurried
@given(tables)
def test_newcombe_contains_the_difference_and_mirrors(table):
    """The interval lies about the difference within −1 to 1; swapping the models mirrors it."""
    interval = stats.newcombe(table)

    assert -1 - 1e-12 <= interval.lower <= table.difference <= interval.upper <= 1 + 1e-12
    assert ends(stats.newcombe(swapped(table))) == pytest.approx(
        (-interval.upper, -interval.lower), abs=1e-12
    )


@unhurried
@given(tables)
def test_newcombe_closes_on_the_difference_as_confidence_falls(table):
    """At no confidence the interval is the difference itself, on either side."""
    interval = stats.newcombe(table, confidence=1e-9)

    assert ends(interval) == pytest.approx((table.difference, table.difference), abs=1e-8)


def test_newcombe_of_a_model_without_mistakes_has_no_correlation():
    """When A errs on no image, φ is undefined and taken as 0: the sides are at right angles."""
    a, b, difference = stats.wilson(0, 20), stats.wilson(3, 20), -3 / 20

    interval = stats.newcombe(PairedCounts(both=0, only_a=0, only_b=3, neither=17))

    below, above = b.upper - 3 / 20, np.hypot(a.upper, 3 / 20 - b.lower)
    assert ends(interval) == pytest.approx((difference - below, difference + above))


@unhurried
@given(tables)
def test_newcombe_is_the_same_for_accuracies_but_for_the_sign(table):
    """Exchanging right and wrong turns a difference in error into one in accuracy."""
    right = replace(table, both=table.neither, neither=table.both)
    right = swapped(right)

    assert ends(stats.newcombe(right)) == pytest.approx(
        (-stats.newcombe(table).upper, -stats.newcombe(table).lower), abs=1e-9
    )


@pytest.mark.parametrize(
    "cells", [(0.05, 0.1, 0.1, 0.75), (0.3, 0.2, 0.1, 0.4)], ids=["level", "apart"]
)
def test_newcombe_covers_the_true_difference_at_its_level(cells):
    """Over every table of 20 images, weighted by its probability, coverage is about 95 %."""
    tables = [
        (i, j, k, 20 - i - j - k)
        for i in range(21)
        for j in range(21 - i)
        for k in range(21 - i - j)
    ]
    chance = scipy_stats.multinomial(20, cells).pmf(tables)
    true = cells[1] - cells[2]

    intervals = [stats.newcombe(PairedCounts(*table)) for table in tables]

    covered = [interval.lower <= true <= interval.upper for interval in intervals]
    assert 0.94 <= chance @ covered <= 0.985


# --- the same configurations on fresh seeds -------------------------------------------------


def test_a_summary_holds_what_its_names_say():
    """Median, interquartile mean, range, mean and sample sd, of numbers worked by hand."""
    summary = stats.summarise([8, 1, 3, 100, 4, 2, 6, 0], seed=0)

    assert (summary.n, summary.median, summary.minimum, summary.maximum) == (8, 3.5, 0, 100)
    assert summary.iqm == pytest.approx((2 + 3 + 4 + 6) / 4)
    assert summary.mean == pytest.approx(15.5)
    assert summary.sd == pytest.approx(np.sqrt((10_130 - 8 * 15.5**2) / 7))


def test_the_interval_of_replicates_equals_that_of_all_resamples():
    """The bootstrap's ends lie between neighbouring quantiles of the 5⁵ possible resamples."""
    values = [1.0, 2.0, 4.0, 8.0, 16.0]
    means = [scipy_stats.trim_mean(draw, 0.25) for draw in product(values, repeat=5)]

    interval = stats.summarise(values, seed=1, confidence=0.8).interval

    assert np.quantile(means, 0.09) <= interval.lower <= np.quantile(means, 0.11)
    assert np.quantile(means, 0.89) <= interval.upper <= np.quantile(means, 0.91)


@unhurried
@given(st.lists(st.integers(0, 90), min_size=2, max_size=30), st.randoms(), st.integers(0, 99))
def test_a_summary_ignores_the_order_and_lies_in_its_range(values, random, seed):
    """Shuffled replicates have the same summary, whose interval contains the IQM."""
    summary = stats.summarise(values, seed=seed, resamples=200)
    shuffled = stats.summarise(random.sample(values, len(values)), seed=seed, resamples=200)

    assert shuffled == summary
    inside = (summary.minimum, summary.interval.lower, summary.iqm, summary.interval.upper)
    assert list(inside) == pytest.approx(sorted(inside), abs=1e-9)
    assert summary.interval.upper <= summary.maximum + 1e-9


def test_a_summarys_interval_depends_on_its_seed_settings_and_nothing_else():
    """Seed, confidence and resamples each change the interval; repeating them repeats it."""
    values = np.random.default_rng(0).normal(size=20)
    base = stats.summarise(values, seed=1)

    assert stats.summarise(values, seed=1) == base
    for change in ({"seed": 2}, {"seed": 1, "confidence": 0.5}, {"seed": 1, "resamples": 99}):
        assert stats.summarise(values, **change).interval != base.interval


def test_share_of_wins_gives_rliables_example():
    """Rliable's P(X > Y), all runs against all within each of two tasks, is 1/3."""
    x = np.array([[1, 2], [2, 2], [1, 1], [2, 1]])
    y = np.array([[1, 1], [2, 2], [3, 3]])

    assert stats.share_of_wins(y[:, None], x) == pytest.approx(1 / 3)
    assert stats.share_of_wins(x[:, None], y) == pytest.approx(2 / 3)


@unhurried
@given(error_pairs)
def test_share_of_wins_over_all_pairs_is_mann_whitneys_u(pairs):
    """P(A < B) + ½P(A = B) over all pairs is U/(n·m)."""
    a, b = np.transpose(pairs)
    u = scipy_stats.mannwhitneyu(b, a, method="asymptotic").statistic

    assert stats.share_of_wins(a[:, None], b) == pytest.approx(u / len(a) ** 2)


@pytest.mark.parametrize("pairs", [(2, 2, 2, 1, 0), (2, 1, 1, 1, 0), (2, 2, 2, 2, 1)])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_the_probability_of_outperforming_equals_all_resamples(pairs, confidence):
    """Its interval is that of the 5⁵ resamples of the pairs (2: A wins, 1: a tie, 0: B)."""
    sums = np.sort([sum(draw) for draw in product(pairs, repeat=5)])
    tail = round((1 - confidence) / 2 * len(sums), 9)

    result = stats.probability_of_outperforming([1] * 5, pairs, confidence=confidence)

    assert result.probability == pytest.approx(sum(pairs) / 10)
    expected = (sums[int(np.ceil(tail)) - 1], sums[len(sums) - int(np.ceil(tail))])
    assert ends(result.interval) == pytest.approx(np.array(expected) / 10)


def test_the_exact_bootstrap_agrees_with_scipys():
    """With 20 pairs, scipy's 9,999 resamples give the same interval within half a pair or so."""
    a, b = np.random.default_rng(3).integers([[0], [1]], [[6], [7]], (2, 20))
    scores = (a < b) + (a == b) / 2
    sampled = scipy_stats.bootstrap(
        (scores,), np.mean, method="percentile", random_state=np.random.default_rng(0)
    ).confidence_interval

    exact = stats.probability_of_outperforming(a, b).interval

    assert ends(exact) == pytest.approx(tuple(sampled), abs=1 / 40 + 1e-12)


@pytest.mark.parametrize(
    ("b", "probability", "interval"),
    [
        pytest.param(2, 1.0, (20 / 23.841, 1.0), id="all-won"),
        pytest.param(0, 0.0, (0.0, 1 - 20 / 23.841), id="all-lost"),
        pytest.param(1, 0.5, (10 / 23.841, 1 - 10 / 23.841), id="all-tied"),
    ],
)
def test_pairs_that_all_end_alike_have_wilsons_interval(b, probability, interval):
    """Twenty equal outcomes leave room for n/(n + z²) of them to be the rule."""
    result = stats.probability_of_outperforming([1] * 20, [b] * 20)

    assert result.probability == probability
    assert ends(result.interval) == pytest.approx(interval, abs=1e-4)


@unhurried
@given(error_pairs)
def test_swapping_the_models_mirrors_the_probability_of_outperforming(pairs):
    """P(B < A) is 1 − P(A < B), interval and all; both contain their estimate."""
    a, b = np.transpose(pairs)
    ours, theirs = (stats.probability_of_outperforming(*x) for x in ((a, b), (b, a)))

    mirrored = ours.mirrored()
    assert theirs.probability == pytest.approx(mirrored.probability)
    assert ends(theirs.interval) == pytest.approx(ends(mirrored.interval))
    assert 0 <= ours.interval.lower <= ours.probability <= ours.interval.upper <= 1


@unhurried
@given(error_pairs, st.randoms())
def test_the_order_of_the_pairs_does_not_matter(pairs, random):
    """Replicates are exchangeable."""
    shuffled = random.sample(pairs, len(pairs))

    assert stats.probability_of_outperforming(*np.transpose(shuffled)) == (
        stats.probability_of_outperforming(*np.transpose(pairs))
    )


# --- what a search found --------------------------------------------------------------------


@pytest.mark.parametrize(("n", "expected"), [(1, 2.5), (2, 5 / 3), (4, 1.0)])
def test_expected_best_gives_the_reference_values(n, expected):
    """Of {1, 2, 3, 4}: the mean of one, 5/3 of two (1.875 would be biased), the least of all."""
    assert stats.expected_best([3, 1, 4, 2], n) == pytest.approx(expected)


@unhurried
@given(st.lists(st.integers(0, 90), min_size=1, max_size=6))
def test_expected_best_is_the_mean_over_all_subsets(values):
    """For every n, E[min] is the average lowest value of the C(N, n) subsets."""
    for n in range(1, len(values) + 1):
        mean = np.mean([min(subset) for subset in combinations(values, n)])
        assert stats.expected_best(values, n) == pytest.approx(mean)


@unhurried
@given(st.lists(st.integers(0, 90), min_size=1, max_size=20))
def test_more_trials_never_hurt_and_duplicates_never_help(values):
    """E[min] falls with n; with every trial run twice it is no lower for any n."""
    best = [stats.expected_best(values, n) for n in range(1, len(values) + 1)]
    doubled = [stats.expected_best(values * 2, n) for n in range(1, len(values) + 1)]

    assert all(np.diff(best) <= 1e-9)
    assert all(np.subtract(doubled, best) >= -1e-9)


def test_expected_best_of_a_large_search_is_finite():
    """Binomial coefficients beyond the largest float do not overflow."""
    values = np.arange(3_000)

    assert stats.expected_best(values, 1_500) == pytest.approx(3_001 / 1_501 - 1)


def test_time_to_target_is_the_first_step_at_or_under_it():
    """First passage counts even if it is lost again; held asks the last validation."""
    curves = [[0.5, 0.02, 0.03], [0.5, 0.04, 0.01], [0.5, 0.03, np.nan]]

    found = stats.time_to_target(curves, [0, 50, 100], 0.02)

    assert found.steps == (50.0, 100.0, inf)
    assert found.held == (False, True, False)
    assert found.median == 100


@pytest.mark.parametrize(
    ("reached", "median"), [((10, 20), inf), ((10, 20, 30), 30), ((), inf)], ids=str
)
def test_a_miss_counts_as_infinite_in_the_median(reached, median):
    """Of five searches, three misses make the median infinite; two do not."""
    curves = [[0.0 if step == hit else 1.0 for step in range(40)] for hit in reached]
    curves += [[1.0] * 40] * (5 - len(reached))

    assert stats.time_to_target(curves, range(40), 0.5).median == median


def test_nadeau_bengio_gives_the_reference_value():
    """Eight splits of 8,209 / 1,791: t 8.014276, two-sided p 9.01e-05, df 7."""
    x = (0.010, 0.014, 0.012, 0.009, 0.015, 0.011, 0.008, 0.013)

    result = stats.nadeau_bengio(x, n_train=8_209, n_test=1_791)

    assert (result.mean, result.df) == (pytest.approx(0.0115), 7)
    assert result.t == pytest.approx(8.014276, abs=5e-7)
    assert result.p == pytest.approx(9.01e-05, rel=1e-3)
    half = 2.364624 * 0.0115 / 8.014276
    assert ends(result.interval) == pytest.approx((0.0115 - half, 0.0115 + half), abs=1e-7)


def test_nadeau_bengios_interval_has_the_confidence_asked_for():
    """On one degree of freedom the quartile of t is 1, so half means one standard error."""
    interval = stats.nadeau_bengio([1, 3], n_train=2, n_test=1, confidence=0.5).interval

    assert ends(interval) == pytest.approx((2 - 2**0.5, 2 + 2**0.5))


def test_nadeau_bengio_gives_scikit_learns_example():
    """100 differences with an uncorrected t of 2.611, 90/10: t .750, one-sided p .227."""
    z = np.random.default_rng(0).normal(size=100)
    x = 2.611 / 10 + (z - z.mean()) / z.std(ddof=1)

    result = stats.nadeau_bengio(x, n_train=90, n_test=10)
    plain = scipy_stats.ttest_1samp(x, 0)

    assert (plain.statistic, plain.pvalue / 2) == pytest.approx((2.611, 0.005), abs=5e-4)
    assert (result.t, result.p / 2) == pytest.approx((0.750, 0.227), abs=5e-4)


@unhurried
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.integers(1, 9_000))
def test_swapping_the_models_negates_nadeau_bengio(x, n_test):
    """−x has the mirrored interval, the opposite t and the same p, finite throughout."""
    result = stats.nadeau_bengio(x, n_train=9_000, n_test=n_test)
    negated = stats.nadeau_bengio(np.negative(x), n_train=9_000, n_test=n_test)

    assert negated.interval == result.interval.mirrored()
    assert (negated.mean, negated.t, negated.p) == (-result.mean, -result.t, result.p)
    assert result.interval.lower <= result.mean <= result.interval.upper
    assert 0 <= result.p <= 1


@pytest.mark.parametrize("value", [0.1, -0.1, 0.0])
def test_equal_values_are_bounded_by_the_images_of_one_split(value):
    """Without spread the interval is as wide as Wilson's of no error in a split's images."""
    result = stats.nadeau_bengio([value] * 7, n_train=900, n_test=100)
    bound = stats.wilson(0, 100).upper

    assert result.is_bound
    assert ends(result.interval) == pytest.approx((value - bound, value + bound))
    assert not stats.nadeau_bengio([value, 0.5], n_train=900, n_test=100).is_bound


def test_nadeau_bengio_rejects_5_percent_where_its_assumption_holds():
    """With correlation n_test/(n_train + n_test) between splits t is exactly Student's."""
    rng = np.random.default_rng(0)
    rho = 1_791 / 10_000
    x = np.sqrt(rho) * rng.normal(size=(4_000, 1)) + np.sqrt(1 - rho) * rng.normal(size=(4_000, 8))

    p = [stats.nadeau_bengio(row, n_train=8_209, n_test=1_791).p for row in x]

    assert np.mean(np.less(p, 0.05)) == pytest.approx(0.05, abs=0.012)
    assert np.mean(scipy_stats.ttest_1samp(x, 0, axis=1).pvalue < 0.05) > 0.15


def test_bias_correction_undoes_the_luck_of_64_equal_configurations():
    """At 3 % each the best looks like 37.6 of 1,791, and the choice is worth the 53.7 it is."""
    rng = np.random.default_rng(0)
    results = [
        stats.bootstrap_bias_correction(rng.random((N, 64)) < 0.03, seed=i, resamples=100)
        for i in range(25)
    ]

    assert np.mean([N * r.best for r in results]) == pytest.approx(37.6, abs=1.5)
    assert np.mean([N * r.error for r in results]) == pytest.approx(53.7, abs=2.5)
    assert results[0].optimism == results[0].error - results[0].best


def test_bias_correction_of_identical_configurations_is_their_mean():
    """Where there is nothing to choose there is nothing to correct."""
    wrong = np.repeat(np.arange(N)[:, None] < 54, 8, axis=1)

    result = stats.bootstrap_bias_correction(wrong, seed=0)

    assert result.best == 54 / N
    assert result.error == pytest.approx(54 / N, abs=6e-4)  # four standard errors
    assert result.interval.lower < 54 / N < result.interval.upper


def test_bias_correction_equals_the_enumeration_of_all_bags():
    """On 4 images the estimate is the mean over all 4⁴ bags, ties in the bag averaged."""
    wrong = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]])
    scores = []
    for bag in product(range(4), repeat=4):
        left = sorted(set(range(4)) - set(bag))
        if left:
            in_bag = wrong[list(bag)].sum(axis=0)
            scores.append(wrong[left][:, in_bag == in_bag.min()].mean())

    result = stats.bootstrap_bias_correction(wrong, seed=0, resamples=40_000)

    assert result.error == pytest.approx(np.mean(scores), abs=0.008)
    assert result.best == 0.25


@unhurried
@given(st.integers(2, 30), st.integers(1, 5), st.integers(0, 99), st.data())
def test_bias_correction_ignores_image_order_and_duplicates(n, c, seed, data):
    """Permuted images and a repeated configuration give the same answer, bit for bit."""
    wrong = np.random.default_rng(seed).random((n, c)) < 0.3
    order = data.draw(st.permutations(range(n)))
    again = np.column_stack([wrong, wrong[:, data.draw(st.integers(0, c - 1))]])

    result = stats.bootstrap_bias_correction(wrong, seed=seed, resamples=50)

    for other in (wrong[order], again):
        assert stats.bootstrap_bias_correction(other, seed=seed, resamples=50) == result
    assert 0 <= result.interval.lower <= result.interval.upper <= 1
    assert 0 <= result.error <= 1


def test_bias_corrections_settings_each_change_it():
    """Seed and resamples change the estimate, the confidence its interval only."""
    wrong = np.random.default_rng(0).random((200, 5)) < 0.1
    base = stats.bootstrap_bias_correction(wrong, seed=0)

    assert stats.bootstrap_bias_correction(wrong, seed=0) == base
    assert stats.bootstrap_bias_correction(wrong, seed=1).error != base.error
    assert stats.bootstrap_bias_correction(wrong, seed=0, resamples=99).error != base.error
    narrow = stats.bootstrap_bias_correction(wrong, seed=0, confidence=0.5)
    assert narrow.error == base.error
    assert narrow.interval.lower > base.interval.lower


# --- several comparisons at once --------------------------------------------------------------

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3·0.01, then 2·0.03, then max(0.06, 0.04)
        ([0.5, 0.4], [0.8, 0.8]),
        ([0.9, 0.6, 0.0], [1, 1, 0]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_holm_gives_the_values_worked_out_by_hand(p, adjusted):
    """The smallest counts m times, the next m − 1 times, and none is below the one before it."""
    assert stats.holm(p) == pytest.approx(adjusted, abs=1e-15)


@unhurried
@given(p_values)
def test_holm_equals_statsmodels(p):
    """Another package's values, ties and zeros included."""
    assert stats.holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-15)


@unhurried
@given(p_values, st.randoms())
def test_holm_keeps_the_order_and_never_goes_below_or_above_1(p, random):
    """Whichever order the p values come in, each is adjusted alike."""
    found = stats.holm(p)
    by_p = found[np.argsort(p, kind="stable")]
    mixed = random.sample(range(len(p)), len(p))

    assert (np.diff(by_p) >= 0).all()
    assert ((found >= p) & (found <= 1)).all()
    assert list(stats.holm([p[k] for k in mixed])) == [found[k] for k in mixed]


@pytest.mark.parametrize(
    ("m", "level"), [(1, 0.95), (2, 0.975), (3, 1 - 0.05 / 3), (15, 1 - 0.05 / 15)]
)
def test_bonferroni_shares_the_error_among_the_intervals(m, level):
    """Of m intervals at 1 − .05/m one or more miss in 5 % at most; a single one has 95 %."""
    assert stats.bonferroni_confidence(m) == pytest.approx(level, abs=1e-15)
    assert stats.bonferroni_confidence(1) == 0.95
    assert stats.bonferroni_confidence(m, confidence=0.9) == pytest.approx(1 - 0.1 / m)


@unhurried
@given(st.lists(st.lists(st.integers(-30, 30), min_size=4, max_size=4), min_size=2, max_size=10))
def test_holm_separates_wherever_bonferronis_interval_excludes_0(pairs):
    """So a pair that the intervals tell apart is never called not separated."""
    sizes, level = {"n_train": 8_209, "n_test": N}, stats.bonferroni_confidence(len(pairs))
    adjusted = stats.holm([stats.nadeau_bengio(x, **sizes).p for x in pairs])

    for x, p in zip(pairs, adjusted, strict=True):
        interval = stats.nadeau_bengio(x, **sizes, confidence=level).interval
        assert p < 0.05 or interval.lower <= 1e-12
        assert p < 0.05 or interval.upper >= -1e-12


# --- which trial to trust, which range to try -----------------------------------------------


def test_trials_within_one_standard_error_are_level():
    """The standard error of 43 errors in 1,791 is 6.48: 49 are level, 50 are not."""
    assert stats.level_with_best([50, 43, 49, 900], N).tolist() == [False, True, True, False]


def test_the_standard_error_is_the_binomial_one():
    """At 450 errors of 900 it is √(900 · ½ · ½) = 15."""
    assert stats.level_with_best([450, 465, 466], 900).tolist() == [True, True, False]


def test_the_simplest_level_trial_is_recommended():
    """Fewest hidden units win, then the middle of their level learning rates."""
    errors = [20, 22, 23, 24, 21, 40]
    rates = [0.10, 0.01, 0.03, 0.10, 0.20, 0.02]
    hidden = [100, 50, 50, 50, 100, 10]

    assert stats.recommend(errors, rates, hidden, n=N) == 2
    assert stats.recommend(errors, rates, n=N) == 2  # 0.03 is nearest √(0.01 · 0.2)
    assert stats.recommend(errors, rates, [100, 50, 50, 50, 25, 10], n=N) == 4


def test_between_equally_central_trials_the_better_then_the_earlier_is_recommended():
    """With two level trials both are equally far from the middle."""
    assert stats.recommend([21, 20], [0.1, 0.3], n=N) == 1
    assert stats.recommend([20, 20], [0.3, 0.1], n=N) == 0


@unhurried
@given(searches, st.data())
def test_a_recommendation_is_level_and_duplicates_and_units_do_not_move_it(trials, data):
    """It is level; a repeated trial, or other units of the rate, change nothing."""
    errors, rates, hidden = (np.array(x) for x in zip(*trials, strict=True))
    again = [*range(len(trials)), data.draw(st.integers(0, len(trials) - 1))]

    choice = stats.recommend(errors, rates, hidden, n=N)

    level = stats.level_with_best(errors, N)
    assert level[choice]
    assert hidden[choice] == hidden[level].min()
    assert stats.recommend(errors[again], rates[again], hidden[again], n=N) == choice
    assert stats.recommend(errors, rates / 8, hidden, n=N) == choice


@pytest.mark.parametrize(
    ("rate", "side"),
    [(1e-4, "low"), (3.1e-4, "low"), (3.2e-4, None), (0.3, None), (3.2, "high"), (10, "high")],
)
def test_an_edge_is_the_outer_tenth_of_the_log_range(rate, side):
    """From 1e-4 to 10 a tenth is half a decade."""
    assert stats.edge(rate, 1e-4, 10) == side


def test_several_values_are_near_an_edge_when_their_log_median_is():
    """One value far off does not pull the others away from the edge."""
    assert stats.edge([1e-4, 2e-4, 5], 1e-4, 10) == "low"
    assert stats.edge([1e-4, 1, 5], 1e-4, 10) is None


def test_a_range_of_one_value_has_no_edge():
    """A parameter that is not searched is not diagnosed."""
    assert stats.edge(0.1, 0.1, 0.1) is None


def test_a_diagnosis_says_where_good_and_bad_learning_rates_lie():
    """Best at the low edge, the best tenth (three, by a tie) inside, level ones and the failed."""
    rates = np.geomspace(1e-3, 10, 20)
    errors = np.full(20, 500)
    errors[[0, 9, 10]] = [20, 22, 22]
    failed = rates > 3

    found = stats.diagnose(errors, rates, failed, n=N, low=1e-3, high=10)

    assert (found.best_edge, found.best_tenth_edge) == ("low", None)
    assert found.level == pytest.approx((rates[0], rates[10]))
    assert found.falls_apart_from == rates[failed].min()


def test_a_diagnosis_looks_at_one_trial_in_ten_and_no_more():
    """Of 20 trials the best two are at the high edge; the next three, at the low, don't count."""
    rates = np.geomspace(1e-3, 10, 20)
    errors = np.where(np.arange(20) >= 18, 20, 500 + np.arange(20))

    found = stats.diagnose(errors, rates, np.zeros(20), n=N, low=1e-3, high=10)

    assert (found.best_edge, found.best_tenth_edge) == ("high", "high")


def test_a_diagnosis_of_a_healthy_search_names_nothing():
    """A best tenth in the middle and no failed trial leave only the level range."""
    found = stats.diagnose([30, 20, 30], [0.01, 0.1, 1.0], [0, 0, 0], n=N, low=1e-3, high=10)

    assert found == stats.Diagnosis(None, None, (0.1, 0.1), None)


@pytest.mark.parametrize(
    ("best", "closed", "edge", "at_limit"),
    [
        (0.0, True, None, True),
        (0.0, False, "low", False),
        (0.5, True, None, False),
        (1.0, True, "high", False),
    ],
)
def test_where_no_lower_value_is_possible_the_best_lie_at_a_limit(best, closed, edge, at_limit):
    """A momentum near 0 asks for no wider range, and does not lie well inside this one."""
    errors = [20, *[500] * 19]
    values = [best, *np.linspace(0.2, 0.8, 19)]

    found = stats.diagnose(
        errors, values, np.zeros(20), n=N, low=0, high=1, log=False, closed=closed
    )

    assert (found.edge, found.at_limit) == (edge, at_limit)


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: stats.wilson(4, 3),
            "Wilson interval: 4 errors of 3: 0 to n errors of n >= 1",
        ),
        (
            lambda: stats.allowed_errors(0.1, -1),
            "Wilson interval: 0 errors of -1: 0 to n errors of n >= 1",
        ),
        (
            lambda: stats.target_met(1, 9, 0.1, rule="mean"),
            "target rule: 'mean' is unknown: 'point' or 'wilson'",
        ),
        (
            lambda: stats.paired_counts([0, 1], [0]),
            "paired errors: shapes (2,) and (1,): (n,) both, n >= 1",
        ),
        (
            lambda: stats.paired_counts([4, 9], [4, 9]),
            "paired errors: hold more than 0 and 1: predictions != labels",
        ),
        (lambda: stats.mcnemar(-1, 3), "McNemar's test: counts -1 and 3: 0 or more"),
        (
            lambda: stats.newcombe(PairedCounts(0, 0, 0, 0)),
            "Wilson interval: 0 errors of 0: 0 to n errors of n >= 1",
        ),
        (
            lambda: stats.summarise([1], seed=0),
            "replicates: 1 in shape (1,): two or more finite numbers",
        ),
        (
            lambda: stats.probability_of_outperforming([1, 2], [1]),
            "replicate pairs: shapes (2,), (1,): (R,) numbers both",
        ),
        (
            lambda: stats.expected_best([1, 2], 3),
            "expected best of n: n is 3 of 2 trials: 1 to N finite values",
        ),
        (
            lambda: stats.time_to_target([[1, 2]], [0], 0.1),
            "learning curves: shape (1, 2), 1 steps: (R, steps)",
        ),
        (
            lambda: stats.nadeau_bengio([1], n_train=9, n_test=1),
            "resampled splits: 1 in shape (1,): two or more numbers",
        ),
        (
            lambda: stats.nadeau_bengio([1, 2], n_train=0, n_test=1),
            "resampled splits: 0 and 1 images: 1 or more",
        ),
        (
            lambda: stats.bootstrap_bias_correction([[1]], seed=0),
            "error matrix: shape (1, 1): (images >= 2, configurations >= 1)",
        ),
        (
            lambda: stats.level_with_best([3, 99], 9),
            "errors of 2 trials: not all counts: (N,) from 0 to 9",
        ),
        (
            lambda: stats.recommend([1, 2], [0.1, 0.0], n=9),
            "learning rates: shape (2,): (2,), all positive",
        ),
        (
            lambda: stats.recommend([1, 2], [0.1, 0.2], [5], n=9),
            "sizes: shape (1,): (2,), one a trial",
        ),
        (
            lambda: stats.edge(0.1, 1, 0.5),
            "search range 1 to 0.5: values or bounds: positive, in order",
        ),
        (
            lambda: stats.diagnose([1], [0.1, 0.2], [0], n=9, low=0.1, high=1),
            "trials: shapes (1,), (2,), (1,): one each a trial",
        ),
        (
            lambda: stats.holm([0.5, float("nan")]),
            "p values: 2 in shape (2,): one or more, each from 0 to 1",
        ),
        (
            lambda: stats.holm([]),
            "p values: 0 in shape (0,): one or more, each from 0 to 1",
        ),
        (
            lambda: stats.bonferroni_confidence(0),
            "simultaneous intervals: 0 at 0.95: 1 or more, in (0, 1)",
        ),
        (
            lambda: stats.held_out_mean([[1, 0]], n_train=9, n_total=11),
            "held-out parts: 1: two or more, of finite numbers",
        ),
        (
            lambda: stats.held_out_mean([[1, 0], [float("nan")]], n_train=9, n_total=11),
            "held-out parts: 2: two or more, of finite numbers",
        ),
        (
            lambda: stats.held_out_mean([[1], [0]], n_train=9, n_total=0),
            "resampled splits: 9 and 0 images: 1 or more",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    """The error says what it is about, what is wrong and what would be right."""
    with pytest.raises(ValueError, match=r".") as refusal:
        call()

    assert str(refusal.value) == message


@unhurried
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 0.5, 0.9, 1])), max_size=40))
def test_the_scores_of_probabilities_are_scikit_learns(drawn):
    """The area under the ROC curve, ties included, and the Brier score."""
    second, p = map(np.array, zip((True, 0.5), (False, 0.5), *drawn, strict=True))

    assert stats.roc_auc(second, p) == pytest.approx(metrics.roc_auc_score(second, p))
    assert stats.brier(second, p) == pytest.approx(metrics.brier_score_loss(second, p))


def test_an_area_needs_both_classes():
    """Of one class there is no pair to compare."""
    with pytest.raises(ValueError, match="images of one class: both must be there"):
        stats.roc_auc([True, True], [0.2, 0.7])
