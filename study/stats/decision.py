"""The rule that decides between two models; it was fixed before anything was run."""

from dataclasses import dataclass
from typing import Literal

from scipy import stats

from study.stats.multiple import bonferroni_confidence
from study.stats.resampling import CorrectedMean

Outcome = Literal["A better", "B better", "equivalent", "not separated"]

ALPHA = 0.05  # of each test, and of Holm's p where several pairs are compared
POWER = 0.8


@dataclass(frozen=True)
class Decision:
    """What the evidence says. All but ``outcome`` and ``leader`` are the same for B against A."""

    outcome: Outcome
    leader: Literal["A", "B"] | None  # which errs less on average on the held-out images
    separated: bool  # the interval of the difference excludes 0; of several pairs: Holm's p < .05
    within_margin: bool  # both one-sided tests reject a difference of the margin or more


@dataclass(frozen=True)
class Probabilities:
    """How probable each state of two models is, given the differences that were seen."""

    a_better: float  # by more than the margin
    equivalent: float  # neither errs less by more than the margin
    b_better: float


def decide(
    difference: CorrectedMean,
    margin: float,
    *,
    p_adjusted: float | None = None,
    n_pairs: int = 1,
) -> Decision:
    """Decide between two models, or decline to.

    One is *better* when the 95 % interval of the difference excludes 0. If neither is, the two are
    *equivalent* when two one-sided tests at 5 % reject a difference of the margin or more in
    either direction: the 90 % interval lies within the margin. Otherwise they are *not
    separated*. Where the two are one of several pairs, Holm's adjusted p takes the place of the
    interval, and the level of the one-sided tests is divided by the number of pairs.

    Source: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15:657–680.

    Args:
        difference: of A's error on held-out images − B's, a fraction.
        margin: the largest difference in error that does not matter, a fraction.
        p_adjusted: of the difference, over all pairs; None where these two are the only pair.
        n_pairs: that are compared together.

    Raises:
        ValueError: a negative margin, or no pair.
    """
    if not margin >= 0:
        raise ValueError(f"verdict: margin {margin}: 0 or more")
    ends = difference.at(2 * bonferroni_confidence(n_pairs, confidence=1 - ALPHA) - 1)
    p = difference.p if p_adjusted is None else p_adjusted
    mean = difference.mean
    leader: Literal["A", "B"] | None = None if mean == 0 else "A" if mean < 0 else "B"
    separated = leader is not None and p < ALPHA
    within = -margin < ends.lower and ends.upper < margin
    outcome: Outcome = "equivalent" if within else "not separated"
    if separated:
        outcome = "A better" if leader == "A" else "B better"
    return Decision(outcome, leader, separated, within)


def probabilities(difference: CorrectedMean, margin: float) -> Probabilities:
    """How probable it is that either model is better by more than the margin, or neither is.

    The correlated Bayesian t-test: with its prior, which favours neither model, the true
    difference has Student's t distribution about the mean, with the standard error and the degrees
    of freedom of the interval.

    Source: Benavoli, Corani, Demšar and Zaffalon (2017), Time for a Change, Journal of Machine
    Learning Research 18(77):1–36, section 3.1.

    Args:
        difference: of A's error − B's, a fraction.
        margin: a fraction, 0 or more.
    """
    of = stats.t(difference.df, loc=difference.mean, scale=difference.se)
    a_better, b_better = float(of.cdf(-margin)), float(of.sf(margin))
    return Probabilities(a_better, 1 - a_better - b_better, b_better)


def detectable(
    difference: CorrectedMean, *, power: float = POWER, confidence: float = 1 - ALPHA
) -> float:
    """The smallest true difference, a fraction, that is found with this power.

    se·(t₍₁₊confidence₎/₂ + t_power), for a standard error as it was found here.

    Source: Bloom (1995), Minimum Detectable Effects, Evaluation Review 19:547–556.
    """
    found = stats.t(difference.df)
    return difference.se * float(found.ppf((1 + confidence) / 2) + found.ppf(power))
