"""Several comparisons at once: p values and a level of confidence that hold for all of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p values: compare each with α, and α bounds the chance of any false claim.

    With the p values in ascending order p₍₁₎ ≤ … ≤ p₍ₘ₎, the adjusted one of p₍ₖ₎ is

        max over j ≤ k of min(1, (m − j + 1)·p₍ⱼ₎)

    so the smallest counts m times and the largest once. Their order is that of the p values,
    none is below its own p value or above 1, and a single p value stays as it is. The tests may
    depend on each other in any way.

    Source: Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian
    Journal of Statistics 6:65–70.

    Args:
        p: (m,) p values, m ≥ 1.

    Returns:
        (m,) adjusted p values, in the order of ``p``.

    Raises:
        ValueError: no p value, or one that is not between 0 and 1.
    """
    x = np.asarray(p, dtype=float)
    if x.ndim != 1 or x.size == 0 or not ((x >= 0) & (x <= 1)).all():
        raise ValueError(f"p values: {x.size} in shape {x.shape}: one or more, each from 0 to 1")
    order = np.argsort(x)
    stepped = np.maximum.accumulate(np.arange(x.size, 0, -1) * x[order])
    adjusted = np.empty_like(x)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def bonferroni_confidence(m: int, *, confidence: float = 0.95) -> float:
    """The level of each of ``m`` intervals that all hold at once with ``confidence``.

    1 − (1 − confidence)/m: by Bonferroni's inequality the chances that one of them misses add
    up to 1 − ``confidence`` at most, however they depend on each other.

    Source: Dunn (1961), Multiple Comparisons Among Means, JASA 56:52–64.

    Raises:
        ValueError: ``m`` below 1, or a confidence that is not between 0 and 1.
    """
    if m < 1 or not 0 < confidence < 1:
        raise ValueError(f"simultaneous intervals: {m} at {confidence}: 1 or more, in (0, 1)")
    return confidence if m == 1 else 1 - (1 - confidence) / m
