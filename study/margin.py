"""The largest difference in error that does not matter in practice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Margin:
    """A margin of equivalence, as a person states it."""

    size: float  # a fraction: of the mean of two errors, or an error itself
    is_relative: bool

    def of(self, error_a: float, error_b: float) -> float:
        """The margin of two models with these errors, all fractions; the same for B and A."""
        return self.size * (error_a + error_b) / 2 if self.is_relative else self.size

    def __str__(self) -> str:
        return f"{100 * self.size:g}{'%' if self.is_relative else 'pp'}"

    @property
    def words(self) -> str:
        """``20 % of their mean error``, or ``0.25 percentage points``."""
        size = f"{100 * self.size:g}"
        return f"{size} % of their mean error" if self.is_relative else f"{size} percentage points"


DEFAULT_MARGIN = Margin(0.2, is_relative=True)
"""One error in five: whether a difference matters depends on the errors themselves.

A quarter of a percentage point is little beside an error of 3 %, and nearly all of 0.3 %. Two
models that differ by less than a fifth are hard to tell apart in use: of a hundred errors of each,
such a difference is 20, and its standard error is √200 ≈ 14."""
