"""Each model against itself: two searches that differ in their seeds alone.

Nothing differs, so every "better" is false. The pairs, the protocol and the seeds stood here
before the first run, and the counts are published whatever they are. Each comparison is all that
a person's is: two searches, a confirmation, the verdict.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pandas as pd

from study.confirm.comparison import compare
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.search.loop import Settings, search
from study.training.plan import Plan
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space
from study.workers import Pool, Workers

BUNDLED = (4, 9)
PAIRS = (BUNDLED, (3, 5), (7, 9), (5, 8), (2, 7), (3, 8), (1, 7), (0, 6))
MODEL_NAMES = ("linear", "mlp")
SEEDS = (1, 2)  # of the first search and of the second
STEPS, TRIALS = 500, 16  # of a trial; of each search, in the splits too


def rows(data_root: Path | None, *, jobs: int, quick: bool = False) -> Iterator[dict]:
    """A row a model and pair of digits; only the bundled pair without the official files."""
    pairs = PAIRS if data_root and not quick else (BUNDLED,)
    of_pairs = {
        (pair, model): [plan_of(pair, model, seed, 100 if quick else STEPS) for seed in SEEDS]
        for pair, model in product(pairs, MODEL_NAMES)
    }
    every = [plan for plans in of_pairs.values() for plan in plans]
    with Workers(jobs).open(every, data_root) as pool:
        for number, plans in enumerate(of_pairs.values()):
            yield _row(plans, number, data_root, pool, n_trials=2 if quick else TRIALS)


def plan_of(pair: tuple[int, int], model: str, seed: int, steps: int) -> Plan:
    """What is searched."""
    protocol = Protocol(classes=pair, steps=steps)
    return Plan(model, default_space(MODELS[model]), protocol, seed=seed)


def _row(
    plans: list[Plan], number: int, data_root: Path | None, pool: Pool, *, n_trials: int
) -> dict:
    model, protocol = plans[0].model, plans[0].protocol
    names = f"{model}-a", f"{model}-b"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder).absolute()}/aa.db"
        for name, plan in zip(names, plans, strict=True):
            settings = Settings(url, name, n_trials=n_trials, data_root=data_root)
            search(plan, settings, pool=pool)
        confirm(
            ConfirmSettings(
                url, names, seeds=2, n_trials=n_trials, seed=number, data_root=data_root
            ),
            pool=pool,
        )
        found = compare(url, names)
    verdict, ends = found.verdict, found.difference.interval
    return {
        "model": model,
        "classes": "/".join(map(str, protocol.classes)),
        "seed": number,
        "error_a": verdict.errors[0],
        "error_b": verdict.errors[1],
        "difference": found.difference.mean,
        "lower": ends.lower,
        "upper": ends.upper,
        "margin": verdict.margin,
        "outcome": verdict.outcome,
        "steps": protocol.steps,
        "trials": n_trials,
        "searches": found.judged.n_splits,
    }


def frame(data_root: Path | None, *, jobs: int, quick: bool = False) -> pd.DataFrame:
    """All comparisons."""
    return pd.DataFrame(rows(data_root, jobs=jobs, quick=quick))
