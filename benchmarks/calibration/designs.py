"""How data are divided, and which interval a difference gets: in use, and what might be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from study.confirm.division import FOLDS, sizes
from study.stats import CorrectedMean, Interval, held_out_mean, nadeau_bengio

N, N_TRAIN = 11_791, 10_000  # images of the reference study, and how many train in its searches


@dataclass(frozen=True)
class Division:
    """How often a search is repeated, and on which images."""

    folds: int  # disjoint parts that are held out in turn; 0: each split is drawn at random
    splits: int  # searches

    @property
    def n_train(self) -> int:
        """Images that a search's models train on."""
        return sizes(N, N_TRAIN, number=0, folds=self.folds)[0]

    @property
    def n_test(self) -> int:
        """Images of the first split's holdout."""
        return sizes(N, N_TRAIN, number=0, folds=self.folds)[2]

    @property
    def title(self) -> str:
        """``7 folds``, ``7 folds, 2 times`` or ``8 random splits``."""
        if not self.folds:
            return f"{self.splits} random splits"
        again = self.splits // self.folds
        return f"{self.folds} folds" + (f", {again} times" if again > 1 else "")

    def draw(self, random: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        """The places of each split's training images and of its holdout."""
        found = []
        for k in range(self.splits):
            if not self.folds or k % self.folds == 0:
                order = random.permutation(N)
            n_fit, _, n_holdout = sizes(N, N_TRAIN, number=k, folds=self.folds)
            if not self.folds:
                found.append((order[:n_fit], order[-n_holdout:]))
                continue
            begin = sum(
                sizes(N, N_TRAIN, number=j, folds=self.folds)[2] for j in range(k % self.folds)
            )
            holdout = order[begin : begin + n_holdout]
            rest = random.permutation(np.delete(order, np.s_[begin : begin + n_holdout]))
            found.append((rest[:n_fit], holdout))
        return found


Values = Sequence[np.ndarray]
Rule = Callable[[Values, Division], CorrectedMean]


def in_use(values: Values, division: Division) -> CorrectedMean:
    """What a confirmation does now."""
    return held_out_mean(values, n_train=division.n_train, n_total=N)


def corrected(values: Values, division: Division) -> CorrectedMean:
    """Nadeau and Bengio's; for folds as baycomp has it, with n_test/n_train = 1/(K − 1)."""
    means = [part.mean() for part in values]
    if division.folds:
        return nadeau_bengio(means, n_train=division.folds - 1, n_test=1)
    return nadeau_bengio(means, n_train=division.n_train, n_test=division.n_test)


def plain_t(values: Values, division: Division) -> CorrectedMean:
    """Student's t of the parts' means, as if the parts shared no training images."""
    means = np.array([part.mean() for part in values])
    return _student(float(means.mean()), float(stats.sem(means)), len(means) - 1)


def image_limit(values: Values, division: Division) -> CorrectedMean:
    """The central limit theorem over images, as if one model had judged all of them."""
    every = np.concatenate(values)
    return _student(float(every.mean()), float(every.std(ddof=1)) / N**0.5, len(every) - 1)


def _student(mean: float, se: float, df: float) -> CorrectedMean:
    t = mean / se if se else float(np.copysign(np.inf, mean)) if mean else 0.0
    half = float(stats.t.ppf(0.975, df)) * se
    p = 2 * float(stats.t.sf(abs(t), df))
    return CorrectedMean(mean, Interval(mean - half, mean + half), t, p, df, se)


@dataclass(frozen=True)
class Design:
    """A division with an interval."""

    division: Division
    interval: str
    rule: Rule

    @property
    def is_in_use(self) -> bool:
        """What ``study.confirm`` does by default."""
        return self.division == Division(FOLDS, FOLDS) and self.rule is in_use


def _designs(divisions: Sequence[Division], interval: str, rule: Rule) -> list[Design]:
    return [Design(division, interval, rule) for division in divisions]


_ONCE = Division(FOLDS, FOLDS)
_RANDOM = [Division(0, 8), Division(0, 16)]
_FOLDS = [Division(k, k) for k in (5, 7, 10)] + [Division(7, 14)]
DESIGNS = [
    *_designs(_FOLDS, "images and searches", in_use),
    *_designs([*_RANDOM, *_FOLDS], "Nadeau–Bengio", corrected),
    *_designs([_ONCE], "t over the folds", plain_t),
    *_designs([_ONCE], "images alone", image_limit),
]
