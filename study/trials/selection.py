"""What a study's trials show: was the target met, which to trust, was the range wide enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from study.training.plan import Plan
from study.trials import StoredTrial, rank

if TYPE_CHECKING:
    from study.stats import Diagnosis


def meets_target(plan: Plan, trial: StoredTrial) -> bool:
    """Whether a trial's validation error meets the plan's target, by the plan's rule."""
    if plan.target_rule == "point":
        return trial.val_error <= plan.target
    from study.stats import target_met

    return target_met(trial.val_errors, trial.n_val, plan.target, rule="wilson")


def recommended(trials: Sequence[StoredTrial]) -> StoredTrial:
    """Among the trials level with the best, the simplest: see :func:`study.stats.recommend`.

    A trial that diverged after its best step is not recommended where another one can be.

    Args:
        trials: Of one study, at least one of them trained to the end.
    """
    from study.stats import recommend

    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    complete = [trial for trial in complete if trial.outcome == "finished"] or complete
    units = [trial.hidden_units for trial in complete if trial.hidden_units is not None]
    place = recommend(
        [trial.val_errors for trial in complete],
        [trial.learning_rate for trial in complete],
        units or None,
        n=complete[0].n_val,
    )
    return complete[place]


def diagnosed(trials: Sequence[StoredTrial], learning_rate: tuple[float, float]) -> Diagnosis:
    """Whether the learning rate's range is wide enough: see :func:`study.stats.diagnose`.

    A trial that learned nothing at a rate below the best one's was too slow; only those
    above it fell apart.

    Args:
        trials: Of one study, at least one of them trained to the end.
        learning_rate: The range that was searched.
    """
    from study.stats import diagnose

    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    best_rate = min(complete, key=rank).learning_rate
    low, high = learning_rate
    return diagnose(
        [trial.val_errors for trial in complete],
        [trial.learning_rate for trial in complete],
        [t.outcome == "diverged" and t.learning_rate > best_rate for t in complete],
        n=complete[0].n_val,
        low=low,
        high=high,
    )
