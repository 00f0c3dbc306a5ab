"""Errors that allow for the search: over held-out parts of the data, and over resampled images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from study.stats.intervals import Interval, wilson


@dataclass(frozen=True)
class CorrectedMean:
    """A mean over the parts of one data set, with a standard error that knows their overlap."""

    mean: float
    interval: Interval
    t: float
    p: float  # two-sided, of a mean of 0
    df: float
    se: float  # standard error of the mean
    is_bound: bool = False  # all values were equal: the interval says only how much is possible

    def at(self, confidence: float) -> Interval:
        """The interval of another level of confidence."""
        half = float(stats.t.ppf((1 + confidence) / 2, self.df)) * self.se
        return Interval(self.mean - half, self.mean + half)


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


def held_out_mean(
    parts: Sequence[ArrayLike], *, n_train: int, n_total: int, confidence: float = 0.95
) -> CorrectedMean:
    """Mean of a value an image, with an interval, where each image is held out at most once.

    The data are divided into disjoint parts. For each part models are trained on ``n_train`` of
    the other images, and judged on the part: a value is 1 for an error and 0 for none, or −1, 0
    or 1 for the difference of two models. The variance of the mean is

        s²·(1/n + 1/n_train − 1/n_total) + max(0, s_J² − s²/n_J)/J

    with s² that of the values within the n judged images, s_J² that of the J means, and n_J the
    images of a part. The first term is the draw of the images. For n = n_total it is s²/n_train,
    which Nadeau and Bengio's variance tends to with ever more splits: what it has beyond
    s²/n_total stands for the draw of the training images, which all models share. The second
    term is what the means differ by beyond the draw of their images: seeds, and the luck of
    each search. The degrees of freedom are Welch and Satterthwaite's, of s² and of s_J²/J, also
    where the second term is 0: that it is so was uncertain. Where the parts go round more than
    once, n is ``n_total``.

    Sources: Nadeau and Bengio (2003), Inference for the Generalization Error, Machine Learning
    52:239–281; Bayle et al. (2020), Cross-validation Confidence Intervals for Test Error,
    arXiv:2007.12671; Satterthwaite (1946), Biometrics Bulletin 2:110–114. ``nox -s calibrate``
    measures how often the interval holds the truth.

    Args:
        parts: J arrays, J ≥ 2, one value an image.
        n_train: images that a model is fitted on.
        n_total: images in all.
        confidence: of the interval.

    Raises:
        ValueError: fewer than two parts, an empty one, a value that is not finite, or no images.
    """
    values = [np.asarray(part, dtype=float) for part in parts]
    if len(values) < 2 or not all(v.ndim == 1 and v.size and np.isfinite(v).all() for v in values):
        raise ValueError(f"held-out parts: {len(values)}: two or more, of finite numbers")
    _require_images(n_train, n_total)
    every = np.concatenate(values)
    means, within = np.array([v.mean() for v in values]), float(every.var(ddof=1))
    of_part = len(values) / sum(1 / v.size for v in values)  # images: the harmonic mean
    image = within * (1 / min(every.size, n_total) + 1 / n_train - 1 / n_total)
    spread = float(means.var(ddof=1)) / len(values)
    search = max(0.0, spread - within / of_part / len(values))
    variance = image + search
    uncertain = image**2 / (every.size - 1) + spread**2 / (len(values) - 1)
    df = variance**2 / uncertain if uncertain else every.size - 1.0
    return _corrected(float(every.mean()), variance**0.5, df, every.size, confidence)


def nadeau_bengio(
    values: ArrayLike, *, n_train: int, n_test: int, confidence: float = 0.95
) -> CorrectedMean:
    """Mean and corrected resampled t interval over J random splits of one data set.

    t = x̄ / √((1/J + n_test/n_train)·s²) on J − 1 degrees of freedom: test sets drawn from
    the same images make the splits dependent, and n_test/n_train makes up for it. It
    covers the draw of the split and, when each split holds a whole search, the search.

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
    _require_images(n_train, n_test)
    # equal values have s = 0 exactly; rounding would make it 1e-18 and t a huge number
    spread = 0.0 if np.ptp(x) == 0 else float(x.std(ddof=1))
    se = (1 / x.size + n_test / n_train) ** 0.5 * spread
    return _corrected(float(x.mean()), se, x.size - 1, n_test, confidence)


def _require_images(*counts: int) -> None:
    if min(counts) < 1:
        raise ValueError(f"resampled splits: {' and '.join(map(str, counts))} images: 1 or more")


def _corrected(mean: float, se: float, df: float, n: int, confidence: float) -> CorrectedMean:
    """Student's t of a mean, and its interval.

    Values that are all equal have no standard error. Then the interval reaches as far as
    Wilson's for no error in ``n`` images: a larger share would have shown in one of them.
    """
    quantile = float(stats.t.ppf((1 + confidence) / 2, df))
    bound = se == 0
    if bound:
        se = wilson(0, n, confidence=confidence).upper / quantile
    t = mean / se
    interval = Interval(mean - quantile * se, mean + quantile * se)
    return CorrectedMean(mean, interval, t, 2 * float(stats.t.sf(abs(t), df)), df, se, bound)


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
    w_unlike = w[:, first_of_its_kind]
    scores = _out_of_bag(w_unlike.tobytes(), len(w), seed, resamples)
    tail = (1 - confidence) / 2
    ends = np.quantile(scores, [tail, 1 - tail])
    return BiasCorrected(
        error=float(scores.mean()),
        best=float(w.mean(axis=0).min()),
        interval=Interval(float(ends[0]), float(ends[1])),
    )


@lru_cache(maxsize=64)  # a confirmation is read more often than it changes, and this takes longest
def _out_of_bag(wrong: bytes, n: int, seed: int, resamples: int) -> NDArray[np.float64]:
    """The out-of-bag error of the configurations chosen in each bag (R resamples).

    Args:
        wrong: (n images, C configurations) booleans, as bytes.
        n: How many images.
        seed: Of the bags.
        resamples: How many bags.
    """
    rng = np.random.default_rng(seed)
    w = np.frombuffer(wrong, dtype=bool).reshape(n, -1).astype(float)
    bags = rng.multinomial(n, np.full(n, 1 / n), size=resamples)  # (R, n) times drawn
    bags = bags[(bags == 0).any(axis=1)]  # a bag of all the images leaves none to score on
    left = (bags == 0).astype(float)
    in_bag = bags @ w  # (R, C) errors, whole numbers, so that ties are exact
    out_of_bag = left @ w / left.sum(axis=1, keepdims=True)
    chosen = in_bag == in_bag.min(axis=1, keepdims=True)
    scores = np.asarray(np.average(out_of_bag, axis=1, weights=chosen))
    scores.flags.writeable = False  # all callers share it
    return scores
