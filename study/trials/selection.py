"""What a study's trials show: was the target met, which to trust, was the range wide enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from study.training.plan import Plan
from study.training.space import OPTIMISER, Value, sampled
from study.trials import StoredTrial, rank

if TYPE_CHECKING:
    from study.stats import Diagnosis


def meets_target(plan: Plan, trial: StoredTrial) -> bool:
    """Whether a trial's validation error meets the plan's target, if it has one, by its rule."""
    if plan.target is None:
        return False
    if plan.target_rule == "point":
        return trial.val_error <= plan.target
    from study.stats import target_met

    return target_met(trial.val_errors, trial.n_val, plan.target, rule="wilson")


def recommended(plan: Plan, trials: Sequence[StoredTrial]) -> StoredTrial:
    """Among the trials level with the best, the simplest: see :func:`study.stats.recommend`.

    A trial that diverged after its best step is not recommended where another one can be.

    Args:
        plan: The study's; its model says what makes a trial's model larger.
        trials: Of the study, at least one of them trained to the end.
    """
    from study.stats import recommend

    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    complete = [trial for trial in complete if trial.outcome == "finished"] or complete
    size = plan.model_definition.size
    place = recommend(
        [trial.val_errors for trial in complete],
        [trial.learning_rate for trial in complete],
        [size(trial.parameters) for trial in complete],
        n=complete[0].n_val,
    )
    return complete[place]


def optuna_best(trials: Sequence[StoredTrial]) -> StoredTrial:
    """What Optuna calls ``best_trial``: of those with the lowest error, the first.

    Args:
        trials: Of a study, by number, at least one of them trained to the end.
    """
    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    return min(complete, key=lambda trial: trial.val_error)


def level_choices(plan: Plan, trials: Sequence[StoredTrial]) -> dict[str, tuple[Value, ...]]:
    """For each hyperparameter that was searched as a choice: what is level with the best.

    Args:
        plan: The study's.
        trials: Of the study, at least one of them trained to the end.
    """
    from study.stats import level_with_best

    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    is_level = level_with_best([trial.val_errors for trial in complete], complete[0].n_val)
    level = [trial for trial, fits in zip(complete, is_level, strict=True) if fits]
    choices = {n: d.choices for n, d in sampled(plan.space).items() if hasattr(d, "choices")}
    return {
        name: tuple(c for c in all_ if any(trial.parameters[name] == c for trial in level))
        for name, all_ in choices.items()
    }


def diagnosed(plan: Plan, trials: Sequence[StoredTrial]) -> dict[str, Diagnosis]:
    """For each hyperparameter that was searched as a number: was its range wide enough?

    See :func:`study.stats.diagnose`. A trial that learned nothing at a learning rate below the
    best one's was too slow; only those above it fell apart, and only for the learning rate.
    A range that begins at 0 has no lower edge where a number can't be negative.

    Args:
        plan: The study's.
        trials: Of the study, at least one of them trained to the end.
    """
    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    numbers = {n: d for n, d in sampled(plan.space).items() if not hasattr(d, "choices")}
    return {name: _diagnosed(name, found, complete) for name, found in numbers.items()}


def _diagnosed(name: str, found: Any, complete: Sequence[StoredTrial]) -> Diagnosis:  # noqa: ANN401
    from study.stats import diagnose

    best_rate = min(complete, key=rank).learning_rate
    is_rate = name == "learning_rate"
    return diagnose(
        [trial.val_errors for trial in complete],
        np.array([trial.parameters[name] for trial in complete], float),
        [is_rate and t.outcome == "diverged" and t.learning_rate > best_rate for t in complete],
        n=complete[0].n_val,
        low=found.low,
        high=found.high,
        log=found.log,
        closed=name in OPTIMISER and found.low == 0,
    )
