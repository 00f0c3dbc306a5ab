"""The planner: it asks Optuna for the next generation of trials, and splits it into cohorts.

It asks an in-memory copy of the stored study, which takes less than a millisecond. The plan of a
generation depends only on the study's seed, the place of its first trial and the trials before
it. So a search that was killed continues with the same trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from study.search.points import in_ranges, points
from study.seeds import derive
from study.training.plan import Plan
from study.training.space import configuration, sampled
from study.training.task import Planned, Task
from study.trials import TRAINED_UNDER
from study.trials.sampling import STARTUP

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial


class Planner:
    """Asks Optuna for one generation after the other.

    Args:
        plan: What is searched.
        finished: The finished trials in the storage, by number.
    """

    def __init__(self, plan: Plan, finished: Sequence[FrozenTrial]) -> None:
        import optuna

        self.plan = plan.settled()
        self.distributions = sampled(plan.space)
        self.study = optuna.create_study(direction="minimize")
        self.finished = [without_user_attrs(trial) for trial in finished]  # by number
        self.study.add_trials(self.finished)
        self.asked: list[optuna.Trial] = []  # and not yet told, by number

    def ask(self, upto: int) -> list[Planned]:
        """The trials of the next generation, as far as their places are below ``upto``.

        Where they are known ahead, the generations before it need not be finished.
        """
        first, size = len(self.finished) + len(self.asked), self.plan.generation_size
        count = min(size - first % size, upto - first)
        if self.plan.sampler in ("qmc", "grid"):
            for point in points(self.plan, self.distributions, first, count):
                self.study.enqueue_trial(in_ranges(point, self.distributions))
        else:
            self.study.sampler = _sampler(self.plan, first)
        asked = [self.study.ask(self.distributions) for _ in range(count)]
        self.asked += asked
        return [
            Planned(
                trial.number,
                trial.params,
                configuration(self.plan.space, trial.params),
                derive(self.plan.seed, "weights", trial.number),
                first,
            )
            for trial in asked
        ]

    def generations(self, upto: int) -> Iterator[list[Planned]]:
        """All generations that are left, one after the other, of a plan that is known ahead."""
        while len(self.finished) + len(self.asked) < upto:
            yield self.ask(upto)

    def tell(self, trials: Sequence[FrozenTrial]) -> None:
        """Show the sampler the finished trials of the earliest generation that was asked for."""
        from optuna.trial import TrialState

        self.finished += [without_user_attrs(trial) for trial in trials]
        told, self.asked = self.asked[: len(trials)], self.asked[len(trials) :]
        for asked, trial in zip(told, trials, strict=True):
            if trial.state == TrialState.PRUNED:  # samplers take its value from these reports
                for step, error in trial.intermediate_values.items():
                    asked.report(error, step)
                self.study.tell(asked, state=TrialState.PRUNED)
            else:
                self.study.tell(asked, trial.value)


def without_user_attrs(trial: FrozenTrial) -> FrozenTrial:
    """A copy of a trial that has only what samplers and pruners read."""
    from optuna.trial import create_trial

    return create_trial(
        state=trial.state,
        value=trial.value,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values,
        system_attrs=trial.system_attrs,
    )


def _sampler(plan: Plan, first: int) -> optuna.samplers.BaseSampler:
    """Optuna's sampler, with a seed of its own for the generation that begins at ``first``."""
    from optuna import samplers

    seed = derive(plan.seed, "sampler", first)
    if plan.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if plan.sampler == "gp":
        return samplers.GPSampler(seed=seed, n_startup_trials=STARTUP)
    return samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)


def split_into_cohorts(plan: Plan, trials: Sequence[Planned]) -> list[list[Planned]]:
    """Split a generation into cohorts of about the same weight, of about the plan's size at most.

    A trial weighs its model's size. The heaviest trial goes first, each to the lightest cohort,
    so that workers finish together. The split depends on the plan alone.
    """
    model = plan.model_definition
    count = math.ceil(len(trials) / plan.cohort_size)
    cohorts: list[list[Planned]] = [[] for _ in range(count)]
    weights = [0.0] * count
    for trial in sorted(trials, key=lambda t: -model.size(t.configuration)):
        lightest = weights.index(min(weights))
        cohorts[lightest].append(trial)
        weights[lightest] += model.size(trial.configuration)
    return [sorted(cohort, key=lambda t: t.place) for cohort in cohorts]


def tasks_of(
    plan: Plan,
    planner: Planner,
    generation: Sequence[Planned],
    data_sha256: str,
    data_root: Path | None,
) -> list[Task]:
    """A generation as cohorts to train, the same for any number of workers."""
    return [
        _task(plan, cohort, planner.finished, data_sha256, data_root)
        for cohort in split_into_cohorts(plan, generation)
    ]


def _task(
    plan: Plan,
    cohort: Sequence[Planned],
    earlier: Sequence[FrozenTrial],
    data_sha256: str,
    data_root: Path | None,
) -> Task:
    """One cohort to train; ``earlier`` are the trials before its generation, by number."""
    return Task(
        model=plan.model,
        trials=cohort,
        protocol=plan.protocol,
        seed=plan.seed,
        device=plan.device,
        engine=plan.engine,
        data_root=data_root,
        data_sha256=data_sha256,
        pruner=plan.pruner,
        earlier=() if plan.pruner == "none" else earlier,
    )


def task_of_stored(
    plan: Plan,
    trials: Sequence[FrozenTrial],
    trial: FrozenTrial,
    data_sha256: str,
    data_root: Path | None,
) -> Task:
    """The cohort that a stored trial was trained in, to train it again with the same bits.

    Args:
        plan: The study's.
        trials: The study's finished trials.
        trial: One of them; its attribute ``cohort`` has the numbers of the cohort's trials.
        data_sha256: The digest of the study's images.
        data_root: Where the official training files lie, if the search was given one.
    """
    first_number = trial.user_attrs["generation"]
    numbered = {other.number: other for other in trials}
    earlier = [without_user_attrs(other) for other in trials if other.number < first_number]
    first = len(earlier)
    cohort = [
        Planned(
            first + number - first_number,
            numbered[number].params,
            configuration(plan.space, numbered[number].params),
            numbered[number].user_attrs["seed"],
            first,
        )
        for number in trial.user_attrs["cohort"]
    ]
    if TRAINED_UNDER in trial.system_attrs and trial.state.name == "PRUNED":
        plan = _until(plan, trial.user_attrs["curve"]["step"][-1])
    return _task(plan, cohort, earlier, data_sha256, data_root)


def _until(plan: Plan, last_step: int) -> Plan:
    """A plan without a pruner that ends after a step.

    For a trial of :class:`~study.search.objective.Objective` that the pruner of the user's own
    study stopped.
    """
    return replace(plan, pruner="none", protocol=replace(plan.protocol, steps=last_step + 1))
