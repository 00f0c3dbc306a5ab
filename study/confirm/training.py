"""Do the jobs of a confirmation: pure functions that train and never open the storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import torch
from optuna.trial import FrozenTrial
from torch import nn

from study.caching import cached_once
from study.confirm.division import divide
from study.confirm.repetitions import (
    Candidate,
    Job,
    Replicate,
    Split,
    SplitCohort,
    recorded,
)
from study.dataset import Data
from study.search.planner import Planner, tasks_of
from study.seeds import derive
from study.training.history import History
from study.training.images import Images, images_of, pick_device
from study.training.known_state import known_state
from study.training.plan import Plan
from study.training.registry import build
from study.training.sgd import optimiser_of
from study.training.task import Planned, Task, Trained
from study.training.trainer import train
from study.training.work import prepared, train_on
from study.trials import attributes, pack
from study.trials.frozen import frozen_trial


def train_job(job: Job) -> list[Any]:
    """Train a job: the trials of a replicate, or the candidates of a split's cohort."""
    with known_state():
        return _replicate(job) if isinstance(job, Replicate) else list(_candidates(job))


def _replicate(replicate: Replicate) -> list[FrozenTrial]:
    source, finalists, began = replicate.source, replicate.finalists, datetime.now()
    plan, pair = source.plan, source.load()
    seed = derive(replicate.seed, "replicates", replicate.number)
    own = derive(seed, "study", source.seed_key)
    seeds = [derive(own, "weights", place) for place in range(len(finalists))]
    chosen = [trial.parameters for trial in finalists]
    model, inputs = plan.model_definition, plan.inputs
    histories = train(
        [build(model, c, seed=s, inputs=inputs) for c, s in zip(chosen, seeds, strict=True)],
        **optimiser_of(chosen),
        images=prepared(pair, plan.device),
        protocol=plan.protocol,
        seed=seed,
        engine=plan.engine,
    )
    first = replicate.number * len(chosen)
    numbers = range(first, first + len(chosen))
    return [
        recorded(
            plan,
            c,
            attributes(
                history,
                c,
                s,
                plan.target,
                cohort_numbers=numbers,
                first_of_generation=first,
                former=plan.former,
            )
            | {
                "replicate": replicate.number,
                "finalist": finalist.number,
                "batch_seed": seed,
                "final_errors": int(history.val_errors[-1]),
                "final_predictions": pack(history.final_predictions),
                "val_labels": pack(pair.labels[pair.n_train :].astype(bool)),
            },
            history.final_error,
            began,
        )
        for history, c, s, finalist in zip(histories, chosen, seeds, finalists, strict=True)
    ]


@cached_once(maxsize=1)
def _parts(
    data: Data, seed: int, number: int, folds: int, device: str
) -> tuple[Data, Images, Data]:
    """A split's images to search on, their device form, and its holdout; those of the last one."""
    inner, holdout = divide(data, seed=seed, number=number, folds=folds)
    return inner, images_of(inner, pick_device(device)), holdout


def _candidates(job: SplitCohort) -> Iterator[Candidate]:
    split = job.split
    data, device = split.source.load(), split.source.plan.device
    inner, images, holdout = _parts(data, split.seed, split.number, split.folds, device)
    plan = split.plan(inner.n_train)
    began = datetime.now()
    results = _search(split, plan, images) if job.task is None else _trained(images, job.task)
    for planned, trained in results:
        model = build(
            plan.model_definition, planned.configuration, seed=planned.seed, inputs=plan.inputs
        )
        predictions = _predict(model, trained.history, holdout)
        errors = int((predictions != holdout.labels).sum())
        yield Candidate(
            frozen_trial(plan, planned, trained, began),
            planned.configuration,
            _attributes(split, planned, trained.history, inner)
            | {
                "n_holdout": len(holdout.raw),
                "holdout_errors": errors,
                "holdout_predictions": pack(predictions),
                "holdout_labels": pack(holdout.labels.astype(bool)),
                "val_labels": pack(inner.labels[inner.n_train :].astype(bool)),
            },
            errors / len(holdout.raw),
            began,
        )


def _trained(images: Images, task: Task) -> list[tuple[Planned, Trained]]:
    return list(zip(task.trials, train_on(images, task), strict=True))


def _search(split: Split, plan: Plan, images: Images) -> Iterator[tuple[Planned, Trained]]:
    """The whole search inside a split, a generation after the other."""
    planner, done = Planner(plan, []), 0
    while done < split.n_trials:
        began, found = datetime.now(), []
        for task in tasks_of(plan, planner, planner.ask(split.n_trials), "", None):
            found += _trained(images, replace(task, seed=split.batch_seed))
        found.sort(key=lambda result: result[0].place)
        planner.tell([frozen_trial(plan, *result, began) for result in found])
        done += len(found)
        yield from found


def _attributes(split: Split, planned: Planned, history: History, inner: Data) -> dict[str, Any]:
    """What a split's trial tells of its training."""
    plan = split.source.plan
    attrs = attributes(
        history,
        planned.configuration,
        planned.seed,
        plan.target,
        cohort_numbers=[split.number],
        first_of_generation=split.number,
        former=plan.former,
    )
    return attrs | {"search_trial": planned.place, "split": split.number, "n_fit": inner.n_train}


def _predict(model: nn.Module, history: History, pair: Data) -> np.ndarray:
    """The predictions of the model with the history's best weights, (N,) bool."""
    weights = {name: torch.from_numpy(array) for name, array in history.weights.items()}
    model.load_state_dict(weights)
    with known_state(), torch.no_grad():
        logits: torch.Tensor = model(torch.from_numpy(pair.images))
        return logits[:, 0].numpy() > 0
