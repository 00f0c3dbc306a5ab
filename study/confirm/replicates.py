"""The units of a confirmation: pure functions that train and never open the storage.

A replicate retrains a study's finalists under a seed of its own: initial weights and batch
order are fresh, and the batch order is the same for both studies of a pair. A split draws
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

from study.confirm.plan import Contender
from study.dataset import DigitPair
from study.errors import StudyError
from study.search.planner import Planner, tasks_of
from study.seeds import derive, generator
from study.training.history import History
from study.training.images import images_of, pick_device
from study.training.known_state import known_state
from study.training.plan import Plan
from study.training.registry import build
from study.training.space import Configuration
from study.training.task import Planned, Trained
from study.training.trainer import train
from study.training.work import load_pair, prepared, train_on
from study.trials import StoredTrial, attributes, digest, pack, rank
from study.trials.frozen import frozen_trial, not_before


@dataclass(frozen=True)
class Replicate:
    """One fresh seed: all finalists of a study, trained as one cohort."""

    contender: Contender
    finalists: Sequence[StoredTrial]
    number: int  # which seed
    seed: int  # the confirmation's
    data_root: Path | None

    @property
    def size(self) -> int:
        """The trials that it leaves."""
        return len(self.finalists)


@dataclass(frozen=True)
class Split:
    """One resampling: the study's whole search, on other images."""

    contender: Contender
    number: int
    n_trials: int
    seed: int  # the confirmation's
    data_root: Path | None
    size: int = 1  # the trials that it leaves


def run(unit: Replicate | Split) -> list[FrozenTrial]:
    """Train a unit; the trials to record, numbered on from those of earlier units."""
    with known_state():
        return _replicate(unit) if isinstance(unit, Replicate) else _split(unit)


def _replicate(unit: Replicate) -> list[FrozenTrial]:
    plan, began = unit.contender.plan, datetime.now()
    seed = derive(unit.seed, "replicates", unit.number)
    pair = _pair(unit.contender, unit.data_root)
    images = prepared(pair, plan.device)
    own = derive(seed, "study", unit.contender.key)
    seeds = [derive(own, "weights", place) for place in range(len(unit.finalists))]
    chosen = [Configuration(t.learning_rate, t.hidden_units) for t in unit.finalists]
    histories = train(
        [build(plan.model_definition, c, seed=s) for c, s in zip(chosen, seeds, strict=True)],
        [configuration.learning_rate for configuration in chosen],
        images,
        plan.protocol,
        seed=seed,
    )
    first = unit.number * len(chosen)
    numbers = range(first, first + len(chosen))
    return [
        _trial(
            plan,
            attributes(
                history, c, s, plan.target, cohort_numbers=numbers, first_of_generation=first
            )
            | {
                "replicate": unit.number,
                "finalist": finalist.number,
                "batch_seed": seed,
                "final_errors": int(history.val_errors[-1]),
                "final_predictions": pack(history.final_predictions),
                "val_labels": pack(pair.labels[pair.n_train :].astype(bool)),
            },
            history.final_error,
            began,
        )
        for history, c, s, finalist in zip(histories, chosen, seeds, unit.finalists, strict=True)
    ]


def _pair(contender: Contender, data_root: Path | None) -> DigitPair:
    pair = load_pair(contender.plan.protocol, data_root)
    if pair.digest != contender.manifest["data_sha256"]:
        raise StudyError(
            f"images of {pair.dataset}: their SHA-256 is not that of study {contender.name!r}: "
            "pass the --data-root that was searched on"
        )
    return pair


def split_order(n: int, *, seed: int, number: int) -> np.ndarray:
    """A random order of all images: the first train, then come validation and holdout, (n,)."""
    return generator(seed, "splits", number).permutation(n)


def require_classes(units: Sequence[Replicate | Split]) -> None:
    """Refuse splits of which a part lacks a class, before anything is trained.

    Raises:
        StudyError: The message names the split, the part and the class.
    """
    for unit in units:
        if isinstance(unit, Split):
            _parts(_pair(unit.contender, unit.data_root), unit)


def _parts(pair: DigitPair, unit: Split) -> tuple[DigitPair, DigitPair]:
    """The images to search on and the holdout, as many as validate.

    Raises:
        StudyError: A class is missing in one of the three parts.
    """
    n_holdout = len(pair.raw) - pair.n_train
    order = split_order(len(pair.raw), seed=unit.seed, number=unit.number)
    inner = pair.taking(order[:-n_holdout], len(pair.raw) - 2 * n_holdout)
    holdout, split = pair.taking(order[-n_holdout:], 1), f"split {unit.number}"
    inner.require_classes(split)
    holdout.require_both(holdout.labels, f"are the holdout of {split}")
    return inner, holdout


def _split(unit: Split) -> list[FrozenTrial]:
    began, contender = datetime.now(), unit.contender
    pair = _pair(contender, unit.data_root)
    inner, holdout = _parts(pair, unit)
    n_holdout = len(holdout.raw)
    planned, history, searched = _search(unit, inner)
    model = build(contender.plan.model_definition, planned.configuration, seed=planned.seed)
    predictions = _answers(model, history, holdout)
    errors = int((predictions != holdout.labels).sum())
    attrs = attributes(
        history,
        planned.configuration,
        planned.seed,
        contender.plan.target,
        cohort_numbers=[unit.number],
        first_of_generation=unit.number,
    ) | {
        "search_trial": planned.place,
        "split": unit.number,
        "n_fit": inner.n_train,
        "searched": searched,
        "n_holdout": n_holdout,
        "holdout_errors": errors,
        "holdout_predictions": pack(predictions),
        "holdout_labels": pack(holdout.labels.astype(bool)),
        "val_labels": pack(inner.labels[inner.n_train :].astype(bool)),
    }
    return [_trial(contender.plan, attrs, errors / n_holdout, began)]


def _search(unit: Split, inner: DigitPair) -> tuple[Planned, History, list[list[Any]]]:
    """Repeat the search inside a split; the winner, and what every trial reached.

    The batch order is the split's, shared by both studies; the sampler's and the initial
    weights' seed is the study's own.
    """
    stored = unit.contender.plan
    batch_seed = derive(unit.seed, "splits", unit.number)
    plan = replace(
        stored,
        protocol=replace(stored.protocol, n_train=inner.n_train),
        seed=derive(batch_seed, "study", unit.contender.key),
        grid=unit.n_trials if stored.grid else None,
    )
    images = images_of(inner, pick_device(plan.device))
    planner = Planner(plan, [])
    found: list[tuple[StoredTrial, Planned, History]] = []
    while len(found) < unit.n_trials:
        began = datetime.now()
        results: list[tuple[Planned, Trained]] = []
        for task in tasks_of(plan, planner, planner.ask(unit.n_trials), inner.digest, None):
            trained = train_on(images, replace(task, seed=batch_seed))
            results += zip(task.trials, trained, strict=True)
        results.sort(key=lambda result: result[0].place)
        frozen = [frozen_trial(plan, planned, trained, began) for planned, trained in results]
        planner.tell(frozen)
        found += [
            (StoredTrial.of(trial), planned, trained.history)
            for trial, (planned, trained) in zip(frozen, results, strict=True)
        ]
    complete = [entry for entry in found if entry[0].state == "COMPLETE"]
    _, planned, history = min(complete, key=lambda entry: rank(entry[0]))
    searched = [[t.learning_rate, t.hidden_units, t.val_errors, t.state] for t, _, _ in found]
    return planned, history, searched


def _answers(model: nn.Module, history: History, pair: DigitPair) -> np.ndarray:
    """What the model with the history's best weights says of all images, (N,) bool."""
    weights = {name: torch.from_numpy(array) for name, array in history.weights.items()}
    model.load_state_dict(weights)
    with known_state(), torch.no_grad():
        logits: torch.Tensor = model(torch.from_numpy(pair.images))
        return logits[:, 0].numpy() > 0


def _trial(plan: Plan, attrs: dict[str, Any], value: float, began: datetime) -> FrozenTrial:
    """A finished trial whose digest covers all its attributes."""
    names = plan.space.distributions()
    trial = create_trial(
        state=TrialState.COMPLETE,
        value=value,
        params={name: attrs[name] for name in names},
        distributions=names,
        user_attrs=attrs | {"digest": digest(attrs, value)},
    )
    trial.datetime_start, trial.datetime_complete = began, not_before(began)
    return trial
