"""Which widths are fast: ``python -m benchmarks.widths``.

Trains generations of G trials as cohorts of W on all cores, and prints the seconds a trial:
the table behind the defaults of ``study.training.registry``; then what a cohort of MLPs of mixed
hidden sizes costs over one of equal sizes, and one with momentum and weight decay over one
without. A default is the smallest generation, and in it the narrowest cohort, that is near the
fastest: the sampler learns only between generations, so that a smaller one searches better.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from benchmarks.machine import cores, describe
from benchmarks.work import Work, configuration
from study.training.images import Images
from study.training.registry import MODELS, build
from study.training.sgd import optimiser_of

GENERATIONS = {"linear": (16, 32, 64, 128, 256), "mlp": (8, 16, 32, 64)}
COHORTS = {"linear": (8, 16, 32, 64, 128), "mlp": (2, 4, 8, 16, 32)}
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
        generations = TINY if args.quick else GENERATIONS[model]
        cohorts = TINY if args.quick else COHORTS[model]
        cells = [(g, w) for g in generations for w in cohorts if w <= g]
        frame = measure(model, cells, args.steps, args.repeats)
        print(f"\n{show(frame, model)}")
        frames.append(frame.assign(model=model))
    print(f"\nmixed hidden sizes: {mixed(args.steps, args.repeats):.3f} × equal ones")
    for model in MODELS:
        times = descending(model, args.steps, args.repeats)
        print(f"{model} with momentum and weight decay: {times:.3f} × without")
    args.out.mkdir(parents=True, exist_ok=True)
    pd.concat(frames).assign(machine=describe()).to_csv(args.out / "widths.csv", index=False)
    return 0


def measure(model: str, cells: list[tuple[int, int]], steps: int, repeats: int) -> pd.DataFrame:
    """Median seconds a trial of each (generation, cohort), the repeats interleaved."""
    rates = [10 ** (-5 + 5 * k / 255) for k in range(256)]
    times: dict[tuple[int, int], list[float]] = {cell: [] for cell in cells}
    images = Work(model, (), 1, steps, 0).images()
    for _ in range(repeats):
        for size, width in cells:
            trials = tuple((k, rates[k * 37 % 256]) for k in range(size))
            work = Work(model, trials, cores(), steps, seed=0)
            times[size, width].append(generation_s(work, width, images))
    return pd.DataFrame(
        {
            "generation": size,
            "cohort": width,
            "seconds_per_trial": median(found) / size * PROTOCOL_STEPS / steps,
        }
        for (size, width), found in times.items()
    )


def generation_s(work: Work, width: int, images: Images) -> float:
    """Seconds to train the work's trials as cohorts of ``width``, one a core at a time."""
    from joblib import Parallel, delayed

    from study.training.batches import draw_batches
    from study.training.trainer import train

    members = work.members()
    draw_batches(work.protocol, seed=work.seed)
    began = time.perf_counter()
    Parallel(n_jobs=work.jobs, backend="threading")(
        delayed(train)(
            members[start : start + width],
            work.learning_rates[start : start + width],
            images,
            work.protocol,
            seed=work.seed,
        )
        for start in range(0, len(members), width)
    )
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
            )
            found.append(time.perf_counter() - began)
    first, second = (median(found[1:]) for found in times)
    return second / first


def show(frame: pd.DataFrame, model: str) -> str:
    """Generations down, cohorts across; then what the default costs over the fastest."""
    kind = MODELS[model]
    cells = frame.pivot(index="generation", columns="cohort", values="seconds_per_trial")
    head = f"{model}: seconds a trial on {cores()} cores; generation down, cohort across"
    text = f"{head}\n{cells.to_string(float_format='{:.4f}'.format, na_rep='')}"
    default = frame.query("generation == @kind.generation and cohort == @kind.cohort")
    if default.empty:
        return text
    seconds = default["seconds_per_trial"].item()
    over = seconds / frame["seconds_per_trial"].min() - 1
    return (
        f"{text}\ndefault {kind.generation} / {kind.cohort}: {seconds:.4f}, {over:.0%} over best"
    )


if __name__ == "__main__":
    sys.exit(main())
