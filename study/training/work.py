"""Train a task: a pure function from configurations to histories.

It never opens the storage. So it does the same in this process, in another process or on another
machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study import dataset
from study.caching import cached_for_owner, cached_once, cached_while_used
from study.errors import StudyError
from study.training.images import Images, images_of, pick_device
from study.training.protocol import Protocol
from study.training.pruning import CohortPruner
from study.training.registry import build, model_named
from study.training.sgd import optimiser_of
from study.training.task import Task, Trained
from study.training.trainer import train


def load_pair(protocol: Protocol, data_root: Path | None) -> dataset.Data:
    """The protocol's data; the last two are kept, and each one that is in use."""
    of_training = ("steps", "batch_size", "val_every")
    default = {name: getattr(Protocol, name) for name in of_training}
    return _pair(replace(protocol, **default), data_root)


@cached_once(maxsize=2)
@cached_while_used
def _pair(protocol: Protocol, data_root: Path | None) -> dataset.Data:
    name, classes = protocol.dataset, protocol.classes
    dataset.check_request(name, classes, bundled=data_root is None)
    return dataset.Data.select(name, classes, *load_files(name, data_root), protocol.n_train)


@cached_once(maxsize=1)
def load_files(name: str, data_root: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All images and labels of a data set, whatever the pair; read and checked once a process."""
    return dataset.read(name, data_root)


@cached_for_owner
def prepared(pair: dataset.Data, device: str) -> Images:
    """The pair in the forms that cohorts train on; kept for as long as the pair exists.

    Raises:
        StudyError: The device is not here.
    """
    return images_of(pair, pick_device(device))


def train_cohort(task: Task, progress: Callable[[float], None] | None = None) -> list[Trained]:
    """Train a cohort on the data that it names; one result a trial, in their order.

    Args:
        task: What to train.
        progress: Called at every validation with the trials' worth of work done since.

    Raises:
        StudyError: The device is not here, or the data is not what the search was planned on.
    """
    pair = load_pair(task.protocol, task.data_root)
    if pair.digest != task.data_sha256:
        raise StudyError(
            f"images of {pair.dataset}: their SHA-256 begins with {pair.digest[:12]}, the study's "
            f"with {task.data_sha256[:12]}: pass the --data-root that was searched on"
        )
    return train_on(prepared(pair, task.device), task, progress)


def train_on(
    images: Images, task: Task, progress: Callable[[float], None] | None = None
) -> list[Trained]:
    """Train a cohort on these images; one result a trial, in their order."""
    model = model_named(task.model)
    places = tuple(trial.place for trial in task.trials)
    pruner = None
    if task.pruner != "none":
        pruner = CohortPruner(task.pruner, task.protocol, task.earlier, places)
    inputs = images.plain.shape[1]
    histories = train(
        [build(model, t.configuration, seed=t.seed, inputs=inputs) for t in task.trials],
        **optimiser_of([trial.configuration for trial in task.trials]),
        images=images,
        protocol=task.protocol,
        seed=task.seed,
        rungs=pruner.rungs if pruner else (),
        prune=pruner.prune if pruner else None,
        progress=progress,
    )
    return [
        Trained(history, places, pruner.system_attrs(member) if pruner else {})
        for member, history in enumerate(histories)
    ]
