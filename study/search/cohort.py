"""The worker: a pure function from configurations to histories.

It never opens the storage, so it runs the same in this process, in a thread, in another
process or on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState, create_trial

from study import dataset
from study.errors import StudyError
from study.models import Images
from study.objective import build, model_named
from study.protocol import Protocol
from study.remembering import remembered, while_held, while_there
from study.search.plan import Plan, Planned, Planner, cohorts, slim
from study.search.pruning import CohortPruner
from study.trainer import History, images_of, pick_device, train
from study.trials import TRAINED_UNDER, attributes, reported


@dataclass(frozen=True)
class Task:
    """A cohort to train."""

    model: str
    trials: Sequence[Planned]
    protocol: Protocol
    seed: int  # the study's, for the batches
    device: str
    data_root: Path | None
    data_sha256: str
    pruner: str = "none"
    earlier: Sequence[FrozenTrial] = ()  # what the pruner sees beside the cohort


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained trial."""

    history: History
    cohort: tuple[int, ...]  # the places of the trials that it was trained with
    system_attrs: dict[str, Any]  # the pruner's notes


def load_pair(protocol: Protocol, data_root: Path | None) -> dataset.DigitPair:
    """The protocol's digit pair, made once for as long as a search holds it, and the last two."""
    return _pair(protocol.dataset, protocol.classes, protocol.n_train, data_root)


@remembered(maxsize=2)
@while_held
def _pair(
    name: str, classes: tuple[int, int], n_train: int, data_root: Path | None
) -> dataset.DigitPair:
    dataset.check_request(name, classes, bundled=data_root is None)
    return dataset.DigitPair.select(name, classes, *load_files(name, data_root), n_train)


@remembered(maxsize=1)
def load_files(name: str, data_root: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All images and labels of a data set, read and checked once a process, whatever the pair."""
    return dataset.read(name, data_root)


def load_images(protocol: Protocol, data_root: Path | None, device: str, digest: str) -> Images:
    """The protocol's digit pair on a device, prepared once a process.

    Raises:
        StudyError: It is not the data with this digest.
    """
    pair = load_pair(protocol, data_root)
    if pair.digest != digest:
        raise StudyError(
            f"images of {pair.dataset}: their SHA-256 begins with {pair.digest[:12]}, the study's "
            f"with {digest[:12]}: pass the --data-root that was searched on"
        )
    return prepared(pair, device)


@while_there
def prepared(pair: dataset.DigitPair, device: str) -> Images:
    """The pair in the forms that cohorts train on, made once for as long as the pair is there.

    Raises:
        StudyError: The device is not here.
    """
    return images_of(pair, pick_device(device))


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
    if trial.state != TrialState.PRUNED:
        return plan
    last = trial.user_attrs["curve"]["step"][-1]
    return replace(plan, pruner="none", protocol=replace(plan.protocol, steps=last + 1))


def not_before(began: datetime) -> datetime:
    """Now, or ``began`` where the clock was set back meanwhile; both naive local time."""
    return max(began, datetime.now(), key=datetime.timestamp)


def train_cohort(task: Task, progress: Callable[[float], None] | None = None) -> list[Trained]:
    """Train a cohort on the data that it names; one result a trial, in their order.

    Args:
        task: What to train.
        progress: Called at every validation with the trials' worth of work done since.

    Raises:
        StudyError: The device is not here, or the data is not what the search was planned on.
    """
    images = load_images(task.protocol, task.data_root, task.device, task.data_sha256)
    return train_on(images, task, progress)


def train_on(
    images: Images, task: Task, progress: Callable[[float], None] | None = None
) -> list[Trained]:
    """Train a cohort on these images; one result a trial, in their order."""
    model = model_named(task.model)
    numbers = tuple(trial.number for trial in task.trials)
    pruner = None
    if task.pruner != "none":
        pruner = CohortPruner(task.pruner, task.protocol, task.earlier, numbers)
    histories = train(
        [build(model, trial.configuration, seed=trial.seed) for trial in task.trials],
        [trial.configuration.learning_rate for trial in task.trials],
        images,
        task.protocol,
        seed=task.seed,
        rungs=pruner.rungs if pruner else (),
        prune=pruner.prune if pruner else None,
        progress=progress,
    )
    return [
        Trained(history, numbers, pruner.system_attrs(place) if pruner else {})
        for place, history in enumerate(histories)
    ]


def frozen_trial(
    plan: Plan, planned: Planned, trained: Trained, began: datetime, offset: int = 0
) -> FrozenTrial:
    """The finished trial as Optuna stores it.

    ``offset`` is how far its number, and those of its generation, lie above their places.
    """
    history = trained.history
    shown = reported(history, plan.protocol)
    value = shown[max(shown)] if history.pruned else history.val_error  # as Optuna has it
    trial = create_trial(
        state=TrialState.PRUNED if history.pruned else TrialState.COMPLETE,
        value=value,
        params=planned.params,
        distributions=plan.space.distributions(),
        user_attrs=attributes(
            history,
            planned.configuration,
            planned.seed,
            plan.target,
            cohort=[place + offset for place in trained.cohort],
            generation=planned.generation + offset,
            value=value,
        ),
        system_attrs=trained.system_attrs,
        intermediate_values=shown,
    )
    trial.number = planned.number + offset
    trial.datetime_start, trial.datetime_complete = began, not_before(began)
    return trial
