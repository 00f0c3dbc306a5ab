"""Is the verdict right, and how often? ``python -m benchmarks.calibration``.

It searches the reference study's two models and retrains their best trials, and measures how much
the true difference of two models varies between training sets. Then it simulates comparisons on
images like those, for each way to divide the data: how often the rule says "better" where nothing
differs, how often its interval holds the truth, and which differences it finds. At last it
compares each model with itself.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.calibration import aa, page, reference, subsets
from benchmarks.calibration.population import Population
from benchmarks.calibration.simulate import Case, simulate
from benchmarks.machine import cores, describe

OUT = Path("reports/calibration")
DIFFERENCES = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.015)  # true ones, fractions
NO_FILES = "the other pairs need the official files: pass --data-root DIR"
EASY = 0.1  # of the errors: most pairs of digits are easier than 4 and 9
CERTAIN = 2  # standard errors: how much larger than measured the effects may be


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser("python -m benchmarks.calibration", description=__doc__)
    found.add_argument(
        "--comparisons", type=int, default=5_000, help="of each row (default: 5,000)"
    )
    found.add_argument("--seed", type=int, default=0, help="of the simulation (default: 0)")
    found.add_argument("--jobs", type=int, default=cores(), help="processes")
    found.add_argument("--data-root", type=Path, help="official files, for the A/A comparisons")
    found.add_argument("--out", type=Path, default=OUT, help=f"the folder (default: {OUT})")
    found.add_argument("--quick", action="store_true", help="tiny settings: measures nothing")
    return found


def main() -> int:
    """Measure, simulate, compare each model with itself; write three tables."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    args, began = parser().parse_args(), time.monotonic()
    machine = describe().partition(", BUSY")[0]  # no time is measured here
    args.out.mkdir(parents=True, exist_ok=True)
    variances, cases = measured(args)
    _write(variances, args.out / "variances.csv", machine)
    _say(began, "measured")
    rates = simulate(
        cases,
        comparisons=20 if args.quick else args.comparisons,
        seed=args.seed,
        processes=args.jobs,
    )
    _write(rates, args.out / "calibration.csv", machine)
    _say(began, "simulated")
    print(page.shown(args.out))
    if args.data_root is None:
        print(f"each model against itself: on 4/9 alone: {NO_FILES}")
    found = aa.frame(args.data_root, jobs=args.jobs, quick=args.quick)
    _write(found, args.out / "aa.csv", machine)
    print(f"\n{found.to_string()}")
    _say(began, "compared each model with itself")
    return 0


def measured(args: argparse.Namespace) -> tuple[pd.DataFrame, list[Case]]:
    """The variances of subsets, and the populations to compare models on."""
    from study.workers import Workers

    with tempfile.TemporaryDirectory() as folder:
        found = reference.make(
            Path(folder) / "study.db",
            trials=2 if args.quick else 64,
            seeds=2 if args.quick else 20,
            steps=100 if args.quick else 5_000,
            workers=Workers(args.jobs),
        )
    variances = subsets.measure(
        found.configurations,
        divisions=2 if args.quick else subsets.DIVISIONS,
        steps=100 if args.quick else 5_000,
        processes=args.jobs,
    )
    return variances, cases_of(found, variances)


def cases_of(found: reference.Reference, variances: pd.DataFrame) -> list[Case]:
    """4/9, the same with larger effects, a tenth of its error, and each model against itself."""
    linear, mlp = (found.wrong[name] for name in reference.NAMES)
    effects = subsets.effects(variances, "difference")
    larger = subsets.effects(variances, "difference", standard_errors=CERTAIN)
    tenth = tuple(EASY * d for d in DIFFERENCES)
    return [
        Case("4/9", Population.of_pair(linear, mlp, effects), DIFFERENCES),
        Case("4/9, larger effects", Population.of_pair(linear, mlp, larger), DIFFERENCES),
        Case("a tenth of the error", Population.of_pair(linear, mlp, effects, EASY), tenth),
        *(
            Case(f"{name} against itself", Population.of_one(found.wrong[name], own), (0.0,))
            for name in reference.NAMES
            for own in [subsets.effects_of_one(variances, name)]
        ),
    ]


def _write(frame: pd.DataFrame, path: Path, machine: str) -> None:
    frame.assign(machine=machine).to_csv(path, index=False, float_format="%.6g")


def _say(began: float, what: str) -> None:
    print(f"{what}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
