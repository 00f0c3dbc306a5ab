"""Axes of hyperparameters: logarithmic, plain, or a column a choice, as they were searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from study import formats
from study.report.figures.common import drawable, in_lines

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Which = Literal["x", "y"]
POWERS = 8  # of two that an axis names, at most
SPREAD = 0.5  # of a column, over which trials of one choice are spread


@dataclass(frozen=True)
class Axis:
    """How the values of a hyperparameter are laid out."""

    column: str  # of the frame that has them
    label: str
    log: bool = False
    whole: bool = False  # numbers without a fraction
    choices: tuple[str, ...] = ()  # in order; empty: the values are numbers

    @classmethod
    def of(
        cls, name: str, column: str, found: BaseDistribution, choices: list[str] | None
    ) -> Axis:
        """The axis of a hyperparameter that was drawn from this distribution."""
        label = drawable(formats.parameter_name(name))
        if choices is not None:
            return cls(column, label, choices=tuple(choices))
        numbers: Any = found
        return cls(column, label, log=numbers.log, whole=isinstance(numbers.low, int))

    def places(self, frame: pd.DataFrame) -> pd.Series:
        """Where each row's value lies; those of one choice beside each other."""
        if not self.choices:
            return frame[self.column].astype(float)
        middle = frame[self.column].astype(str).map(self.choices.index).astype(float)
        golden = np.arange(len(frame)) * 0.618034 % 1
        return middle + SPREAD * (golden - 0.5)

    def words(self, row: Mapping[Any, Any]) -> str:
        """``115 hidden units``: the value in a row of the frame."""
        value = row[self.column]
        return formats.parameters({self.label: int(value) if self.whole else value})

    def apply(self, ax: Axes, which: Which, places: pd.Series) -> None:
        """Name an axis, and give it its scale and its ticks."""
        getattr(ax, f"set_{which}label")(self.label)
        if self.choices:
            shown = in_lines if which == "x" else drawable
            names = [shown(choice) for choice in self.choices]
            getattr(ax, f"set_{which}ticks")(range(len(names)), names)
            getattr(ax, f"set_{which}lim")(-0.5, len(names) - 0.5)
        elif self.log and self.whole:
            getattr(ax, f"set_{which}scale")("log", base=2)
            _powers_of_two(ax, which, places.min(), places.max())
        elif self.log:
            getattr(ax, f"set_{which}scale")("log")
            rate_axis(ax, which)
        else:
            locator = MaxNLocator(6, integer=self.whole, min_n_ticks=1)
            getattr(ax, f"{which}axis").set_major_locator(locator)
            getattr(ax, f"{which}axis").set_major_formatter(lambda value, _: f"{value:g}")


LEARNING_RATE = Axis("learning_rate", "learning rate", log=True)


def _powers_of_two(ax: Axes, which: Which, low: float, high: float) -> None:
    getattr(ax, f"set_{which}lim")(low / 1.15, high * 1.15)
    found = [2**k for k in range(50) if low / 1.15 <= 2**k <= high * 1.15] or [round(low)]
    ticks = found[:: -(-len(found) // POWERS)]
    getattr(ax, f"set_{which}ticks")(ticks, [str(n) for n in ticks])
    getattr(ax, f"set_{which}ticks")([], minor=True)


def rate_axis(ax: Axes, which: Which = "x") -> None:
    """Powers of ten on a log axis; where it holds fewer than two, a few plain numbers."""
    low, high = getattr(ax, f"get_{which}lim")()
    set_ticks = getattr(ax, f"set_{which}ticks")
    exponents = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    if len(exponents) > 1:
        exponents = exponents[:: -(-len(exponents) // POWERS)]
        set_ticks([10.0**e for e in exponents], [formats.power_of_ten(e) for e in exponents])
    else:
        middle = (low * high) ** 0.5
        ticks = [float(f"{tick:.1g}") for tick in (low * 1.05, middle, high / 1.05)]
        ticks = sorted({tick for tick in ticks if low <= tick <= high})
        set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    set_ticks([], minor=True)
