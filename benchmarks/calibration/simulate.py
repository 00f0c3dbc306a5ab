"""Simulated comparisons, judged by the real rule of the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from benchmarks.calibration.designs import DESIGNS, Design, Division, N
from benchmarks.calibration.population import Judged, Population
from benchmarks.calibration.subsets import N_FIT
from study.margin import DEFAULT_MARGIN
from study.stats import decide

CHUNK = 250  # comparisons of one random stream
FOUND = ("b_better", "a_better", "equivalent", "covered", "half_width")


@dataclass(frozen=True, eq=False)
class Case:
    """A population, and the true differences to look at."""

    name: str
    population: Population
    differences: tuple[float, ...]  # fractions; the margin is added where models may differ

    @property
    def margin(self) -> float:
        """The true margin: of the true errors, whose mean does not depend on their difference."""
        return DEFAULT_MARGIN.of(self.population.error, self.population.error)

    @property
    def every(self) -> tuple[float, ...]:
        """All true differences."""
        return (*self.differences, *([self.margin] if any(self.differences) else []))


def simulate(
    cases: Sequence[Case], *, comparisons: int, seed: int, processes: int
) -> pd.DataFrame:
    """A row a design, case and true difference: how often what was decided.

    Args:
        cases: What is compared.
        comparisons: Of each row.
        seed: Of all random draws.
        processes: That share the work.
    """
    from joblib import Parallel, delayed

    divided = [list(same) for _, same in groupby(_by_division(), lambda d: d.division)]
    chunks = [min(CHUNK, comparisons - done) for done in range(0, comparisons, CHUNK)]
    todo = [(k, c) for k in range(len(divided)) for c in range(len(chunks))]
    results = Parallel(n_jobs=processes)(
        delayed(_chunk)(divided[k], cases, chunks[c], [seed, k, c]) for k, c in todo
    )
    rows = []
    for k, designs in enumerate(divided):
        found = [result for (own, _), result in zip(todo, results, strict=True) if own == k]
        rows += _rows(designs, cases, np.concatenate(found), comparisons)
    order = {(d.division.title, d.interval): place for place, d in enumerate(DESIGNS)}
    frame = pd.DataFrame(rows)
    places = [order[key] for key in zip(frame["division"], frame["interval"], strict=True)]
    return frame.iloc[np.argsort(places, kind="stable")]


def _by_division() -> list[Design]:
    """The designs, those that share a division beside each other."""
    divisions = list(dict.fromkeys(design.division for design in DESIGNS))
    return sorted(DESIGNS, key=lambda design: divisions.index(design.division))


def _chunk(
    designs: Sequence[Design], cases: Sequence[Case], count: int, seed: list[int]
) -> np.ndarray:
    """(comparisons, designs, rows of all cases, FOUND)."""
    random = np.random.default_rng(seed)
    return np.array([_compared(designs, cases, random) for _ in range(count)])


def _compared(
    designs: Sequence[Design], cases: Sequence[Case], random: np.random.Generator
) -> list[list[tuple[float, ...]]]:
    """One comparison of each case, on data divided in one way, by each of its designs."""
    division = designs[0].division
    splits = division.draw(random)
    shifts = luck(division, splits, random)
    found: list[list[tuple[float, ...]]] = [[] for _ in designs]
    for case in cases:
        images = case.population.images(N, random)
        judged = [images.judged(holdout, random) for _, holdout in splits]
        effects, share = case.population.effects, case.population.share**0.5
        moved = share * (effects.tau * shifts[0] + effects.sigma * shifts[1])
        for difference in case.every:
            values = [j.values(difference + m) for j, m in zip(judged, moved, strict=True)]
            margin = _margin(judged, values)
            for design, own in zip(designs, found, strict=True):
                own.append(_decided(design, values, difference, margin))
    return found


def luck(
    division: Division,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    random: np.random.Generator,
) -> np.ndarray:
    """Standard normal effects of each split's training images, and of its seed, (2, splits).

    Each image of the data set has an influence, and a training set the mean of its images'. So two
    splits are as much alike as their training sets overlap; sets of N_FIT images have SD 1.
    """
    influence = random.standard_normal(N) * N_FIT**0.5
    sets = [influence[training].mean() for training, _ in splits]
    return np.array([sets, random.standard_normal(division.splits)])


def _margin(judged: Sequence[Judged], values: Sequence[np.ndarray]) -> float:
    """The margin, as the errors that were found have it."""
    n, both = sum(j.n for j in judged), sum(j.both for j in judged)
    only_a, only_b = (sum(int((v == sign).sum()) for v in values) for sign in (1, -1))
    return DEFAULT_MARGIN.of((both + only_a) / n, (both + only_b) / n)


def _decided(
    design: Design, values: Sequence[np.ndarray], difference: float, margin: float
) -> tuple[float, ...]:
    found = design.rule(values, design.division)
    outcome, ends = decide(found, margin).outcome, found.interval
    return (
        outcome == "B better",
        outcome == "A better",
        outcome == "equivalent",
        ends.lower <= difference <= ends.upper,
        (ends.upper - ends.lower) / 2,
    )


def _rows(
    designs: Sequence[Design], cases: Sequence[Case], found: np.ndarray, comparisons: int
) -> list[dict[str, object]]:
    rows = [(case, difference) for case in cases for difference in case.every]
    means = found.mean(0)  # (designs, rows, FOUND)
    return [
        {
            "division": design.division.title,
            "interval": design.interval,
            "in_use": design.is_in_use,
            "searches": design.division.splits,
            "case": case.name,
            "error": case.population.error,
            "tau": case.population.effects.tau,
            "sigma": case.population.effects.sigma,
            "difference": difference,
            "is_margin": difference == case.margin,
            "comparisons": comparisons,
            **dict(zip(FOUND, means[d, row], strict=True)),
        }
        for d, design in enumerate(designs)
        for row, (case, difference) in enumerate(rows)
    ]
