"""What a search finds for its budget: the best of n trials, the steps to a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class TimeToTarget:
    """When repeated searches or replicates first met a target, and whether they held it."""

    steps: tuple[float, ...]  # the first step at or under the target; ∞ where there is none
    held: tuple[bool, ...]  # the last validation is at or under the target, too

    @property
    def median(self) -> float:
        """The median step, a miss counting as ∞."""
        return float(np.median(self.steps))


def expected_best(values: ArrayLike, n: int) -> float:
    """The expected lowest of ``n`` of these N values drawn without replacement.

    The unbiased U-statistic: with the values in ascending order,

        E[min] = Σᵢ v₍ᵢ₎ · (C(N − i + 1, n) − C(N − i, n)) / C(N, n).

    It estimates what a search of n independent random trials finds, well for n ≤ N/2 and
    ever less well up to N, where it is simply the lowest value seen. The trials of an
    adaptive sampler are not independent: of those it only describes.

    Source: Tang et al. (2020), Showing Your Work Doesn't Always Work, ACL; Dodge et al.
    (2019), Show Your Work, EMNLP, whose estimator (with replacement) is biased.

    Raises:
        ValueError: ``n`` is not between 1 and N, or a value is not finite.
    """
    v = np.sort(np.asarray(values, dtype=float))
    if v.ndim != 1 or not 1 <= n <= v.size or not np.isfinite(v).all():
        raise ValueError(f"expected best of n: n is {n} of {v.size} trials: 1 to N finite values")
    total = comb(v.size, n)
    # C(N − i + 1, n) − C(N − i, n) = C(N − i, n − 1), which is 0 for the n − 1 highest values
    weights = [comb(v.size - i, n - 1) / total for i in range(1, v.size - n + 2)]
    return float(np.dot(weights, v[: len(weights)]))


def time_to_target(curves: ArrayLike, steps: Sequence[int], target: float) -> TimeToTarget:
    """When each learning curve is first at or under a target, and whether it stays there.

    Source: Dahl et al. (2023), Benchmarking Neural Network Training Algorithms,
    arXiv:2306.07179 (AlgoPerf): a miss is ∞, the median over repetitions counts.

    Args:
        curves: (R, V) validation errors of R repetitions, fractions; a NaN meets no target.
        steps: (V,) the step of each validation.
        target: a fraction.

    Raises:
        ValueError: the shapes do not fit together.
    """
    met = np.asarray(curves, dtype=float) <= target
    if met.ndim != 2 or met.size == 0 or met.shape[1] != len(steps):
        raise ValueError(f"learning curves: shape {met.shape}, {len(steps)} steps: (R, steps)")
    first = np.where(met.any(axis=1), np.asarray(steps)[met.argmax(axis=1)], inf)
    return TimeToTarget(tuple(first.tolist()), tuple(met[:, -1].tolist()))
