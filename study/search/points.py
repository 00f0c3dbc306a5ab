"""Where a quasi-random sequence or a grid puts its trials: points of the unit cube, an axis each.

The first axis is the learning rate's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from study.seeds import derive
from study.training.plan import Plan
from study.training.space import Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEVELS = 4  # of a number in a grid; learning rates fill the rest

Axes = Mapping[str, "BaseDistribution"]


def points(plan: Plan, axes: Axes, first: int, count: int) -> np.ndarray:
    """Points ``first`` … of the sequence that the seed fixes, (count, axes), each from 0 to 1.

    A scrambled Sobol’ sequence, or a full grid in which the learning rate changes fastest.
    """
    if plan.sampler == "qmc":
        from scipy.stats import qmc

        engine = qmc.Sobol(len(axes), rng=derive(plan.seed, "sampler"))
        upto = (first + count - 1).bit_length()
        return np.asarray(engine.random_base2(upto)[first : first + count])
    place, found = np.arange(first, first + count), []
    middle = 0.5 if len(axes) > 2 else 0.0  # of an axis with one value
    for each in grid_levels(axes, plan.grid or 1):
        place, row = np.divmod(place, each)
        found.append(row / (each - 1) if each > 1 else row + middle)
    return np.stack(found, 1)


def grid_levels(axes: Axes, size: int) -> list[int]:
    """How many values of each axis a grid of this many points has, the learning rate's first.

    A choice has all its values and a number ``LEVELS``, and the learning rate as many as are
    left. Where those would be fewer than ``LEVELS`` of three axes or more, the axes with the most
    values give up some, numbers before choices.
    """
    _, *others = axes.values()
    levels = [_values(found) for found in others]
    if len(levels) == 1:
        levels = [min(levels[0], size)]
    is_number = [not hasattr(found, "choices") for found in others]
    while len(levels) > 1 and max(levels) > 1 and math.prod(levels) * LEVELS > size:
        places = [k for k, each in enumerate(levels) if each > 1]
        levels[max(places, key=lambda k: (is_number[k], levels[k], k))] -= 1
    return [math.ceil(size / math.prod(levels)), *levels]


def _values(found: BaseDistribution) -> int:
    if choices := getattr(found, "choices", ()):
        return len(choices)
    return min(LEVELS, _steps(found) or LEVELS)


def _steps(found: Any) -> int | None:  # noqa: ANN401 (a number's distribution)
    """How many values a stepped number has; None where it is continuous."""
    return None if found.step is None else round((found.high - found.low) / found.step) + 1


def in_ranges(point: np.ndarray, axes: Axes) -> dict[str, Value]:
    """A point of the unit cube as one value of each axis."""
    return {
        name: _value(float(at), found)
        for at, (name, found) in zip(point, axes.items(), strict=True)
    }


def _value(at: float, found: Any) -> Value:  # noqa: ANN401 (any distribution)
    """The value at a share of the way through a range, or through a list of choices."""
    if choices := getattr(found, "choices", ()):
        choice: Value = choices[min(int(at * len(choices)), len(choices) - 1)]
        return choice
    whole = isinstance(found.low, int)
    if found.log:
        value = math.exp(math.log(found.low) + at * math.log(found.high / found.low))
    elif steps := _steps(found):
        value = found.low + found.step * min(int(at * steps), steps - 1)
    else:
        value = found.low + at * (found.high - found.low)
    return round(value) if whole else min(max(value, found.low), found.high)
