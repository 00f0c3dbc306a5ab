"""Which trial to trust when many are level with the best."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def level_with_best(errors: ArrayLike, n: int) -> NDArray[np.bool_]:
    """Which trials are within one standard error of the best: (N,) booleans.

    k is level when k ≤ k* + √(k*(1 − k*/n)), the binomial standard error of the lowest
    count k* of ``n`` images. At k* = 0 that error is 0 and only ties are level.

    Source: the one-standard-error rule of Breiman, Friedman, Olshen and Stone (1984),
    Classification and Regression Trees, section 3.4.3.

    Args:
        errors: (N,) counts, one a trial.
        n: the images that they were counted on.

    Raises:
        ValueError: no trials, or counts outside 0 to ``n``.
    """
    k = np.asarray(errors, dtype=float)
    if k.ndim != 1 or k.size == 0 or not ((k >= 0) & (k <= n)).all():
        raise ValueError(f"errors of {k.size} trials: not all counts: (N,) from 0 to {n}")
    best = k.min()
    return np.asarray(k <= best + np.sqrt(best * (1 - best / n)))


def recommend(
    errors: ArrayLike,
    learning_rates: ArrayLike,
    sizes: ArrayLike | None = None,
    *,
    n: int,
) -> int:
    """The index of the simplest trial that is level with the best.

    The smallest model first; then the learning rate nearest the middle, on the log scale,
    of the lowest and highest level one of that size; then the fewer errors; then the
    earlier trial. Repeating a trial changes nothing.

    Args:
        errors: (N,) counts, one a trial.
        learning_rates: (N,) positive.
        sizes: (N,) how large each model is, or None where all are equal.
        n: the images that the errors were counted on.

    Raises:
        ValueError: see :func:`level_with_best`; or shapes differ, or a rate is not positive.
    """
    is_level = level_with_best(errors, n)
    rates = np.asarray(learning_rates, dtype=float)
    if rates.shape != is_level.shape or not (rates > 0).all():
        raise ValueError(f"learning rates: shape {rates.shape}: {is_level.shape}, all positive")
    level, logs = np.flatnonzero(is_level), np.log(rates)
    if sizes is not None:
        size = np.asarray(sizes)
        if size.shape != logs.shape:
            raise ValueError(f"sizes: shape {size.shape}: {logs.shape}, one a trial")
        level = level[size[level] == size[level].min()]
    middle = (logs[level].min() + logs[level].max()) / 2
    off = np.round(np.abs(logs[level] - middle), 12)  # two ends are equally far from the middle
    return int(level[np.lexsort((np.asarray(errors)[level], off))[0]])
