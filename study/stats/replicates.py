"""The same configurations on fresh seeds: how they spread, and which one wins how often."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from study.stats.intervals import Interval, wilson


@dataclass(frozen=True)
class Summary:
    """How replicates spread, in the unit of the values; ``interval`` is the IQM's."""

    n: int
    median: float
    iqm: float  # the interquartile mean: of what is left without the lowest and highest quarter
    minimum: float
    maximum: float
    mean: float
    sd: float  # of the sample, ddof 1
    interval: Interval


@dataclass(frozen=True)
class Outperforming:
    """The probability that A errs less than B, from ``n_pairs`` pairs."""

    probability: float
    interval: Interval
    n_pairs: int

    def mirrored(self) -> "Outperforming":
        """The probability that B errs less than A."""
        return Outperforming(1 - self.probability, self.interval.mirrored(1 / 2), self.n_pairs)


def summarise(
    values: ArrayLike, *, seed: int, confidence: float = 0.95, resamples: int = 9_999
) -> Summary:
    """Summarise replicates, with a percentile bootstrap interval of their IQM.

    The interquartile mean drops ⌊n/4⌋ values at each end. The interval covers seeds and
    batches, not the images. The order of the values changes nothing.

    Source: Agarwal et al. (2021), NeurIPS (the IQM); Efron and Tibshirani (1993),
    An Introduction to the Bootstrap, chapter 13.

    Args:
        values: (R,) one error (count or fraction) a replicate, R ≥ 2.
        seed: of the bootstrap.
        confidence: of the interval.
        resamples: of the bootstrap.

    Raises:
        ValueError: fewer than two values, or one that is not finite.
    """
    x = np.sort(np.asarray(values, dtype=float))
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all():
        raise ValueError(f"replicates: {x.size} in shape {x.shape}: two or more finite numbers")
    ends = stats.bootstrap(
        (x,),
        _iqm,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Summary(
        n=x.size,
        median=float(np.median(x)),
        iqm=float(_iqm(x)),
        minimum=float(x[0]),
        maximum=float(x[-1]),
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)),
        interval=Interval(float(ends.low), float(ends.high)),
    )


def _iqm(x: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    """The interquartile mean along an axis."""
    return np.asarray(stats.trim_mean(x, 0.25, axis=axis))


def share_of_wins(errors_a: ArrayLike, errors_b: ArrayLike) -> float:
    """The share of pairs in which A errs less, ties counting ½.

    The two are broadcast, so paired arrays are compared pair by pair, and
    ``share_of_wins(a[:, None], b)`` compares all pairs (the Mann–Whitney statistic
    U/(n·m), which rliable calls the probability of improvement, of B over A there
    because its scores are better when higher).
    """
    a, b = np.asarray(errors_a), np.asarray(errors_b)
    return float(np.mean((a < b) + (a == b) / 2))


def probability_of_outperforming(
    errors_a: ArrayLike, errors_b: ArrayLike, *, confidence: float = 0.95
) -> Outperforming:
    """P(A errs less than B) over pairs of replicates, ties ½, with its interval.

    The percentile bootstrap over pairs, computed exactly instead of by resampling: the
    sum of n draws from {0, ½, 1} has the n-fold convolution of their observed shares as
    its distribution, so the interval depends on no seed and swapping the models mirrors
    it. Where all pairs end alike the bootstrap has no width; then with the lower Wilson
    end L of n successes in n, up to 1 − L of all pairs may end otherwise: [L, 1] when A
    wins all, [L/2, 1 − L/2] when all tie.

    Source: Bouthillier et al. (2021), Accounting for Variance in Machine Learning
    Benchmarks, MLSys.

    Args:
        errors_a: (R,) A's error in each replicate.
        errors_b: (R,) B's, of the same seed at the same place.
        confidence: of the interval.

    Raises:
        ValueError: different or empty shapes, or a NaN.
    """
    a, b = np.asarray(errors_a, dtype=float), np.asarray(errors_b, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or a.size == 0 or np.isnan([a, b]).any():
        raise ValueError(f"replicate pairs: shapes {a.shape}, {b.shape}: (R,) numbers both")
    n = a.size
    shares = np.array([np.sum(a > b), np.sum(a == b), np.sum(a < b)]) / n
    probability = share_of_wins(a, b)
    if shares.max() == 1:
        sure = wilson(n, n, confidence=confidence).lower
        return Outperforming(
            probability, Interval(sure * probability, sure * probability + 1 - sure), n
        )
    return Outperforming(probability, _exact_percentiles(shares, n, confidence), n)


def _exact_percentiles(shares: NDArray[np.float64], n: int, confidence: float) -> Interval:
    """The percentile interval of the mean of n draws of 0, ½ or 1 with these shares."""
    mass = np.ones(1)
    for _ in range(n):
        mass = np.convolve(mass, shares)  # (2n + 1,) in the end: of 0, ½, …, n wins
    tail = (1 - confidence) / 2
    lower = int(np.argmax(np.cumsum(mass) >= tail))
    upper = 2 * n - int(np.argmax(np.cumsum(mass[::-1]) >= tail))
    return Interval(lower / (2 * n), upper / (2 * n))
