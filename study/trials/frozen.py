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
    """The finished trial as Optuna stores it; its generation's numbers are places + ``offset``.

    Its dates are those of its cohort's training, but not before ``began``, when it was handed out.
    """
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
    trial.datetime_start, trial.datetime_complete = _span(trained, began)
    return trial


def _span(trained: Trained, began: datetime) -> tuple[datetime, datetime]:
    """By the worker's clock, which may differ from this machine's."""
    start, end = map(datetime.fromtimestamp, trained.span)
    now, moment = not_before(began), datetime.timestamp
    start = min(max(began, start, key=moment), now, key=moment)
    return start, min(max(start, end, key=moment), now, key=moment)


def not_before(began: datetime) -> datetime:
    """Now, or ``began`` where the clock was set back meanwhile; both naive local time."""
    return max(began, datetime.now(), key=datetime.timestamp)
