"""The planner, which asks Optuna for the next generation, and the cohorts that it trains as.

The planner works on an in-memory mirror of the stored study, where asking costs under a
millisecond. A generation's plan depends on the study's seed, the number of its first trial
and the trials before it, and on nothing else; so a search that was killed goes on as if it
had not been.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.seeds import derive
from study.training.plan import Plan
from study.training.task import Planned, Task
from study.trials import TRAINED_UNDER

if TYPE_CHECKING:
    import numpy as np
    import optuna
    from optuna.trial import FrozenTrial


GRID_HIDDEN_UNITS = 4  # levels of hidden units in a grid; learning rates fill the rest


class Planner:
    """Asks Optuna for generations, on a mirror of the stored study.

    Args:
        plan: What is searched.
        finished: The finished trials in the storage, by number.
    """

    def __init__(self, plan: Plan, finished: Sequence[FrozenTrial]) -> None:
        import optuna

        self.plan = plan
        self.distributions = plan.space.distributions()
        self.mirror = optuna.create_study(direction="minimize")
        self.finished = [slim(trial) for trial in finished]  # by number
        self.mirror.add_trials(self.finished)

    def ask(self, upto: int) -> list[Planned]:
        """The trials of the next generation, none of them numbered ``upto`` or more."""
        first, size = len(self.finished), self.plan.generation
        count = min(size - first % size, upto - first)
        if self.plan.sampler in ("qmc", "grid"):
            for point in _sequence(self.plan, len(self.distributions), first, count):
                self.mirror.enqueue_trial(_scaled(point, self.distributions))
        else:
            self.mirror.sampler = _sampler(self.plan, first)
        self.asked = [self.mirror.ask(self.distributions) for _ in range(count)]
        return [
            Planned(
                trial.number,
                trial.params,
                self.plan.space.configuration(trial.params),
                derive(self.plan.seed, "weights", trial.number),
                first,
            )
            for trial in self.asked
        ]

    def tell(self, trials: Sequence[FrozenTrial]) -> None:
        """Show the finished trials of the generation to the sampler."""
        from optuna.trial import TrialState

        self.finished += [slim(trial) for trial in trials]
        for asked, trial in zip(self.asked, trials, strict=True):
            if trial.state == TrialState.PRUNED:  # whose value samplers take from these
                for step, error in trial.intermediate_values.items():
                    asked.report(error, step)
                self.mirror.tell(asked, state=TrialState.PRUNED)
            else:
                self.mirror.tell(asked, trial.value)


def slim(trial: FrozenTrial) -> FrozenTrial:
    """What samplers and pruners look at, without the attributes."""
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
    """Optuna's sampler, seeded anew for the generation whose first trial this is."""
    from optuna import samplers

    seed = derive(plan.seed, "sampler", first)
    if plan.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if plan.sampler == "gp":
        return samplers.GPSampler(seed=seed)
    return samplers.TPESampler(seed=seed)


def _sequence(plan: Plan, axes: int, first: int, count: int) -> np.ndarray:
    """Points ``first`` … of a sequence in the unit cube that the seed fixes, (count, axes).

    A scrambled Sobol' sequence, or a full grid with the learning rate running fastest.
    """
    import numpy as np

    if plan.sampler == "qmc":
        from scipy.stats import qmc

        engine = qmc.Sobol(axes, rng=derive(plan.seed, "sampler"))
        upto = (first + count - 1).bit_length()
        return engine.random_base2(upto)[first : first + count]
    rows = min(GRID_HIDDEN_UNITS, plan.grid or 1) if axes == 2 else 1
    columns = math.ceil((plan.grid or 1) / rows)
    place = np.arange(first, first + count)
    points = np.stack([place % columns / max(columns - 1, 1), place // columns / max(rows - 1, 1)])
    return points[:axes].T


def _scaled(
    point: np.ndarray, distributions: dict[str, optuna.distributions.BaseDistribution]
) -> dict[str, Any]:
    """A point of the unit cube as parameters, on the log scale."""
    from optuna.distributions import FloatDistribution, IntDistribution

    params: dict[str, Any] = {}
    for at, (name, found) in zip(point, distributions.items(), strict=True):
        assert isinstance(found, FloatDistribution | IntDistribution)
        value = math.exp(math.log(found.low) + at * math.log(found.high / found.low))
        whole = isinstance(found, IntDistribution)
        params[name] = round(value) if whole else min(max(value, found.low), found.high)
    return params


def cohorts(generation: Sequence[Planned], width: int) -> list[list[Planned]]:
    """Split a generation into cohorts of at most about ``width``, equally heavy.

    The heaviest trial goes first, each to the lightest cohort, so that workers finish
    together; a trial weighs its hidden units. The split depends on the plan alone.
    """
    count = math.ceil(len(generation) / width)
    found: list[list[Planned]] = [[] for _ in range(count)]
    weights = [0] * count
    for trial in sorted(generation, key=lambda t: -(t.configuration.hidden_units or 1)):
        lightest = weights.index(min(weights))
        found[lightest].append(trial)
        weights[lightest] += trial.configuration.hidden_units or 1
    return [sorted(cohort, key=lambda t: t.number) for cohort in found]


def tasks_of(
    plan: Plan,
    planner: Planner,
    generation: Sequence[Planned],
    data_sha256: str,
    data_root: Path | None,
) -> list[Task]:
    """A generation as cohorts to train, whatever the number of workers."""
    return [
        task_of(plan, cohort, planner.finished, data_sha256, data_root)
        for cohort in cohorts(generation, plan.cohort)
    ]


def task_of(
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
        trial: One of them; the cohort's trials are those of its attribute ``cohort``, in order.
        data_sha256: The digest of the study's images.
        data_root: Where the official training files lie, if the search was given one.
    """
    numbers, first = trial.user_attrs["cohort"], trial.user_attrs["generation"]
    mates = {mate.number: mate for mate in trials}
    earlier = [slim(before) for before in trials if before.number < first]
    planned = [
        Planned(
            len(earlier) + number - first,
            mates[number].params,
            plan.space.configuration(mates[number].params),
            mates[number].user_attrs["seed"],
            len(earlier),
        )
        for number in numbers
    ]
    if TRAINED_UNDER in trial.system_attrs:
        plan = _as_far_as(plan, trial)
    return task_of(plan, planned, earlier, data_sha256, data_root)


def _as_far_as(plan: Plan, trial: FrozenTrial) -> Plan:
    """A plan that ends where an objective's trial did: its study's pruner may have stopped it."""
    if trial.state.name != "PRUNED":
        return plan
    last = trial.user_attrs["curve"]["step"][-1]
    return replace(plan, pruner="none", protocol=replace(plan.protocol, steps=last + 1))
