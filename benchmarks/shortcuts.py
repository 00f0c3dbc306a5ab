"""What pruning and stopping at the target save: ``python -m benchmarks.shortcuts``.

Pruning: the same random MLP trials under every pruner, a study a seed; so the best error that
a pruner keeps can be held against the best error of all. Target: seconds from the first ask to
the first recorded trial at the target, this package (whole generations) beside plain Optuna,
both with the TPE sampler on fresh SQLite files, after imports.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.child import call
from benchmarks.machine import cores, describe
from benchmarks.work import N_VAL, Work
from study.training.registry import MODELS

if TYPE_CHECKING:
    import pandas as pd

    from study.search import Outcome

TRIALS = 32  # of a study with a pruner
LIMIT = 64  # trials at which the way to the target is given up


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser("python -m benchmarks.shortcuts", description=__doc__)
    found.add_argument("--seeds", type=int, default=5, help="default: 5")
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    found.add_argument("--quick", action="store_true", help="one seed of tiny trials")
    return found


def main() -> int:
    """Measure, print, write two CSVs."""
    import pandas as pd

    args = parser().parse_args()
    seeds, steps = (1, 500) if args.quick else (args.seeds, 5_000)
    machine = describe()
    print(machine)
    args.out.mkdir(parents=True, exist_ok=True)
    pruned = pd.DataFrame(pruning(seeds, steps, 8 if args.quick else TRIALS))
    target = pd.DataFrame(reaching(seeds, steps, 2 if args.quick else LIMIT))
    for name, frame in (("pruning", pruned), ("target", target)):
        frame.assign(machine=machine).to_csv(args.out / f"{name}.csv", index=False)
    print(f"\n{show_pruning(pruned)}\n\n{show_target(target)}")
    return 0


def pruning(seeds: int, steps: int, trials: int) -> list[dict[str, Any]]:
    """A line a seed and pruner, the pruners of a seed one after the other."""
    from study.training.pruning import PRUNERS

    works = [Work("mlp", (), cores(), steps, seed) for seed in range(seeds)]
    return [
        {"seed": work.seed, "pruner": name} | call("shortcuts:pruned", work, name, trials)
        for work in works
        for name in PRUNERS
    ]


def pruned(work: Work, pruner: str, trials: int) -> dict[str, Any]:
    """One search: its seconds, the share of the steps that it trained, its best error."""
    from study.trials import best_of

    outcome = _search(work, pruner=pruner, sampler="random", n_trials=trials)
    best = best_of(outcome.trials)
    full = len(work.protocol.validation_steps)
    return {
        "seconds": outcome.seconds,
        "steps_share": sum(len(t.curve["step"]) for t in outcome.trials) / trials / full,
        "val_errors": best.val_errors if best else None,
    }


def reaching(seeds: int, steps: int, limit: int) -> list[dict[str, Any]]:
    """A line a model, seed and peer: seconds and trials until the target."""
    works = [Work(model, (), cores(), steps, seed) for seed in range(seeds) for model in MODELS]
    return [
        {"model": work.model, "seed": work.seed, "peer": peer}
        | call(f"shortcuts:{peer}_target", work, limit)
        for work in works
        for peer in ("plain", "study")
    ]


def study_target(work: Work, limit: int) -> dict[str, Any]:
    """This package with ``--until-target``."""
    outcome = _search(work, n_trials=limit, until_target=True, sampler="tpe")
    best = min(trial.val_error for trial in outcome.trials)
    met = best <= MODELS[work.model].target
    return {"seconds": outcome.seconds, "trials": len(outcome.trials), "met": met}


def plain_target(work: Work, limit: int) -> dict[str, Any]:
    """Plain Optuna with a callback that stops the study at the target."""
    import numpy as np
    import optuna

    from benchmarks.peers.plain import Objective

    target = MODELS[work.model].target

    def stop(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if trial.value is not None and trial.value <= target:
            study.stop()

    np.random.seed(work.seed)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    named = replace(work, trials=tuple((number, 0.0) for number in range(limit)))
    objective = Objective(named, range(limit))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        sampler = optuna.samplers.TPESampler(seed=work.seed)
        study = optuna.create_study(storage=f"sqlite:///{folder}/plain.db", sampler=sampler)
        study.optimize(objective, n_trials=limit, callbacks=[stop])
        seconds = time.perf_counter() - began
        met = study.best_value <= target
        return {"seconds": seconds, "trials": len(study.trials), "met": met}


def _search(work: Work, *, n_trials: int, until_target: bool = False, **plan: Any) -> Outcome:
    """A search on a new SQLite file, by open workers."""
    from study.search import Settings, search

    with work.open() as pool, tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            f"sqlite:///{folder}/study.db", work.model, n_trials, until_target=until_target
        )
        return search(replace(work.plan, **plan), settings, pool=pool)


def show_pruning(frame: pd.DataFrame) -> str:
    """A line a pruner: medians over the seeds, and how often the best error was kept."""
    base = frame[frame["pruner"] == "none"].set_index("seed")
    own = frame.assign(
        time_share=frame["seconds"] / frame["seed"].map(base["seconds"]),
        lost_images=frame["val_errors"] - frame["seed"].map(base["val_errors"]),
    )
    grouped = own.groupby("pruner", sort=False)
    table = grouped.agg(
        steps_share=("steps_share", "median"),
        time_share=("time_share", "median"),
        best_kept=("lost_images", lambda lost: (lost <= 0).sum()),
        most_lost=("lost_images", "max"),
        seeds=("seed", "count"),
    )
    head = f"MLP, 50 hidden units, random sampler; errors in images of {N_VAL:,}"
    return f"{head}\n{table.to_string(float_format='{:.2f}'.format)}"


def show_target(frame: pd.DataFrame) -> str:
    """A line a model: median seconds and trials of both, and the ratio of the medians."""
    figures = ["seconds", "trials"]
    wide = frame.pivot_table(figures, "model", "peer", aggfunc="median")
    wide.columns = [" ".join(names) for names in wide.columns]
    wide["ratio"] = wide["seconds plain"] / wide["seconds study"]
    missed = frame[~frame["met"].astype(bool)].groupby(["model", "peer"]).size()
    note = f"\ntarget not met: {missed.to_dict()}" if len(missed) else ""
    return f"to the target, medians\n{wide.to_string(float_format='{:.2f}'.format)}{note}"


if __name__ == "__main__":
    sys.exit(main())
