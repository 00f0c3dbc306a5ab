"""Errors that allow for the search: over resampled splits, and over resampled images."""

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from study.stats.intervals import Interval


@dataclass(frozen=True)
class CorrectedMean:
    """A mean over overlapping splits, with an interval that knows that they overlap."""

    mean: float
    interval: Interval
    t: float
    p: float  # two-sided, of a mean of 0
    df: int


@dataclass(frozen=True)
class BiasCorrected:
    """The error of *choose the best of these configurations*, as fractions."""

    error: float  # out of bag: what the choice is worth on images it did not see
    best: float  # the lowest error on all images, which the choice was made by
    interval: Interval  # percentiles of the out-of-bag errors

    @property
    def optimism(self) -> float:
        """How much lower the best looks than it is."""
        return self.error - self.best


def nadeau_bengio(
    values: ArrayLike, *, n_train: int, n_test: int, confidence: float = 0.95
) -> CorrectedMean:
    """Mean and corrected resampled t interval over J random splits of one data set.

    t = x̄ / √((1/J + n_test/n_train)·s²) on J − 1 degrees of freedom: test sets drawn from
    the same images make the splits dependent, and n_test/n_train makes up for it. It
    covers the draw of the split and, when each split holds a whole search, the search.
    Where all values are equal the interval has no width, and t is ±∞ (0 for a mean of 0).

    Source: Nadeau and Bengio (2003), Inference for the Generalization Error, Machine
    Learning 52:239–281.

    Args:
        values: (J,) a difference (or an error) a split, J ≥ 2.
        n_train: images that a model is fitted on in each split.
        n_test: images that it is tested on.
        confidence: of the interval.

    Raises:
        ValueError: fewer than two values, one that is not finite, or no images.
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all():
        raise ValueError(f"resampled splits: {x.size} in shape {x.shape}: two or more numbers")
    if n_train < 1 or n_test < 1:
        raise ValueError(f"resampled splits: {n_train} train, {n_test} test: 1 or more of each")
    df = x.size - 1
    mean = float(x.mean())
    # equal values have s = 0 exactly; rounding would make it 1e-18 and t a huge number
    spread = 0.0 if np.ptp(x) == 0 else float(x.std(ddof=1))
    se = (1 / x.size + n_test / n_train) ** 0.5 * spread
    t = mean / se if se > 0 else float(np.copysign(inf, mean)) if mean else 0.0
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * se
    p = 2 * float(stats.t.sf(abs(t), df)) if isfinite(t) else 0.0
    return CorrectedMean(mean, Interval(mean - half, mean + half), t, p, df)


def bootstrap_bias_correction(
    wrong: ArrayLike, *, seed: int, confidence: float = 0.95, resamples: int = 1_000
) -> BiasCorrected:
    """What choosing the best configuration is worth, without training anything again.

    Draw n images with replacement, choose the configuration with the fewest errors among
    them, and score it on the images that were not drawn; average over the draws. Several
    configurations that tie in the bag are all scored, and count once if they err on the
    same images: so a duplicate changes nothing, and neither does the order of the images.

    Source: Tsamardinos, Greasidou and Borboudakis (2018), Machine Learning 107:1895–1922.

    Args:
        wrong: (n images, C configurations) booleans, ``predictions != labels``.
        seed: of the bootstrap.
        confidence: of the interval.
        resamples: of the bootstrap.

    Raises:
        ValueError: no configuration, or fewer than two images.
    """
    w = np.asarray(wrong, dtype=bool)
    if w.ndim != 2 or w.shape[0] < 2 or w.shape[1] < 1:
        raise ValueError(f"error matrix: shape {w.shape}: (images >= 2, configurations >= 1)")
    w = w[np.lexsort(w.T[::-1])]
    first_of_its_kind = np.sort(np.unique(w, axis=1, return_index=True)[1])
    scores = _out_of_bag(w[:, first_of_its_kind], np.random.default_rng(seed), resamples)
    tail = (1 - confidence) / 2
    ends = np.quantile(scores, [tail, 1 - tail])
    return BiasCorrected(
        error=float(scores.mean()),
        best=float(w.mean(axis=0).min()),
        interval=Interval(float(ends[0]), float(ends[1])),
    )


def _out_of_bag(
    w: NDArray[np.bool_], rng: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """The out-of-bag error of the configurations chosen in each bag (R resamples)."""
    n = len(w)
    w = w.astype(float)
    bags = rng.multinomial(n, np.full(n, 1 / n), size=resamples)  # (R, n) times drawn
    bags = bags[(bags == 0).any(axis=1)]  # a bag of all the images leaves none to score on
    left = (bags == 0).astype(float)
    in_bag = bags @ w  # (R, C) errors, whole numbers, so that ties are exact
    out_of_bag = left @ w / left.sum(axis=1, keepdims=True)
    chosen = in_bag == in_bag.min(axis=1, keepdims=True)
    return np.asarray(np.average(out_of_bag, axis=1, weights=chosen))
