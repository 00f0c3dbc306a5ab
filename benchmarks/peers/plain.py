"""Plain Optuna as a user would write it: the notebook's loop, one model after the other."""

import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.work import N_VAL, Done, Work


class Given(optuna.samplers.BaseSampler):
    """Samples the learning rates that it is given, in their order.

    ``enqueue_trial`` won't do: two processes on one SQLite file sometimes take the same
    enqueued trial, and one then stops with "Cannot tell a COMPLETE trial".
    """

    def __init__(self, rates: Sequence[float]) -> None:
        self.rates = iter(rates)

    def infer_relative_search_space(self, *_: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, *_: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, *_: Any) -> float:
        return next(self.rates)


class Objective:
    """The notebook's objective; it draws its own batches, as a user's would."""

    def __init__(self, work: Work, places: Sequence[int]) -> None:
        self.work = work
        self.members = iter([work.members()[place] for place in places])
        images = work.images()
        self.train = images.plain[: images.n_train], images.labels[: images.n_train]
        self.validation = images.plain[images.n_train :], images.labels[images.n_train :]

    def __call__(self, trial: optuna.Trial) -> float:
        (x, y), (x_val, y_val) = self.train, self.validation
        protocol, model = self.work.protocol, next(self.members)
        rate = trial.suggest_float("learning_rate", 1e-5, 1, log=True)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        best = 1.0
        for step in range(protocol.steps):
            batch = np.random.choice(len(x), protocol.batch_size, replace=False)
            loss = binary_cross_entropy_with_logits(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % protocol.val_every == 0:
                with torch.no_grad():
                    logits = model(x_val)
                    binary_cross_entropy_with_logits(logits, y_val).item()
                    error = ((logits > 0) != (y_val > 0.5)).float().mean().item()
                best = min(best, error)
                trial.report(error, step)
        return best


def prepare(work: Work, places: Sequence[int], storage: str) -> tuple[Objective, optuna.Study]:
    """An objective for these of the work's trials, and the study to run it in."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = Given([work.learning_rates[place] for place in places])
    study = optuna.create_study(
        storage=storage, study_name="plain", sampler=sampler, load_if_exists=True
    )
    return Objective(work, places), study


def run(work: Work) -> Done:
    """``study.optimize`` on a fresh SQLite file, with torch's own number of threads."""
    with tempfile.TemporaryDirectory() as folder:
        objective, study = prepare(work, range(len(work.trials)), f"sqlite:///{folder}/plain.db")
        np.random.seed(work.seed)
        began = time.perf_counter()
        study.optimize(objective, n_trials=len(work.trials))
        seconds = time.perf_counter() - began
        return Done(seconds, [round(trial.value * N_VAL) for trial in study.trials])
