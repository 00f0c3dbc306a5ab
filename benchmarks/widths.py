"""Which cohort widths are fast: ``python -m benchmarks.widths``.

Trains as many cohorts of W trials as there are cores at once, and states what a study of 64 trials
takes as such cohorts on 2, 4, 8 and 16 workers: the table behind the defaults of
``study.training.registry``. Wide cohorts are faster a trial, and leave workers idle where a study
has few of them. Then what a cohort of MLPs of mixed hidden sizes costs over one of equal sizes,
and one with momentum and weight decay over one without.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from benchmarks.machine import cores, describe
from benchmarks.work import Work, configuration
from study.training.engine import default_engine
from study.training.registry import MODELS, build
from study.training.sgd import optimiser_of
from study.workers import Pool

COHORTS = {"linear": (4, 8, 16, 32, 64), "mlp": (2, 4, 8, 16, 32)}
WORKERS = (2, 4, 8, 16)
TRIALS = 64  # of a study
TINY = (4, 8)
EQUAL, MIXED = (50,) * 8, (16, 24, 32, 40, 60, 68, 76, 84)  # hidden units: 400 in all
PROTOCOL_STEPS = 5_000


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser("python -m benchmarks.widths", description=__doc__)
    found.add_argument("--repeats", type=int, default=3, help="default: 3")
    found.add_argument(
        "--steps", type=int, default=500, help="measured; stated for 5,000 (default: 500)"
    )
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    found.add_argument("--quick", action="store_true", help="tiny widths, to see that it works")
    return found


def main() -> int:
    """Measure both models, print the tables, write the CSV."""
    args = parser().parse_args()
    print(describe())
    frames = []
    for model in MODELS:
        widths = TINY if args.quick else COHORTS[model]
        frame = measure(model, widths, args.steps, args.repeats)
        print(f"\n{show(frame, model)}")
        frames.append(frame.assign(model=model))
    print(f"\nmixed hidden sizes: {mixed(args.steps, args.repeats):.3f} × equal ones")
    for model in MODELS:
        times = descending(model, args.steps, args.repeats)
        print(f"{model} with momentum and weight decay: {times:.3f} × without")
    args.out.mkdir(parents=True, exist_ok=True)
    pd.concat(frames).assign(machine=describe()).to_csv(args.out / "widths.csv", index=False)
    return 0


def measure(model: str, widths: Sequence[int], steps: int, repeats: int) -> pd.DataFrame:
    """Median seconds of a cohort of each width, the repeats interleaved; and of a whole study."""
    rates = [10 ** (-5 + 5 * k / 255) for k in range(256)]
    times: dict[int, list[float]] = {width: [] for width in widths}
    with Work(model, (), cores(), steps, seed=0).open() as pool:
        for repeat in range(repeats + 1):  # the first warms up
            for width in widths:
                trials = tuple((k, rates[k * 37 % 256]) for k in range(width * cores()))
                seconds = cohorts_s(Work(model, trials, cores(), steps, seed=0), pool)
                times[width] += [seconds] if repeat else []
    cohort_s = pd.Series({w: median(found) * PROTOCOL_STEPS / steps for w, found in times.items()})
    cohorts = -(-TRIALS // cohort_s.index)
    frame = pd.DataFrame({f"seconds_{n}": -(-cohorts // n) * cohort_s for n in WORKERS})
    return frame.assign(cohort_seconds=cohort_s).rename_axis("cohort").reset_index()


def cohorts_s(work: Work, pool: Pool) -> float:
    """Seconds to train the work's trials as one cohort a core, all at once."""
    from study.training.work import train_cohort

    tasks = work.cohorts(work.jobs)
    began = time.perf_counter()
    for _ in pool.results(train_cohort, tasks):
        pass
    return time.perf_counter() - began


def mixed(steps: int, repeats: int) -> float:
    """Median seconds of a cohort of ``MIXED`` hidden sizes over those of ``EQUAL`` ones."""
    equal, other = ([{"hidden_units": n} for n in sizes] for sizes in (EQUAL, MIXED))
    return ratio("mlp", (equal, other), steps, repeats)


def descending(model: str, steps: int, repeats: int) -> float:
    """Median seconds of a default cohort with momentum and weight decay over one without."""
    width = MODELS[model].cohort
    plain, other = [{}] * width, [{"momentum": 0.9, "weight_decay": 1e-4}] * width
    return ratio(model, (plain, other), steps, repeats)


def ratio(
    model: str, cohorts: tuple[list[dict[str, Any]], ...], steps: int, repeats: int
) -> float:
    """Median seconds of the second cohort over those of the first, trained in turns."""
    from study.training.trainer import train

    kind, work = MODELS[model], Work(model, (), 1, steps, 0)
    images, times = work.images(), [[] for _ in cohorts]
    for _ in range(repeats + 1):  # the first warms up
        for members, found in zip(cohorts, times, strict=True):
            settings = [configuration(kind, 0.1) | member for member in members]
            built = [build(kind, each, seed=k) for k, each in enumerate(settings)]
            began = time.perf_counter()
            train(
                built,
                **optimiser_of(settings),
                images=images,
                protocol=work.protocol,
                seed=0,
                engine=default_engine(),
            )
            found.append(time.perf_counter() - began)
    first, second = (median(found[1:]) for found in times)
    return second / first


def show(frame: pd.DataFrame, model: str) -> str:
    """Widths down, workers across; then what the default costs over the fastest."""
    cells = frame.set_index("cohort")[[f"seconds_{n}" for n in WORKERS]].set_axis(WORKERS, axis=1)
    head = f"{model}: seconds of a study of {TRIALS}; cohort down, workers across"
    text = f"{head}\n{cells.to_string(float_format='{:.2f}'.format)}"
    default = MODELS[model].cohort
    if default not in cells.index:
        return text
    over = ", ".join(f"{share:.0%}" for share in cells.loc[default] / cells.min() - 1)
    return f"{text}\ndefault {default}: {over} over the fastest"


if __name__ == "__main__":
    sys.exit(main())
