"""The reference study, made for its replicates: on which images each model errs, seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from study.confirm.evidence import read_evidence
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.search.loop import Settings, search
from study.training.plan import Plan
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space
from study.training.space import Configuration
from study.trials import unpack
from study.workers import Workers

NAMES = ("linear", "mlp")


@dataclass(frozen=True)
class Reference:
    """Both models' best trials: what they are, and where their replicates err."""

    configurations: dict[str, Configuration]  # by model
    wrong: dict[str, np.ndarray]  # by model, (R replicates, n validation images) booleans


def make(storage: Path, *, trials: int, seeds: int, steps: int, workers: Workers) -> Reference:
    """Search both models and retrain their best trials; go on with what the storage has.

    Args:
        storage: The SQLite file.
        trials: Of each search.
        seeds: Replicates of each best trial.
        steps: Of a trial.
        workers: What trains.
    """
    url = f"sqlite:///{storage.absolute()}"
    for name in NAMES:
        plan = Plan(
            model=name, space=default_space(MODELS[name]), protocol=Protocol(steps=steps), seed=0
        )
        search(plan, Settings(url, name, n_trials=trials, workers=workers))
    # a confirmation has splits; those are not read here, and so are as few and small as can be
    few = {"splits": 2, "n_trials": 1, "finalists": 1}
    confirm(ConfirmSettings(url, NAMES, seeds=seeds, workers=workers, **few))
    return read(url)


def read(storage: str) -> Reference:
    """The best trials and their replicates, each at its best step."""
    evidence = read_evidence(storage, NAMES)
    wrong = {
        name: np.array([_wrong(row) for row in found.replicates_of_best])
        for name, found in zip(NAMES, evidence, strict=True)
    }
    best = {n: e.best.parameters for n, e in zip(NAMES, evidence, strict=True)}
    return Reference(best, wrong)


def _wrong(row: dict) -> np.ndarray:
    labels, given = (unpack(row[name], row["n_val"]) for name in ("val_labels", "predictions"))
    return labels != given
