"""The repetitions of a confirmation: pure functions that train and never open the storage.

A replicate retrains a study's finalists under a seed of its own: initial weights and batch
order are fresh, and the batch order is the same for all studies. A split draws
training, validation and holdout images anew, repeats the whole search on the first two,
and looks at the holdout once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from optuna.trial import FrozenTrial, TrialState, create_trial
from torch import nn

from study.confirm.plan import seed_key
from study.dataset import Data, option, stratified
from study.errors import StudyError
from study.search.planner import Planner, tasks_of
from study.seeds import derive, generator
from study.storage.searched import Searched
from study.training.history import History
from study.training.images import images_of, pick_device
from study.training.known_state import known_state
from study.training.loading import load_pair
from study.training.plan import Plan
from study.training.registry import FORMER, build
from study.training.sgd import optimiser_of
from study.training.space import Configuration, sampled
from study.training.task import Planned, Trained
from study.training.trainer import train
from study.training.work import prepared, train_on
from study.trials import StoredTrial, attributes, digest, pack, rank
from study.trials.frozen import frozen_trial, not_before


@dataclass(frozen=True)
class Source:
    """What the repetitions of a study need of it; it travels to the workers."""

    study: str  # its name
    plan: Plan
    seed_key: int
    data_sha256: str
    data_root: Path | None

    @classmethod
    def of(cls, search: Searched, data_root: Path | None) -> Source:
        """Of a study that was read, and the folder of its official training files."""
        root = data_root and data_root.absolute()  # workers have other current folders
        digest = search.manifest["data_sha256"]
        return cls(search.name, search.plan, seed_key(search), digest, root)

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
    size: int = 1  # how many trials it gives


Repetition = Replicate | Split


def run(repetition: Repetition) -> list[FrozenTrial]:
    """Train a repetition; the trials to record, numbered on from those of earlier ones."""
    with known_state():
        return _replicate(repetition) if isinstance(repetition, Replicate) else _split(repetition)


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
    )
    first = replicate.number * len(chosen)
    numbers = range(first, first + len(chosen))
    return [
        _trial(
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


def split_order(pair: Data, *, seed: int, number: int) -> np.ndarray:
    """A random order of all images: the first train, then come validation and holdout, (N,).

    Data that the study shuffled by class is divided by class here too.
    """
    random, n = generator(seed, "splits", number), len(pair.raw)
    if pair.order is None:
        return random.permutation(n)
    n_holdout = n - pair.n_train
    return stratified(pair.labels, (n - 2 * n_holdout, n_holdout, n_holdout), random)


def require_classes(repetitions: Sequence[Repetition]) -> None:
    """Refuse splits of which a part lacks a class, before anything is trained.

    Raises:
        StudyError: The message names the split, the part and the class.
    """
    for repetition in repetitions:
        if isinstance(repetition, Split):
            _divide(repetition.source.load(), repetition)


def _divide(pair: Data, split: Split) -> tuple[Data, Data]:
    """The images to search on, and the holdout, which is as large as the validation set.

    Raises:
        StudyError: A class is missing in one of the three parts.
    """
    n_holdout = len(pair.raw) - pair.n_train
    order = split_order(pair, seed=split.seed, number=split.number)
    inner = pair.taking(order[:-n_holdout], len(pair.raw) - 2 * n_holdout)
    holdout = pair.taking(order[-n_holdout:], 1, like=inner)
    inner.require_classes(f"split {split.number}")
    holdout.require_both(holdout.labels, f"are the holdout of split {split.number}")
    return inner, holdout


def _split(split: Split) -> list[FrozenTrial]:
    began, plan = datetime.now(), split.source.plan
    inner, holdout = _divide(split.source.load(), split)
    planned, history, searched = _search(split, inner)
    model = build(
        plan.model_definition, planned.configuration, seed=planned.seed, inputs=plan.inputs
    )
    predictions = _predict(model, history, holdout)
    errors = int((predictions != holdout.labels).sum())
    attrs = attributes(
        history,
        planned.configuration,
        planned.seed,
        plan.target,
        cohort_numbers=[split.number],
        first_of_generation=split.number,
        former=plan.former,
    ) | {
        "search_trial": planned.place,
        "split": split.number,
        "n_fit": inner.n_train,
        "searched": searched,
        "n_holdout": len(holdout.raw),
        "holdout_errors": errors,
        "holdout_predictions": pack(predictions),
        "holdout_labels": pack(holdout.labels.astype(bool)),
        "val_labels": pack(inner.labels[inner.n_train :].astype(bool)),
    }
    value = errors / len(holdout.raw)
    return [_trial(plan, planned.configuration, attrs, value, began)]


def _search(split: Split, inner: Data) -> tuple[Planned, History, list[list[Any]]]:
    """Repeat the search inside a split; the winner, and what every trial reached.

    The batch order is the split's, shared by all studies; the sampler's and the initial
    weights' seed is the study's own.
    """
    stored = split.source.plan
    batch_seed = derive(split.seed, "splits", split.number)
    plan = replace(
        stored,
        protocol=replace(stored.protocol, n_train=inner.n_train),
        seed=derive(batch_seed, "study", split.source.seed_key),
        grid=split.n_trials if stored.grid else None,
    )
    images = images_of(inner, pick_device(plan.device))
    planner = Planner(plan, [])
    found: list[tuple[StoredTrial, Planned, History]] = []
    while len(found) < split.n_trials:
        began = datetime.now()
        results: list[tuple[Planned, Trained]] = []
        for task in tasks_of(plan, planner, planner.ask(split.n_trials), inner.digest, None):
            trained = train_on(images, replace(task, seed=batch_seed))
            results += zip(task.trials, trained, strict=True)
        results.sort(key=lambda result: result[0].place)
        frozen = [frozen_trial(plan, *result, began) for result in results]
        planner.tell(frozen)
        found += [
            (StoredTrial.of(trial), planned, trained.history)
            for trial, (planned, trained) in zip(frozen, results, strict=True)
        ]
    complete = [entry for entry in found if entry[0].state == "COMPLETE"]
    _, planned, history = min(complete, key=lambda entry: rank(entry[0]))
    searched = [[*_stored(plan, t.parameters), t.val_errors, t.state] for t, _, _ in found]
    return planned, history, searched


def _stored(plan: Plan, parameters: Configuration) -> list[Any]:
    """A trial's hyperparameters in a list of those that were searched."""
    return [parameters.get(name) for name in FORMER] if plan.former else [parameters]


def _predict(model: nn.Module, history: History, pair: Data) -> np.ndarray:
    """The predictions of the model with the history's best weights, (N,) bool."""
    weights = {name: torch.from_numpy(array) for name, array in history.weights.items()}
    model.load_state_dict(weights)
    with known_state(), torch.no_grad():
        logits: torch.Tensor = model(torch.from_numpy(pair.images))
        return logits[:, 0].numpy() > 0


def _trial(
    plan: Plan,
    configuration: Configuration,
    attrs: dict[str, Any],
    value: float,
    began: datetime,
) -> FrozenTrial:
    """A finished trial whose digest covers all its attributes."""
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
