"""Optuna's pruners, asked about the members of a cohort while it trains.

A rung is a validated step whose error is stored as an intermediate value. At a rung all members
in training report first; then the pruner is asked about each, the best first. It sees the earlier
generations and the cohort alone, so that no cohort depends on another or on the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from study.training.protocol import Protocol, report_steps

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

PRUNERS = ("none", "median", "halving", "hyperband")
FIRST_RUNG = 0.1  # of the steps: before it, no trial is pruned


def make_pruner(name: str, protocol: Protocol) -> optuna.pruners.BasePruner:
    """Optuna's pruner, with its settings in steps of the protocol."""
    from optuna import pruners

    first = max(1, round(FIRST_RUNG * protocol.steps))
    if name == "median":
        return pruners.MedianPruner(n_warmup_steps=first)
    if name == "halving":
        return pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=3)
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=first, max_resource=protocol.steps)
    return pruners.NopPruner()


class CohortPruner:
    """A pruner for one cohort; ``rungs`` and ``prune`` are arguments of :func:`trainer.train`.

    Args:
        name: One of ``PRUNERS``.
        protocol: Gives the rungs.
        earlier: The finished trials of all earlier generations, by number.
        places: The members' places among the study's trials, in the members' order.
    """

    def __init__(
        self, name: str, protocol: Protocol, earlier: Sequence[FrozenTrial], places: Sequence[int]
    ) -> None:
        import optuna

        pruner = make_pruner(name, protocol)
        self.study = optuna.create_study(pruner=pruner, study_name="cohort")  # hyperband hashes it
        self.study.add_trials(earlier)
        asked = [self.study.ask() for _ in range(len(earlier), max(places) + 1)]
        self.trials = [asked[place - len(earlier)] for place in places]
        self.rungs = report_steps(protocol)

    def prune(self, step: int, places: np.ndarray, errors: np.ndarray) -> list[int]:
        """Report the errors (K',) of the members at these places; the places that stop."""
        for place, error in zip(places, errors, strict=True):
            self.trials[place].report(float(error), step)
        best_first = places[np.argsort(errors, kind="stable")]
        return [int(place) for place in best_first if self.trials[place].should_prune()]

    def system_attrs(self, place: int) -> dict[str, Any]:
        """The pruner's notes on the member at this place, for the next generation's pruner."""
        trials = self.study.get_trials(deepcopy=False)
        return trials[self.trials[place].number].system_attrs
