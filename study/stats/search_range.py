"""Whether a search's range of a hyperparameter was wide enough."""

from dataclasses import dataclass
from math import ceil
from math import log as ln
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from study.stats.selection import level_with_best

EDGE = 0.1  # of the range, on its scale


@dataclass(frozen=True)
class Diagnosis:
    """Where a search's good and bad values of a hyperparameter lie in its range."""

    best_edge: Literal["low", "high"] | None  # the best trial's value is near this edge
    best_tenth_edge: Literal["low", "high"] | None  # and so is the middle one of the best tenth
    level: tuple[float, float]  # lowest and highest value level with the best
    falls_apart_from: float | None  # the lowest value of a failed trial
    at_limit: bool = False  # the best lie near the lower edge, and no lower value is possible

    @property
    def edge(self) -> Literal["low", "high"] | None:
        """The edge that the best lie near: the best trial, or else the best tenth."""
        return self.best_edge or self.best_tenth_edge


def edge(
    values: ArrayLike, low: float, high: float, *, log: bool = True
) -> Literal["low", "high"] | None:
    """The edge that the middle of these values is near, within a tenth of the range.

    With the median of log v scaled to 0 at ``low`` and 1 at ``high``: ``low`` up to 0.1,
    ``high`` from 0.9, otherwise None; a range of one value has no edge.

    Args:
        values: (N,) positive on a log scale, N ≥ 1.
        low: the lower end.
        high: the upper end.
        log: whether the range was searched on a log scale, or else v itself is scaled.

    Raises:
        ValueError: a value or bound is not positive, no values, or ``low`` above ``high``.
    """
    v = np.atleast_1d(np.asarray(values, dtype=float))
    if v.size == 0 or not low <= high or (log and (low <= 0 or not (v > 0).all())):
        raise ValueError(f"search range {low} to {high}: values or bounds: positive, in order")
    if low == high:
        return None
    middle, span = float(np.median(v)) - low, high - low
    if log:
        middle, span = float(np.median(np.log(v))) - ln(low), ln(high / low)
    place = round(middle / span, 12)
    return "low" if place <= EDGE else "high" if place >= 1 - EDGE else None


def diagnose(
    errors: ArrayLike,
    values: ArrayLike,
    failed: ArrayLike,
    *,
    n: int,
    low: float,
    high: float,
    log: bool = True,
    closed: bool = False,
) -> Diagnosis:
    """Say whether a hyperparameter's range is wide enough, and where training falls apart.

    The best tenth are the ⌈N/10⌉ trials with the fewest errors, and those that tie with
    the last of them; among several best, the middle one counts.

    Args:
        errors: (N,) counts, one a trial.
        values: (N,) of the hyperparameter, one a trial; positive on a log scale.
        failed: (N,) booleans: the trial diverged, or its network is dead.
        n: the images that the errors were counted on.
        low: the lowest value that could be drawn.
        high: the highest.
        log: whether the range was searched on a log scale.
        closed: whether no lower value is possible: then ``low`` is no edge.

    Raises:
        ValueError: see :func:`level_with_best` and :func:`edge`; or shapes differ.
    """
    k, v, bad = np.asarray(errors), np.asarray(values, float), np.asarray(failed, dtype=bool)
    if not k.shape == v.shape == bad.shape:
        raise ValueError(f"trials: shapes {k.shape}, {v.shape}, {bad.shape}: one each a trial")

    level = v[level_with_best(k, n)]
    last_of_tenth = np.sort(k)[ceil(k.size / 10) - 1]
    found = [edge(v[those], low, high, log=log) for those in (k == k.min(), k <= last_of_tenth)]
    best, best_tenth = (None if closed and each == "low" else each for each in found)
    return Diagnosis(
        best_edge=best,
        best_tenth_edge=best_tenth,
        level=(float(level.min()), float(level.max())),
        falls_apart_from=float(v[bad].min()) if bad.any() else None,
        at_limit=closed and "low" in found and not (best or best_tenth),
    )
