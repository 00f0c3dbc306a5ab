"""Which model is better: held-out images, the rule, its power; against other packages."""

from dataclasses import replace

import baycomp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.weightstats import DescrStatsW

from study import stats
from study.margin import DEFAULT_MARGIN, Margin
from study.stats import CorrectedMean, Interval

N = 11_791  # images
FIT = 8_571  # that train in each of seven splits
ALIKE = np.tile(np.repeat([1.0, -1.0, 0.0], (3, 1, 96)), 7)  # 700 differences, equal in 7 parts

unhurried = settings(deadline=None)  # a busy machine is slow, not wrong

differences = st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=2, max_size=30)


def parts(values, count=7):
    """The values in so many disjoint parts."""
    return np.array_split(np.asarray(values), count)


def found(mean, se, df=1e6):
    """A difference with this mean and standard error."""
    half = scipy_stats.t.ppf(0.975, df) * se
    p = 2 * scipy_stats.t.sf(abs(mean) / se, df)
    return CorrectedMean(mean, Interval(mean - half, mean + half), mean / se, p, df, se)


# --- the mean of held-out images --------------------------------------------------------------


def test_parts_that_differ_no_more_than_chance_have_the_variance_of_their_images():
    """s²/n_train where every image was judged, whatever the parts; statsmodels has s²."""
    result = stats.held_out_mean(parts(ALIKE), n_train=500, n_total=700)

    assert result.mean == pytest.approx(0.02)
    assert result.se**2 == pytest.approx(DescrStatsW(ALIKE, ddof=1).var_ddof(1) / 500)
    assert result.df == pytest.approx(699)


def test_images_that_were_not_judged_leave_more_to_chance():
    """Of 700, the 300 of three parts: 1/300 + (1/500 − 1/700) takes the place of 1/500."""
    values = ALIKE[:300]

    result = stats.held_out_mean(parts(values, 3), n_train=500, n_total=700)

    share = 1 / 300 + 1 / 500 - 1 / 700
    assert result.se**2 == pytest.approx(values.var(ddof=1) * share)


def test_parts_that_go_round_twice_judge_no_further_image():
    """The second round's images are those of the first."""
    once = stats.held_out_mean(parts(ALIKE), n_train=500, n_total=700)
    twice = stats.held_out_mean(parts(np.tile(ALIKE, 2), 14), n_train=500, n_total=700)

    assert twice.se == pytest.approx(once.se, rel=1e-3)


def test_what_the_parts_differ_by_beyond_chance_is_added():
    """A search that failed in one of seven: what its part differs by counts once for all of it."""
    values = [np.repeat([1.0, 0.0], (2, 98)) for _ in range(6)] + [np.repeat([1.0, 0.0], (50, 50))]
    every, means = np.concatenate(values), np.array([0.02] * 6 + [0.5])

    result = stats.held_out_mean(values, n_train=500, n_total=700)

    image, spread = every.var(ddof=1) / 500, means.var(ddof=1) / 7
    assert result.se**2 == pytest.approx(image + spread - every.var(ddof=1) / 700)
    assert result.df == pytest.approx(result.se**4 / (image**2 / 699 + spread**2 / 6))
    assert result.df < 7


@unhurried
@given(st.lists(differences, min_size=2, max_size=8), st.integers(1, 200), st.integers(1, 200))
def test_swapping_the_models_negates_the_mean(values, n_train, n_total):
    """−x has the mirrored interval, the opposite t and the same p, finite throughout."""
    one, other = (
        stats.held_out_mean([sign * np.array(v) for v in values], n_train=n_train, n_total=n)
        for sign, n in ((1, n_train + n_total), (-1, n_train + n_total))
    )

    assert other == replace(
        one, mean=-one.mean, t=-one.t, interval=one.interval.mirrored(), p=one.p
    )
    assert one.se > 0
    assert 0 <= one.p <= 1


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_images_that_are_all_alike_only_bound_the_mean(value):
    """No spread is no certainty: as much may be missed as Wilson's interval of no error has."""
    result = stats.held_out_mean(parts(np.full(N, value)), n_train=FIT, n_total=N)
    bound = stats.wilson(0, N).upper

    assert result.is_bound
    assert result.interval.lower == pytest.approx(value - bound)
    assert result.interval.upper == pytest.approx(value + bound)


def test_another_confidence_widens_the_interval_alone():
    """Its ends are those of :meth:`CorrectedMean.at`."""
    usual, wide = (
        stats.held_out_mean(parts(ALIKE), n_train=500, n_total=700, confidence=level)
        for level in (0.95, 0.99)
    )

    assert (wide.mean, wide.se, wide.df) == (usual.mean, usual.se, usual.df)
    assert wide.interval == usual.at(0.99)
    assert usual.interval == usual.at(0.95)


# --- the rule ---------------------------------------------------------------------------------

MARGIN = 0.0025


@pytest.mark.parametrize(
    ("mean", "se", "outcome"),
    [
        pytest.param(0.02, 0.005, "B better", id="better"),
        pytest.param(0.001, 0.0004, "B better", id="better-though-within-the-margin"),
        pytest.param(0.001, 0.0008, "equivalent", id="within-the-margin"),
        pytest.param(0.0, 0.0015, "equivalent", id="no-difference"),
        pytest.param(0.0, 0.0016, "not separated", id="too-wide"),
        pytest.param(0.02, 0.0103, "not separated", id="interval-holds-0"),
    ],
)
def test_the_verdict_follows_the_rule(mean, se, outcome):
    """Each line of the rule, and each way to miss it; for A against B as for B against A."""
    assert stats.decide(found(mean, se), MARGIN).outcome == outcome
    assert stats.decide(found(-mean, se), MARGIN).outcome == outcome.replace("B", "A")


@pytest.mark.parametrize(("mean", "leader"), [(0.001, "B"), (-0.001, "A"), (0.0, None)])
def test_the_leader_errs_less_on_average(mean, leader):
    """Whether or not it is better."""
    assert stats.decide(found(mean, 0.01), MARGIN).leader == leader


def test_a_better_model_may_be_within_the_margin():
    """Both are true at once: the difference is real, and too small to matter."""
    tiny, large = (stats.decide(found(mean, 0.0004), MARGIN) for mean in (0.001, 0.002))

    assert (tiny.separated, tiny.within_margin) == (True, True)
    assert (large.separated, large.within_margin) == (True, False)


@unhurried
@given(st.floats(-0.01, 0.01), st.floats(1e-4, 0.01), st.floats(0, 0.02), st.integers(2, 100))
def test_equivalence_is_two_one_sided_tests_at_5_percent(mean, se, margin, df):
    """SciPy's two p values, each below .05."""
    difference = found(mean, se, df)
    above = scipy_stats.t.sf((mean + margin) / se, df)
    below = scipy_stats.t.cdf((mean - margin) / se, df)
    if min(abs(above - 0.05), abs(below - 0.05)) > 1e-9:
        assert stats.decide(difference, margin).within_margin == (max(above, below) < 0.05)


@pytest.mark.parametrize(
    ("mean", "p", "outcome"),
    [
        pytest.param(0.02, 0.049, "B better", id="below"),
        pytest.param(0.02, 0.05, "not separated", id="at-0.05"),
        pytest.param(0.0005, 0.2, "equivalent", id="within-the-margin"),
        pytest.param(0.0, 0.0, "equivalent", id="no-leader"),
    ],
)
def test_of_several_pairs_holms_p_separates(mean, p, outcome):
    """The interval's place is taken by the adjusted p; a pair without a leader has no better."""
    decided = stats.decide(found(mean, 0.0008), MARGIN, p_adjusted=p, n_pairs=3)

    assert decided.outcome == outcome
    assert decided.separated == (outcome == "B better")


def test_of_several_pairs_equivalence_takes_more():
    """Each one-sided test is at 5 % divided by the number of pairs."""
    edge = MARGIN / scipy_stats.norm.ppf(1 - 0.05 / 3)

    for se, within in ((0.999 * edge, True), (1.001 * edge, False)):
        assert stats.decide(found(0, se), MARGIN, p_adjusted=1, n_pairs=3).within_margin == within
        assert stats.decide(found(0, se), MARGIN).within_margin


@pytest.mark.parametrize("margin", [-0.1, float("nan")])
def test_a_margin_below_0_is_refused(margin):
    """The error says what would be right."""
    with pytest.raises(ValueError, match=rf"^verdict: margin {margin}: 0 or more$"):
        stats.decide(found(0.1, 0.1), margin)


# --- how sure, and what is found ---------------------------------------------------------------


@unhurried
@given(
    st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)), min_size=3, max_size=20).filter(
        lambda pairs: np.ptp([a - b for a, b in pairs]) > 1e-6
    ),
    st.floats(0.001, 0.05),
)
def test_the_probabilities_are_baycomps(errors, margin):
    """Its correlated t-test over folds, whose correlation is n_test/n; scores are 1 − error."""
    a, b = 1 - np.transpose(errors)
    k = len(a)
    difference = stats.nadeau_bengio(b - a, n_train=k - 1, n_test=1)
    b_worse, equivalent, b_better = baycomp.two_on_single(a, b, rope=margin)

    ours = stats.probabilities(difference, margin)

    assert ours.b_better == pytest.approx(b_better, abs=1e-9)
    assert ours.equivalent == pytest.approx(equivalent, abs=1e-9)
    assert ours.a_better == pytest.approx(b_worse, abs=1e-9)


def test_the_detectable_difference_is_found_in_four_of_five_experiments():
    """Where it is true, the interval excludes 0 with a probability of 80 %."""
    rng, se = np.random.default_rng(0), 0.002
    true = stats.detectable(found(0, se))
    seen = rng.normal(true, se, 40_000)

    assert true == pytest.approx(2.8016 * se, rel=1e-4)  # z of .975 and of .8
    assert np.mean(seen - 1.959964 * se > 0) == pytest.approx(0.8, abs=0.01)


def test_power_and_confidence_each_move_the_detectable_difference():
    """More of either takes a larger difference."""
    usual = stats.detectable(found(0, 1))

    assert stats.detectable(found(0, 1), power=0.9) > usual
    assert stats.detectable(found(0, 1), confidence=0.99) > usual


# --- the margin -------------------------------------------------------------------------------


def test_a_relative_margin_is_a_share_of_the_mean_error():
    """It is the same whichever model stands first."""
    assert DEFAULT_MARGIN.of(0.04, 0.02) == pytest.approx(0.006)
    assert DEFAULT_MARGIN.of(0.02, 0.04) == DEFAULT_MARGIN.of(0.04, 0.02)


def test_an_absolute_margin_is_the_same_for_all_errors():
    """It is in percentage points."""
    margin = Margin(0.0025, is_relative=False)

    assert margin.of(0.04, 0.02) == margin.of(0.5, 0.0) == 0.0025
    assert (str(margin), margin.words) == ("0.25pp", "0.25 percentage points")
    assert (str(DEFAULT_MARGIN), DEFAULT_MARGIN.words) == ("20%", "20 % of their mean error")
