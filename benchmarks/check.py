"""Did everyone do the same work? The errors that the peers reached, compared.

Where batches and initial weights are the same, each trial's lowest error count must be within
one image of the reference. Peers that draw their own batches are compared in the mean: within
three standard errors of what other orders of the batches give, or one image. Learning rates
above 0.1 are left out, since there the last float32 bits decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.rows import OWN_BATCHES
from benchmarks.table import Runs

CHAOTIC = 0.1  # learning rate


@dataclass(frozen=True)
class Reference:
    """What one model's trials reached in an untimed search of this package, by number."""

    rates: dict[int, float]
    val_errors: dict[int, int]
    reordered: dict[int, list[int]]  # the plain trials' under other orders of the batches


@dataclass(frozen=True)
class Verdict:
    """How far a row is from the reference."""

    compared: int  # trials
    difference: float  # images: the worst trial's, or the mean's where batches differ
    tolerance: float  # images

    @property
    def agrees(self) -> bool:
        """Whether the row did the same work; None compared says nothing against it."""
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        if not self.compared:
            return "no trial to compare"
        sign = "≤" if self.agrees else "DIFFER: >"
        return f"{self.difference:.1f} {sign} {self.tolerance:.1f} images, {self.compared} trials"


def compare(runs: Runs, reference: Reference) -> Verdict:
    """A row's errors against the reference's."""
    found = {
        number: errors
        for number, errors in zip(runs.numbers, runs.val_errors, strict=True)
        if reference.rates[number] <= CHAOTIC
    }
    if not found:
        return Verdict(0, 0.0, 1.0)
    if runs.row.peer not in OWN_BATCHES:
        worst = max(abs(errors - reference.val_errors[n]) for n, errors in found.items())
        return Verdict(len(found), worst, 1.0)
    known = {n: [reference.val_errors[n], *reference.reordered[n]] for n in found}
    difference = np.mean([errors - np.mean(known[n]) for n, errors in found.items()])
    return Verdict(len(found), abs(float(difference)), _tolerance(list(known.values())))


def _tolerance(known: list[list[int]]) -> float:
    """Three standard errors of a mean over trials; orders are shared by the known errors."""
    deviation = np.sqrt(np.mean([np.var(errors, ddof=1) for errors in known]))
    return max(1.0, 3 * float(deviation) * (1 / len(known) + 1 / len(known[0])) ** 0.5)
