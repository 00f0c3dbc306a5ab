"""What a study's sampler did: how many of its trials had earlier ones to learn from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from study import formats
from study.training.plan import LEARNING
from study.trials.stored import StoredTrial

STARTUP = 10  # earlier trials; with fewer, Optuna's samplers that learn draw at random
_OTHERS = {
    "random": "the trials are independent draws",
    "qmc": "the trials are points of a Sobol’ sequence, which covers the ranges evenly and does "
    "not learn",
    "grid": "the trials are points of a grid, which does not learn",
}


@dataclass(frozen=True)
class Sampling:
    """How a study's trials were chosen."""

    sampler: str
    chosen: int  # trials that the sampler chose
    learnt: int  # of these: with ``STARTUP`` or more earlier trials to learn from
    outside: int  # trials of an objective, which a sampler of the person's own chose

    @classmethod
    def of(cls, sampler: str, trials: Sequence[StoredTrial]) -> Sampling:
        """Of a study's finished trials, by number."""
        # a Gaussian process is fitted to no pruned trial
        known = [t.number for t in trials if t.state == "COMPLETE" or sampler != "gp"]
        firsts = [trial.generation for trial in trials if trial.generation is not None]
        return cls(
            sampler, len(firsts), _learnt(sampler, known, firsts), len(trials) - len(firsts)
        )

    @classmethod
    def of_splits(cls, sampler: str, size: int, splits: Sequence[Sequence[str]]) -> Sampling:
        """Of the searches inside a confirmation's splits, none of which knows another's trials.

        Args:
            sampler: Of the study that is confirmed.
            size: How many trials are planned at a time.
            splits: The states of each search's trials, by number.
        """
        learnt = 0
        for states in splits:
            known = [k for k, state in enumerate(states) if state == "COMPLETE" or sampler != "gp"]
            learnt += _learnt(sampler, known, [k - k % size for k in range(len(states))])
        return cls(sampler, sum(map(len, splits)), learnt, 0)

    @property
    def is_random(self) -> bool:
        """Whether all trials are independent random draws."""
        learns = self.sampler in LEARNING
        return not (self.outside or self.learnt) and (learns or self.sampler == "random")

    @property
    def sentence(self) -> str:
        """``tpe: in 48 of 64 trials it had 10 or more earlier ones to learn from; …``."""
        outside = ""
        if self.outside:
            outside = f"; {formats.plural(self.outside, 'trial')} chosen outside of this search"
        return f"{self.sampler}: {self._did()}{outside}"

    def _did(self) -> str:
        if not self.chosen:
            return "it chose no trial"
        if self.sampler in _OTHERS:
            return _OTHERS[self.sampler]
        earlier = f"{STARTUP} or more earlier ones to learn from"
        if not self.learnt:
            return f"it learnt nothing, since no trial had {earlier}: all are random draws"
        rest = "" if self.learnt == self.chosen else "; the others are random draws"
        return (
            f"in {self.learnt:,} of {formats.plural(self.chosen, 'trial')} it had {earlier}{rest}"
        )


def _learnt(sampler: str, known: Sequence[int], firsts: Sequence[int]) -> int:
    """How many trials had ``STARTUP`` earlier ones to learn from.

    Args:
        sampler: Its name.
        known: The numbers of the trials that it can learn from, in order.
        firsts: For each trial, the first number that was planned together with it.
    """
    if sampler not in LEARNING:
        return 0
    return sum(bisect_left(known, first) >= STARTUP for first in firsts)
