"""What is searched and how, and the planner that asks Optuna for the next generation.

The planner works on an in-memory mirror of the stored study, where asking costs under a
millisecond. A generation's plan depends on the study's seed, the number of its first trial
and the trials before it, and on nothing else; so a search that was killed goes on as if it
had not been.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.objective import Configuration, Model, SearchSpace, model_named
from study.protocol import Protocol
from study.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    import optuna
    from optuna.trial import FrozenTrial

    from study.trials import StoredTrial

SAMPLERS = ("tpe", "random", "qmc", "grid", "gp")
GRID_HIDDEN_UNITS = 4  # levels of hidden units in a grid; learning rates fill the rest


@dataclass(frozen=True)
class Plan:
    """Everything that defines a search; the manifest that is stored with it."""

    model: str
    space: SearchSpace
    protocol: Protocol = field(default_factory=Protocol)
    seed: int = 0
    target: float = 0.02  # validation error, a fraction
    target_rule: str = "point"  # or wilson: the upper 95 % bound must meet the target
    sampler: str = "tpe"
    pruner: str = "none"
    generation: int = 16  # trials planned together
    cohort: int = 8  # trials trained as one wide model
    device: str = "cpu"
    grid: int | None = None  # points, for the grid sampler: then the study's size is fixed

    def met_by(self, trial: StoredTrial) -> bool:
        """Whether a trial meets the target, by the rule."""
        if self.target_rule == "point":
            return trial.val_error <= self.target
        from study.stats import target_met

        return target_met(trial.val_errors, trial.n_val, self.target, rule="wilson")

    def bytes_of(self, trials: int) -> int:
        """About what so many trials and the best ones' weights take on the disk, and no less."""
        per_trial = 5_000 + 60 * len(self.protocol.validation_steps)
        units = max(self.space.hidden_units or (1,))
        return trials * per_trial + 6 * 4 * 790 * units  # five are kept, and one is a draft

    @property
    def kind(self) -> Model:
        """The kind of model that is searched; StudyError where it is not known here."""
        return model_named(self.model)

    def manifest(self, data_digest: str) -> dict[str, Any]:
        """The plan as JSON, with the digest of the data and the versions it ran on."""
        source = {self.model: self.kind.source_sha256} if self.kind.source_sha256 else {}
        return asdict(self) | {"data_sha256": data_digest, "versions": versions() | source}

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Plan:
        """The plan of a stored study.

        Raises:
            StudyError: The manifest is not one of this version of the package.
        """
        try:
            stored: dict[str, Any] = {f.name: manifest[f.name] for f in fields(cls)}
            protocol: dict[str, Any] = stored["protocol"]
            space: dict[str, Any] = stored["space"]
            stored["protocol"] = Protocol(**protocol | {"classes": tuple(protocol["classes"])})
            stored["space"] = SearchSpace(**{n: v and tuple(v) for n, v in space.items()})
            plan = cls(**stored)
            plan.kind  # noqa: B018 (refused where the model is not known here)
            return plan
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StudyError(
                f"manifest: can't be read ({error}): search again with this version"
            ) from error


def versions() -> dict[str, str]:
    """The versions that a result's bits depend on."""
    from importlib.metadata import version

    return {name: version(name) for name in ("study", "numpy", "optuna", "torch")}


@dataclass(frozen=True)
class Planned:
    """A trial that is to be trained."""

    number: int  # its place among the study's finished trials
    params: dict[str, Any]
    configuration: Configuration
    seed: int  # of its initial weights
    generation: int  # the place of its generation's first trial


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
