"""Two models on the same images: what one gets wrong and the other gets right."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from study.stats.intervals import Interval, wilson


@dataclass(frozen=True)
class PairedCounts:
    """How many images both models, one of them, or neither got wrong."""

    both: int
    only_a: int  # McNemar's b
    only_b: int  # McNemar's c
    neither: int

    @property
    def n(self) -> int:
        """All images."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def difference(self) -> float:
        """A's error rate minus B's, a fraction."""
        return (self.only_a - self.only_b) / self.n


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of equal error rates on the same images; both p two-sided."""

    b: int  # images that only A got wrong
    c: int  # images that only B got wrong
    exact_p: float
    mid_p: float

    @property
    def favours(self) -> Literal["A", "B"] | None:
        """The model with fewer errors."""
        return None if self.b == self.c else "A" if self.b < self.c else "B"


def paired_counts(wrong_a: ArrayLike, wrong_b: ArrayLike) -> PairedCounts:
    """Cross-tabulate two models' mistakes.

    Args:
        wrong_a: (n,) booleans, ``predictions_a != labels``.
        wrong_b: (n,) booleans, of the same images in the same order.

    Raises:
        ValueError: the two differ in shape, are empty, or hold anything but 0 and 1.
    """
    a, b = np.asarray(wrong_a), np.asarray(wrong_b)
    if a.shape != b.shape or a.ndim != 1 or a.size == 0:
        raise ValueError(f"paired errors: shapes {a.shape} and {b.shape}: (n,) both, n >= 1")
    if not all(np.isin(x, (0, 1)).all() for x in (a, b)):
        raise ValueError("paired errors: hold more than 0 and 1: predictions != labels")
    a, b = a.astype(bool), b.astype(bool)
    return PairedCounts(*(int(x.sum()) for x in (a & b, a & ~b, ~a & b, ~a & ~b)))


def mcnemar(b: int, c: int) -> McNemar:
    """McNemar's exact and mid-p test from the two discordant counts.

    Under equal error rates b ~ Bin(b + c, ½). The exact p is
    min(1, 2·P(Bin ≤ min(b, c))). The mid-p counts by half the outcomes that are just as
    extreme as the one seen: exact − P(Bin = b) where b ≠ c, and 1 − ½·P(Bin = b) where
    b = c. So it averages ½ under the null hypothesis, and is ½ where nothing differs.

    Source: McNemar (1947), Psychometrika 12:153–157; Fagerland, Lydersen and Laake
    (2013), BMC Medical Research Methodology 13:91, who recommend the mid-p.

    Raises:
        ValueError: a negative count.
    """
    if b < 0 or c < 0:
        raise ValueError(f"McNemar's test: counts {b} and {c}: 0 or more")
    fewer = int(min(b, c))
    exact = float(stats.binomtest(fewer, int(b + c)).pvalue) if b + c else 1.0
    as_extreme = float(stats.binom.pmf(fewer, b + c, 0.5))
    return McNemar(int(b), int(c), exact, exact - as_extreme * (0.5 if b == c else 1.0))


def newcombe(counts: PairedCounts, *, confidence: float = 0.95) -> Interval:
    """Newcombe's paired score interval of A's error rate minus B's, as fractions.

    With the Wilson intervals (l, u) of the two error rates p, D = p_a − p_b and the
    correlation φ of the two models' mistakes, the ends are

        D − √((p_a − l_a)² − 2φ(p_a − l_a)(u_b − p_b) + (u_b − p_b)²)
        D + √((u_a − p_a)² − 2φ(u_a − p_a)(p_b − l_b) + (p_b − l_b)²)

    which never leave −1 to 1. φ is 0 where a model gets all images right, or all wrong.

    Source: Newcombe (1998), Statistics in Medicine 17:2635–2650, method 10.

    Raises:
        ValueError: no images.
    """
    n, k_a, k_b = counts.n, counts.both + counts.only_a, counts.both + counts.only_b
    a, b = (wilson(k, n, confidence=confidence) for k in (k_a, k_b))
    p_a, p_b, phi = k_a / n, k_b / n, _corrected_phi(counts, k_a, k_b)
    below = _third_side(p_a - a.lower, b.upper - p_b, phi)
    above = _third_side(a.upper - p_a, p_b - b.lower, phi)
    return Interval(counts.difference - below, counts.difference + above)


def _corrected_phi(counts: PairedCounts, k_a: int, k_b: int) -> float:
    """Newcombe's φ: a positive covariance is shrunk by n/2 towards 0, as in method 10."""
    product = k_a * (counts.n - k_a) * k_b * (counts.n - k_b)
    covariance: float = counts.both * counts.neither - counts.only_a * counts.only_b
    if covariance > 0:
        covariance = max(covariance - counts.n / 2, 0.0)
    return float(covariance / product**0.5) if product else 0.0


def _third_side(x: float, y: float, phi: float) -> float:
    """Of a triangle whose sides x and y enclose an angle with cosine φ."""
    return float(max(x * x - 2 * phi * x * y + y * y, 0.0) ** 0.5)
