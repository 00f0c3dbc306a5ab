"""Train a task: a pure function from configurations to histories.

It never opens the storage. So it does the same in this process, in another process or on another
machine. Torch is imported where training begins: a planner only names these functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from study import dataset
from study.caching import cached_for_owner
from study.errors import StudyError
from study.training.loading import load_pair
from study.training.protocol import Protocol
from study.training.pruning import CohortPruner
from study.training.registry import build, model_named
from study.training.task import Task, Trained

if TYPE_CHECKING:
    from study.training.images import Images

shared: list[Path] = []
"""The folder that a pool's processes share (:mod:`study.training.shared`), if there is one."""


@cached_for_owner
def prepared(pair: dataset.Data, device: str) -> Images:
    """The pair in the forms that cohorts train on; kept for as long as the pair exists.

    Where the pool has a folder that its processes share, it is mapped from there.

    Raises:
        StudyError: The device is not here.
    """
    from study.training.images import images_of, pick_device
    from study.training.shared import mapped

    found = mapped(shared[-1], pair) if shared and device == "cpu" else None
    return found or images_of(pair, pick_device(device))


def prepare(protocol: Protocol, data_root: Path | None, device: str) -> None:
    """Load the data in its forms, for whatever this process or a fork of it will train.

    Raises:
        StudyError: The data or the device is not here.
    """
    prepared(load_pair(protocol, data_root), device)


def prepare_shared(task: tuple[Path, Protocol, Path | None]) -> list[None]:
    """Write the data's forms for the other processes of a pool, if none of them does.

    Args:
        task: The folder, the data's protocol, and where it lies.
    """
    from study.training.shared import is_taken, write

    folder, protocol, data_root = task
    pair = load_pair(protocol, data_root)
    if not is_taken(folder, pair):
        write(folder, pair, prepared(pair, "cpu"))
    return []


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
            f"{pair.items} of {pair.dataset}: their SHA-256 begins with {pair.digest[:12]}, the "
            f"study's with {task.data_sha256[:12]}: pass the {dataset.option(pair.dataset)} that "
            "was searched on"
        )
    return train_on(prepared(pair, task.device), task, progress)


def train_on(
    images: Images, task: Task, progress: Callable[[float], None] | None = None
) -> list[Trained]:
    """Train a cohort on these images; one result a trial, in their order."""
    from study.training.sgd import optimiser_of
    from study.training.trainer import train

    model = model_named(task.model)
    places = tuple(trial.place for trial in task.trials)
    pruner = None
    if task.pruner != "none":
        pruner = CohortPruner(task.pruner, task.protocol, task.earlier, places)
    began = time.time()
    histories = train(
        [build(model, t.configuration, seed=t.seed, inputs=images.inputs) for t in task.trials],
        **optimiser_of([trial.configuration for trial in task.trials]),
        images=images,
        protocol=task.protocol,
        seed=task.seed,
        engine=task.engine,
        rungs=pruner.rungs if pruner else (),
        prune=pruner.prune if pruner else None,
        progress=progress,
    )
    span = began, time.time()
    return [
        Trained(history, places, pruner.system_attrs(member) if pruner else {}, span)
        for member, history in enumerate(histories)
    ]
