"""The interval of one error rate, and the targets that it is held against."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from scipy import stats

TargetRule = Literal["point", "wilson"]


@dataclass(frozen=True)
class Interval:
    """A closed interval."""

    lower: float
    upper: float

    def mirrored(self, about: float = 0.0) -> "Interval":
        """The interval reflected about a point: of B − A, when this one is of A − B."""
        return Interval(2 * about - self.upper, 2 * about - self.lower)


def wilson(errors: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of an error rate, as fractions.

    With p = errors/n and the normal quantile z, its ends are the two roots θ of
    (p − θ)² = z²·θ(1 − θ)/n. It covers the draw of the images, and nothing else: not
    seeds, not batches, not the search.

    Source: Wilson (1927), JASA 22:209–212.

    Raises:
        ValueError: ``errors`` is not between 0 and ``n``, or ``n`` is below 1.
    """
    if not 0 <= errors <= n or n < 1:
        raise ValueError(f"Wilson interval: {errors} errors of {n}: 0 to n errors of n >= 1")
    ends = stats.binomtest(int(errors), int(n)).proportion_ci(confidence, method="wilson")
    return Interval(float(ends.low), float(ends.high))


def target_met(errors: int, n: int, target: float, *, rule: TargetRule = "point") -> bool:
    """Whether ``errors`` of ``n`` images meet a target error rate (a fraction).

    ``point``: errors/n ≤ target. ``wilson``: the upper end of the 95 % Wilson interval is.

    Raises:
        ValueError: an unknown rule, or impossible counts.
    """
    interval = wilson(errors, n)
    if rule == "point":
        return errors / n <= target
    if rule == "wilson":
        return interval.upper <= target
    raise ValueError(f"target rule: {rule!r} is unknown: 'point' or 'wilson'")


def allowed_errors(target: float, n: int, *, rule: TargetRule = "point") -> int | None:
    """The most errors of ``n`` that meet a target, or None where even 0 errors do not.

    Raises:
        ValueError: an unknown rule, or ``n`` below 1.
    """
    missed = bisect_left(range(n + 1), True, key=lambda k: not target_met(k, n, target, rule=rule))
    if missed == 0:
        target_met(0, n, target, rule=rule)  # refuses n < 1, for which the range is empty
    return missed - 1 if missed else None
