"""Which sampler finds the better model: ``python -m benchmarks.samplers``.

Every seed draws training, validation and holdout images as a confirmation's split does. On these
each sampler searches; the trial with the lowest validation error is looked at once on the
holdout. All samplers of a seed share images, batches and each trial's initial weights, so their
differences are paired: the table has their mean over the seeds, with its standard error.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.machine import cores, describe
from study.training.plan import Plan
from study.training.registry import MODELS, default_space

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from torch import nn

    from study.dataset import Data
    from study.training.history import History
    from study.training.task import Planned

SAMPLERS = ("tpe", "qmc", "random")
GENERATION = 16  # trials; tpe learns between generations
COHORTS = {"linear": 16, "mlp": 8}
FIGURES = {"val_errors": "validation", "holdout_errors": "holdout"}


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser("python -m benchmarks.samplers", description=__doc__)
    found.add_argument("--seeds", type=int, default=10, help="default: 10")
    found.add_argument("--trials", type=int, default=64, help="of a search (default: 64)")
    found.add_argument("--steps", type=int, default=5_000, help="of a trial (default: 5,000)")
    found.add_argument("--jobs", type=int, default=cores(), help="searches at once")
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    found.add_argument("--quick", action="store_true", help="two seeds of tiny searches")
    return found


def main() -> int:
    """Search, print the table, write the CSV; it grows with every search that is done."""
    args = parser().parse_args()
    if args.quick:
        args = argparse.Namespace(**vars(args) | {"seeds": 2, "trials": 4, "steps": 100})
    machine = describe().partition(", BUSY")[0]  # no time is measured here
    print(machine)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in measure(args.seeds, args.trials, args.steps, args.jobs):
        rows.append(row | {"machine": machine})
        pd.DataFrame(rows).to_csv(args.out / "samplers.csv", index=False)
    print(f"\n{show(pd.DataFrame(rows))}")
    return 0


def measure(seeds: int, trials: int, steps: int, jobs: int) -> Iterator[dict[str, Any]]:
    """A row a seed, model and sampler, in this order, the quick model first."""
    from joblib import Parallel, delayed

    found: Iterator[dict[str, Any]] = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(searched)(model, sampler, seed, trials, steps)
        for model, seed, sampler in product(MODELS, range(seeds), SAMPLERS)
    )
    return found


def searched(model: str, sampler: str, seed: int, trials: int, steps: int) -> dict[str, Any]:
    """One search on a seed's images, and the holdout errors of the trial that it chooses."""
    import optuna

    from study import dataset
    from study.confirm.division import divide
    from study.seeds import derive
    from study.training.protocol import Protocol

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    inner, holdout = divide(dataset.load(), seed=seed, number=0, folds=0)
    plan = Plan(
        model=model,
        space=default_space(MODELS[model]),
        protocol=Protocol(n_train=inner.n_train, steps=steps),
        seed=derive(seed, "study"),
        sampler=sampler,
        generation_size=GENERATION,
        cohort_size=COHORTS[model],
    ).settled()
    planned, history = best_of_search(plan, inner, trials)
    return {
        "model": model,
        "seed": seed,
        "sampler": sampler,
        "trials": trials,
        "steps": steps,
        "engine": plan.engine,
        "trial": planned.place,
        **planned.configuration,
        "val_errors": int(history.val_errors[history.best]),
        "n_val": history.n_val,
        "holdout_errors": int(wrong(plan, planned, history, holdout).sum()),
        "n_holdout": len(holdout.raw),
    }


def best_of_search(plan: Plan, inner: Data, trials: int) -> tuple[Planned, History]:
    """The trial that a search of so many chooses."""
    from datetime import datetime

    from study.search.planner import Planner, tasks_of
    from study.training.work import prepared, train_on
    from study.trials import StoredTrial, rank
    from study.trials.frozen import frozen_trial

    planner, images, found = Planner(plan, []), prepared(inner, plan.device), []
    while len(found) < trials:
        tasks = tasks_of(plan, planner, planner.ask(trials), inner.digest, None)
        results = [
            pair
            for task in tasks
            for pair in zip(task.trials, train_on(images, task), strict=True)
        ]
        results.sort(key=lambda result: result[0].place)
        frozen = [frozen_trial(plan, *result, datetime.now()) for result in results]
        planner.tell(frozen)
        found += zip(map(StoredTrial.of, frozen), results, strict=True)
    _, (planned, trained) = min(found, key=lambda entry: rank(entry[0]))
    return planned, trained.history


def wrong(plan: Plan, planned: Planned, history: History, holdout: Data) -> np.ndarray:
    """Which of the holdout's images the trial errs on, with its weights at the best step."""
    from study.training.registry import build

    model = build(plan.model_definition, planned.configuration, seed=planned.seed)
    return misjudged(model, history, holdout)


def misjudged(model: nn.Module, history: History, holdout: Data) -> np.ndarray:
    """The images that a model errs on with the history's best weights, (N,) booleans."""
    import torch

    model.load_state_dict({k: torch.from_numpy(w) for k, w in history.weights.items()})
    with torch.no_grad():
        answers: np.ndarray = (model(torch.from_numpy(holdout.images))[:, 0] > 0).numpy()
    return answers != holdout.labels


def show(frame: pd.DataFrame) -> str:
    """A line a model: each sampler's mean; then a line a pair of samplers: the difference."""
    means = frame.groupby(["model", "sampler"], sort=False)[list(FIGURES)].mean()
    head = f"{frame['seed'].nunique()} seeds; errors in images of {frame['n_val'].iloc[0]:,}"
    means, found = means.rename(columns=FIGURES), differences(frame)
    shown = [f.to_string(float_format="{:.2f}".format) for f in (means, found)]
    return f"{head}\n{shown[0]}\n\npaired differences, with their standard errors\n{shown[1]}"


def differences(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a model and pair of samplers: the mean difference over the seeds, and its error."""
    rows = []
    for model, part in frame.groupby("model", sort=False):
        for first, second in combinations(part["sampler"].unique(), 2):
            row = {"model": model, "difference": f"{first} − {second}"}
            for column, name in FIGURES.items():
                wide = part.pivot_table(column, "seed", "sampler")
                each = (wide[first] - wide[second]).dropna()
                row |= {name: each.mean(), f"± {name}": each.sem()}
            rows.append(row)
    return pd.DataFrame(rows).set_index(["model", "difference"])


if __name__ == "__main__":
    sys.exit(main())
