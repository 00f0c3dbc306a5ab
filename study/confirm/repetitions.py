"""The repetitions of a confirmation: what is trained in each, and the trials that come of it.

A replicate retrains a study's finalists under a seed of its own: initial weights and batch
order are fresh, and the batch order is the same for all studies. A split draws
training, validation and holdout images anew, repeats the whole search on the first two,
and looks at the holdout once.

A repetition is handed out as jobs. :mod:`study.confirm.training` does one, with torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.confirm.division import divide, sizes
from study.confirm.plan import seed_key
from study.dataset import Data, option
from study.errors import StudyError
from study.search.planner import Planner, tasks_of
from study.seeds import derive
from study.storage.searched import Searched
from study.training.loading import load_pair
from study.training.plan import Plan
from study.training.registry import FORMER
from study.training.space import Configuration, sampled
from study.training.task import Task
from study.trials import StoredTrial, digest, rank
from study.trials.frozen import not_before
from study.trials.selection import recommended

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Source:
    """What the repetitions of a study need of it; it travels to the workers."""

    study: str  # its name
    plan: Plan
    seed_key: int
    data_sha256: str
    data_root: Path | None

    @classmethod
    def of(cls, search: Searched, data_root: Path | None, engine: str = "") -> Source:
        """Of a study that was read, and the folder of its official training files.

        Args:
            search: The study.
            data_root: The folder.
            engine: What trains the repetitions; by default the study's own engine.
        """
        root = data_root and data_root.absolute()  # workers have other current folders
        plan = replace(search.plan, engine=engine or search.plan.engine)
        return cls(search.name, plan, seed_key(search), search.manifest["data_sha256"], root)

    def load(self) -> Data:
        """The images.

        Raises:
            StudyError: They are not those of the study, or not there.
        """
        pair = load_pair(self.plan.protocol, self.data_root)
        if pair.digest != self.data_sha256:
            raise StudyError(
                f"{pair.items} of {pair.dataset}: their SHA-256 is not that of study "
                f"{self.study!r}: pass the {option(pair.dataset)} that was searched on"
            )
        return pair


@dataclass(frozen=True)
class Replicate:
    """One fresh seed: all finalists of a study, trained as one cohort."""

    source: Source
    finalists: Sequence[StoredTrial]
    number: int  # which seed
    seed: int  # the confirmation's

    @property
    def size(self) -> int:
        """How many trials it gives."""
        return len(self.finalists)


@dataclass(frozen=True)
class Split:
    """One resampling: the study's whole search, on other images."""

    source: Source
    n_trials: int
    number: int
    seed: int  # the confirmation's
    folds: int  # parts that the images are divided into; 0: each split is random
    size: int = 1  # how many trials it gives

    @property
    def batch_seed(self) -> int:
        """Of the batch order, which all studies share."""
        return derive(self.seed, "splits", self.number)

    def divide(self) -> tuple[Data, Data]:
        """The images to search on, and those that are held out.

        Raises:
            StudyError: The images are not there, or a class is missing in a part of them.
        """
        data = self.source.load()
        return divide(data, seed=self.seed, number=self.number, folds=self.folds)

    def plan(self, n_fit: int) -> Plan:
        """The plan of the search inside, which trains on so many images.

        The seed of the sampler and of the initial weights is the study's own.
        """
        stored = self.source.plan
        return replace(
            stored,
            protocol=replace(stored.protocol, n_train=n_fit),
            seed=derive(self.batch_seed, "study", self.source.seed_key),
            grid=self.n_trials if stored.grid else None,
        )


Repetition = Replicate | Split


@dataclass(frozen=True)
class SplitCohort:
    """A cohort of a split's search; without a task, the whole search of a sampler that learns."""

    split: Split
    task: Task | None


Job = Replicate | SplitCohort


@dataclass(frozen=True)
class Candidate:
    """A trial of a split's search, and what is recorded if it is the best one."""

    trial: FrozenTrial
    configuration: Configuration
    attrs: dict[str, Any]
    value: float  # its error on the holdout, a fraction
    began: datetime


def jobs_of(repetition: Repetition) -> list[Job]:
    """What can be trained at the same time: a replicate, or the cohorts of a split's search."""
    if isinstance(repetition, Replicate):
        return [repetition]
    if not repetition.source.plan.is_known_ahead:
        return [SplitCohort(repetition, None)]
    plan = repetition.plan(_n_fit(repetition))
    planner = Planner(plan, [])
    return [
        SplitCohort(repetition, replace(task, seed=repetition.batch_seed))
        for planned in planner.generations(repetition.n_trials)
        for task in tasks_of(plan, planner, planned, "", None)  # the split has its own images
    ]


def _n_fit(split: Split) -> int:
    data = split.source.load()
    return sizes(len(data.raw), data.n_train, number=split.number, folds=split.folds)[0]


def trials_of(repetition: Repetition, results: Sequence[list[Any]]) -> list[FrozenTrial]:
    """The trials to record, numbered on from those of earlier repetitions.

    Args:
        repetition: What was trained.
        results: What :func:`study.confirm.training.train` gave for each of its jobs.
    """
    found = list(chain.from_iterable(results))
    return found if isinstance(repetition, Replicate) else [_best(repetition, found)]


def _best(split: Split, candidates: Sequence[Candidate]) -> FrozenTrial:
    """The trial that the search inside a split chose, with what the simplest one is worth."""
    plan = split.source.plan
    found = {each.trial.number: each for each in candidates}
    trials = [StoredTrial.of(found[number].trial) for number in sorted(found)]
    chosen = min((t for t in trials if t.state == "COMPLETE"), key=rank)
    best, simplest = found[chosen.number], found[recommended(plan, trials).number]
    attrs = best.attrs | {
        "searched": [[*_stored(plan, t.parameters), t.val_errors, t.state] for t in trials]
    }
    if split.folds:
        attrs["simplest"] = _judged(simplest)
    return recorded(plan, best.configuration, attrs, best.value, best.began)


def _judged(candidate: Candidate) -> dict[str, Any]:
    """What a trial of a split's search was, and what it was worth on the held-out images."""
    kept = ("search_trial", "val_errors", "holdout_errors", "holdout_predictions")
    return {
        "parameters": dict(candidate.configuration),
        **{name: candidate.attrs[name] for name in kept},
    }


def _stored(plan: Plan, parameters: Configuration) -> list[Any]:
    """A trial's hyperparameters in a list of those that were searched."""
    return [parameters.get(name) for name in FORMER] if plan.former else [parameters]


def recorded(
    plan: Plan,
    configuration: Configuration,
    attrs: dict[str, Any],
    value: float,
    began: datetime,
) -> FrozenTrial:
    """A finished trial whose digest covers all its attributes."""
    from optuna.trial import TrialState, create_trial

    names = sampled(plan.space)
    trial = create_trial(
        state=TrialState.COMPLETE,
        value=value,
        params={name: configuration[name] for name in names},
        distributions=names,
        user_attrs=attrs | {"digest": digest(attrs, value)},
    )
    trial.datetime_start, trial.datetime_complete = began, not_before(began)
    return trial


def require_classes(repetitions: Sequence[Repetition]) -> None:
    """Refuse splits of which a part lacks a class, before anything is trained.

    Raises:
        StudyError: The message names the split, the part and the class.
    """
    for each in repetitions:
        if isinstance(each, Split):
            each.divide()
