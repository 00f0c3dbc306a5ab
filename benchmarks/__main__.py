"""All peers in one run: ``python -m benchmarks``.

In every repeat each row trains its trials once, in a fresh process, one after the other; so
whatever the machine does meanwhile, it does to all of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.check import Reference, compare
from benchmarks.child import Failed, call
from benchmarks.machine import cores, describe
from benchmarks.products import SQUARE
from benchmarks.rows import CLOCKS, OURS, OWN_BATCHES, PEERS, Row, all_rows, chosen, most_searched
from benchmarks.table import Rates, Runs, shape, show, summarise
from benchmarks.work import FOLDED, Absent, Work, gflop
from study.training.registry import MODELS

if TYPE_CHECKING:
    import pandas as pd

QUICK_STEPS = 100
DIFFER = 3  # exit status
NO_GPU = "--device cuda: torch finds no CUDA device here: nothing was measured"


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser("python -m benchmarks", description=__doc__)

    def names(known: tuple[str, ...]) -> dict[str, object]:
        def chosen(text: str) -> list[str]:
            wrong = set(text.split(",")) - set(known)
            if wrong:
                raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: not of {','.join(known)}")
            return text.split(",")

        return {"type": chosen, "default": list(known), "metavar": "A,B"}

    found.add_argument("--repeats", type=int, default=1, help="default: 1")
    found.add_argument("--seed", type=int, default=0, help="default: 0")
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    found.add_argument("--peers", **names(PEERS), help=f"default: {','.join(PEERS)}")
    found.add_argument(
        "--models",
        type=lambda text: text.split(","),
        default=list(MODELS),
        metavar="A,B",
        help=f"default: {','.join(MODELS)}",
    )
    found.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="what trains (default: cpu)"
    )
    found.add_argument("--model-file", metavar="FILE", help="that registers a model of your own")
    found.add_argument(
        "--quick", action="store_true", help="one repeat of tiny trials: checks, times nothing"
    )
    return found


def main() -> int:
    """Measure, check, print, write; 3 if a peer's errors differ, 1 if one failed."""
    args, began = parser().parse_args(), time.monotonic()
    if args.device == "cuda" and not has_gpu():
        print(NO_GPU)
        return 0
    for model in args.models:
        _work(args, model).kind  # noqa: B018 (refused where it is not known)
    steps = QUICK_STEPS if args.quick else 5_000
    machine = describe(args.device)
    say(machine)
    every = all_rows(cores(), quick=args.quick, device=args.device)
    rows = [row for row in every if row.peer in args.peers]
    runs = [Runs(row, model) for model in args.models for row in rows if row.trials[model]]
    planned = {model: plan(model, rows, steps, args) for model in args.models}
    measured = [
        repeat(runs, planned, args, steps) for _ in range(1 if args.quick else args.repeats)
    ]
    rates = Rates.best(measured)
    references = {m: reference(m, planned[m], rows, steps, args) for m in args.models}
    verdicts = [r.seconds and compare(r, references[r.model]) for r in runs]
    table = summarise(runs, rates, steps)
    table["errors"] = [str(v) if v else r.note for v, r in zip(verdicts, runs, strict=True)]
    report(table, rates, machine, steps, args)
    say(f"took {time.monotonic() - began:.0f} s")
    if any(v and not v.agrees for v in verdicts):
        return DIFFER
    return int(any(r.note.startswith("failed") for r in runs))


def has_gpu() -> bool:
    """Whether torch finds a CUDA device."""
    import torch

    return torch.cuda.is_available()


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def plan(model: str, rows: Sequence[Row], steps: int, args: argparse.Namespace) -> dict[str, list]:
    """The trials, from an untimed search as large as the largest timed one."""
    count = most_searched(rows, model)
    say(f"{model}: planning {count} trials")
    found = call("planned:plan", _work(args, model, steps), count)
    return found | {"trials": [(number, rate) for number, rate in found["trials"]]}


def _work(
    args: argparse.Namespace,
    model: str,
    steps: int = QUICK_STEPS,
    trials: Sequence[tuple[int, float]] = (),
    jobs: int = 0,
) -> Work:
    """What a child is asked to do; by default with a job a core, or the one of a GPU."""
    jobs = jobs or (cores() if args.device == "cpu" else 1)
    return Work(model, tuple(trials), jobs, steps, args.seed, args.model_file, args.device)


def repeat(
    runs: list[Runs], planned: dict[str, dict[str, list]], args: argparse.Namespace, steps: int
) -> dict:
    """Run every row once; add to its runs. Returns the rates of matrix products."""
    for done in runs:
        row, model = done.row, done.model
        trials = chosen(planned[model]["trials"], row, model)
        work = _work(args, model, steps, trials, row.jobs)
        try:
            result = call("child:train", row.peer, work)
        except Absent as absent:
            done.note = str(absent)
            continue
        except Failed as failed:
            done.note = f"failed: {failed}"
            say(f"{model}: {row.title}: {done.note}")
            continue
        done.seconds.append(result["seconds"] / len(trials))
        done.compile_s.append(result["compile_s"])
        done.peak_bytes += [result["peak_bytes"]] if result["peak_bytes"] else []
        done.numbers, done.val_errors = [number for number, _ in trials], result["val_errors"]
        say(f"{model}: {row.title}: {done.seconds[-1]:.4f} s a trial, of {len(trials)}")
    shapes = {shape(r.row, r.model) for r in runs if r.row.peer in OURS and r.model in FOLDED}
    return call("products:sgemm", sorted(shapes), args.device)


def reference(
    model: str, planned: dict, rows: Sequence[Row], steps: int, args: argparse.Namespace
) -> Reference:
    """What the trials reach, and what the plain ones reach under other orders of batches."""
    drawn = [row for row in rows if row.peer in OWN_BATCHES]
    trials = {t for row in drawn for t in chosen(planned["trials"], row, model)}
    work = _work(args, model, steps, sorted(trials))
    orders = call("planned:reorder", work) if trials else []
    numbers = [number for number, _ in work.trials]
    return Reference(
        rates=dict(planned["trials"]),
        val_errors=dict(enumerate(planned["val_errors"])),
        reordered=dict(zip(numbers, zip(*orders, strict=True), strict=True)) if trials else {},
    )


def report(
    table: pd.DataFrame, rates: Rates, machine: str, steps: int, args: argparse.Namespace
) -> None:
    """Print the tables and what their columns mean; write the CSVs and the figure."""
    products = rates.frame()
    print(f"{machine}\n\n{show(table)}\n\n{sentences(table, rates, steps)}\n")
    print(products.to_string(index=False, float_format="{:.0f}".format))
    args.out.mkdir(parents=True, exist_ok=True)
    end = "" if args.device == "cpu" else f"-{args.device}"
    stated = table.assign(steps=steps, square_gflop_per_s=rates.square, machine=machine)
    stated.to_csv(args.out / f"benchmark{end}.csv", index=False)
    products.assign(machine=machine).to_csv(args.out / f"products{end}.csv", index=False)
    if "ratio" in table and table["ratio"].notna().any():
        from benchmarks.figure import draw

        draw(table, rates.square, machine, args.out / f"benchmark{end}.png")
    say(f"written to {args.out}/")


def sentences(table: pd.DataFrame, rates: Rates, steps: int) -> str:
    """What the columns mean."""
    models = list(table["model"].unique())
    work = ", ".join(f"{gflop(m, steps):.3g} ({m})" for m in models)
    folded = ", ".join(f"{gflop(m, steps, rates.columns):.3g} ({m})" for m in models)
    clocks = "\n".join(f"  {name}: {CLOCKS[name]}" for name in table["clock"].unique())
    return f"""\
A trial is {steps:,} steps of 100 images, forward and backward, and a validation on
1,791 images every 50 steps: {work} GFLOP with 784 pixels, which is what everyone is
credited. This package does {folded}, with {rates.columns} columns in their place.
of sgemm: of the {rates.square:.0f} GFLOP/s of the best engine on {SQUARE}² products, one a core.
of own shapes: of what the best engine reaches on each of the trainer's own products (below:
members a cohort, jobs cohorts at once; GFLOP/s of all jobs).
peak MiB: of the largest process. errors: lowest validation error of each trial against the
same trial's in an untimed search, learning rates up to 0.1; plain Optuna draws its own batches.
Clocks:
{clocks}"""


if __name__ == "__main__":
    sys.exit(main())
