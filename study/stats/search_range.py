"""Whether a search's range of learning rates was wide enough."""

from dataclasses import dataclass
from math import ceil, log
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from study.stats.selection import level_with_best

EDGE = 0.1  # of the range, on the log scale


@dataclass(frozen=True)
class Diagnosis:
    """Where a search's good and bad learning rates lie in its range."""

    best_edge: Literal["low", "high"] | None  # the best trial's learning rate is near this edge
    best_tenth_edge: Literal["low", "high"] | None  # and so is the middle one of the best tenth
    level: tuple[float, float]  # lowest and highest learning rate level with the best
    falls_apart_from: float | None  # the lowest learning rate of a failed trial


def edge(values: ArrayLike, low: float, high: float) -> Literal["low", "high"] | None:
    """The edge that the middle of these values is near, within a tenth of the log range.

    With the median of log v scaled to 0 at ``low`` and 1 at ``high``: ``low`` up to 0.1,
    ``high`` from 0.9, otherwise None; a range of one value has no edge.

    Raises:
        ValueError: a value or bound is not positive, no values, or ``low`` above ``high``.
    """
    v = np.atleast_1d(np.asarray(values, dtype=float))
    if v.size == 0 or not (v > 0).all() or not 0 < low <= high:
        raise ValueError(f"search range {low} to {high}: values or bounds: positive, in order")
    if low == high:
        return None
    place = round((float(np.median(np.log(v))) - log(low)) / log(high / low), 12)
    return "low" if place <= EDGE else "high" if place >= 1 - EDGE else None


def diagnose(
    errors: ArrayLike,
    learning_rates: ArrayLike,
    failed: ArrayLike,
    *,
    n: int,
    low: float,
    high: float,
) -> Diagnosis:
    """Say whether the learning rate's range is wide enough, and where training falls apart.

    The best tenth are the ⌈N/10⌉ trials with the fewest errors, and those that tie with
    the last of them; among several best, the middle one counts.

    Args:
        errors: (N,) counts, one a trial.
        learning_rates: (N,) positive.
        failed: (N,) booleans: the trial diverged, or its network is dead.
        n: the images that the errors were counted on.
        low: the lowest learning rate that could be drawn.
        high: the highest.

    Raises:
        ValueError: see :func:`level_with_best` and :func:`edge`; or shapes differ.
    """
    k, rates, bad = np.asarray(errors), np.asarray(learning_rates), np.asarray(failed, dtype=bool)
    if not k.shape == rates.shape == bad.shape:
        raise ValueError(f"trials: shapes {k.shape}, {rates.shape}, {bad.shape}: one each a trial")
    level = rates[level_with_best(k, n)]
    last_of_tenth = np.sort(k)[ceil(k.size / 10) - 1]
    return Diagnosis(
        best_edge=edge(rates[k == k.min()], low, high),
        best_tenth_edge=edge(rates[k <= last_of_tenth], low, high),
        level=(float(level.min()), float(level.max())),
        falls_apart_from=float(rates[bad].min()) if bad.any() else None,
    )
