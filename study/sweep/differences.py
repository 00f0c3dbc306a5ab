"""How much two models of a data set differ, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from study.stats import Interval, PairedCounts, mcnemar, newcombe
from study.stats.decision import ALPHA
from study.trials import StoredTrial

if TYPE_CHECKING:
    from study.confirm.comparison import Comparisons


@dataclass(frozen=True)
class Difference:
    """Two models of a data set: the error of one less that of the other."""

    more: str  # the model whose error it is
    less: str  # the model whose error is subtracted
    mean: float  # a fraction
    interval: Interval  # 95 %, fractions, of these two models alone
    p: float  # two-sided, of these two models alone
    p_adjusted: float | None = None  # Holm's, over all rows that are counted; None: not counted

    @property
    def is_clear(self) -> bool:
        """Whether Holm's p is below 0.05."""
        return self.p_adjusted is not None and self.p_adjusted < ALPHA

    def over(self, model: str) -> Difference:
        """The same as the other model's error less this model's."""
        if model == self.less:
            return self
        ends = self.interval.mirrored()
        return replace(self, more=self.less, less=self.more, mean=-self.mean, interval=ends)


def of_trials(best: Mapping[str, StoredTrial]) -> tuple[Difference, ...]:
    """Each model's best trial with each later one's, on the same validation images.

    McNemar's mid-p and Newcombe's paired interval. They describe these trials, which were chosen
    on the images that test them.
    """
    return tuple(
        _of_counts(a, b, paired_counts(best[a], best[b])) for a, b in combinations(best, 2)
    )


def paired_counts(a: StoredTrial, b: StoredTrial) -> PairedCounts:
    """How many images both, one or neither got wrong, from the predictions without the labels.

    Of two classes, exactly one model is wrong where the predictions differ. So only_a + only_b is
    the number of predictions that differ, and only_a − only_b = errors of a − errors of b.
    """
    differing = int(np.count_nonzero(a.predictions != b.predictions))
    only_a = (differing + a.val_errors - b.val_errors) // 2
    both = a.val_errors - only_a
    return PairedCounts(both, only_a, differing - only_a, a.n_val - differing - both)


def _of_counts(a: str, b: str, counts: PairedCounts) -> Difference:
    test = mcnemar(counts.only_a, counts.only_b)
    return Difference(a, b, counts.difference, newcombe(counts), test.mid_p)


def of_confirmation(models: Sequence[str], found: Comparisons) -> tuple[Difference, ...]:
    """Each model with each later one, on images that played no part in tuning.

    Args:
        models: In the order of the comparison's studies.
        found: The comparison.
    """
    held_out = [pair.difference for pair in found.pairs]
    return tuple(
        Difference(a, b, difference.mean, difference.at(1 - ALPHA), difference.p)
        for (a, b), difference in zip(combinations(models, 2), held_out, strict=True)
    )
