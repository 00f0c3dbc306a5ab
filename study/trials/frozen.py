"""A finished trial in Optuna's own form."""

from __future__ import annotations

from datetime import datetime

from optuna.trial import FrozenTrial, TrialState, create_trial

from study.training.plan import Plan
from study.training.space import sampled
from study.training.task import Planned, Trained
from study.trials import attributes, reported


def frozen_trial(
    plan: Plan, planned: Planned, trained: Trained, began: datetime, offset: int = 0
) -> FrozenTrial:
    """The finished trial as Optuna stores it; its generation's numbers are places + ``offset``."""
    history = trained.history
    shown = reported(history, plan.protocol)
    value = shown[max(shown)] if history.pruned else history.val_error  # as Optuna has it
    trial = create_trial(
        state=TrialState.PRUNED if history.pruned else TrialState.COMPLETE,
        value=value,
        params=planned.params,
        distributions=sampled(plan.space),
        user_attrs=attributes(
            history,
            planned.configuration,
            planned.seed,
            plan.target,
            cohort_numbers=[place + offset for place in trained.cohort_places],
            first_of_generation=planned.first_of_generation + offset,
            value=value,
            former=plan.former,
        ),
        system_attrs=trained.system_attrs,
        intermediate_values=shown,
    )
    trial.number = planned.place + offset
    trial.datetime_start, trial.datetime_complete = began, not_before(began)
    return trial


def not_before(began: datetime) -> datetime:
    """Now, or ``began`` where the clock was set back meanwhile; both naive local time."""
    return max(began, datetime.now(), key=datetime.timestamp)
