"""What a search adds to training: ``python -m benchmarks.scaling``.

Searches 64, 256, 1,024 and 4,096 linear trials on fresh SQLite files, each in a process of its
own, with the quasi-random sampler and with TPE; and asks the sampler alone for as many.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import reduce
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.child import call
from benchmarks.machine import cores, describe, peak_bytes
from study.training.protocol import Protocol
from study.training.registry import MODELS

SIZES = (64, 256, 1_024, 4_096)
SAMPLERS = ("qmc", "tpe")
PARTS = {  # what is timed: attributes of study.search.loop
    "planning": ("Planner.__init__", "Planner.ask", "Planner.tell"),
    "recording": ("storage.Ledger.append", "keep_weights", "drop_weights"),
}


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser("python -m benchmarks.scaling", description=__doc__)
    found.add_argument("--steps", type=int, default=5_000, help="of a trial (default: 5000)")
    found.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="trials a study")
    found.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    found.add_argument("--quick", action="store_true", help="tiny studies of 50 steps")
    return found


def main() -> int:
    """Measure, print, write the CSV and the figure."""
    import pandas as pd

    args = parser().parse_args()
    sizes, steps = ([8, 40], 50) if args.quick else (args.sizes, args.steps)
    machine, lines = describe(), []
    for sampler in args.samplers:
        for size in sizes:
            lines.append(call("scaling:measure", sampler, size, steps))
            print(
                {k: round(v, 5) if k[-2:] == "_s" else v for k, v in lines[-1].items()}, flush=True
            )
    frame = pd.DataFrame(lines)
    print(f"\n{machine}; linear trials of {steps:,} steps; seconds a trial\n")
    print(frame.to_string(index=False, float_format="{:.5f}".format))
    args.out.mkdir(parents=True, exist_ok=True)
    frame.assign(machine=machine).to_csv(args.out / "scaling.csv", index=False)
    draw(frame, machine, args.out / "scaling.png")
    return 0


def measure(sampler: str, size: int, steps: int) -> dict[str, Any]:
    """One search: seconds a trial by part, peak memory, and what the sampler alone takes."""
    from study.search import Settings, loop, search
    from study.workers import Workers

    spent = dict.fromkeys(PARTS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        search(_plan(sampler, 1), Settings(f"{folder}/warm.db", "warm", n_trials=1))
        plan = _plan(sampler, steps)
        settings = Settings(f"{folder}/study.db", "linear", size, Workers(cores()))
        began = time.perf_counter()
        with timed(loop, spent):
            outcome = search(plan, settings)
        total = time.perf_counter() - began
    peak = peak_bytes()
    alone = sampler_alone(sampler, [(t.learning_rate, t.val_error) for t in outcome.trials])
    overhead = sum(spent.values())
    return {
        "sampler": sampler,
        "trials": size,
        "steps": steps,
        "planning_s": spent["planning"] / size,
        "recording_s": spent["recording"] / size,
        "sampler_alone_s": alone / size,
        "total_s": total / size,
        "overhead_to_sampler": overhead / alone,
        "peak_mib": peak / 2**20 if peak else None,
    }


def _plan(sampler: str, steps: int) -> Any:
    """A search of the linear model with the sampler's default widths."""
    from study.search import Plan
    from study.training.registry import default_space

    kind = MODELS["linear"]
    return Plan(
        model=kind.name,
        space=default_space(kind),
        protocol=Protocol(steps=steps),
        target=kind.target,
        sampler=sampler,
    ).settled()


@contextmanager
def timed(module: Any, spent: dict[str, float]) -> Iterator[None]:
    """Count the seconds inside ``PARTS`` of the module into ``spent``."""

    def clocked(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[part] += time.perf_counter() - began

        return run

    with ExitStack() as stack:
        for part, names in PARTS.items():
            for name in names:
                *owner, attribute = name.split(".")
                found = reduce(getattr, owner, module)
                clock = clocked(part, getattr(found, attribute))
                stack.enter_context(patch.object(found, attribute, clock))
        yield


def sampler_alone(name: str, trials: list[tuple[float, float]]) -> float:
    """Seconds that Optuna in memory takes to ask and tell as many trials with these values."""
    import optuna

    samplers = {"tpe": optuna.samplers.TPESampler, "qmc": optuna.samplers.QMCSampler}
    plan = _plan(name, 1)
    study = optuna.create_study(sampler=samplers[name](seed=0))
    began = time.perf_counter()
    for start in range(0, len(trials), plan.generation_size):
        part = trials[start : start + plan.generation_size]
        asked = [study.ask(plan.space) for _ in part]
        for trial, (_, value) in zip(asked, part, strict=True):
            study.tell(trial, value)
    return time.perf_counter() - began


def draw(frame: Any, machine: str, path: Path) -> None:
    """Milliseconds a trial over the size of the study, a panel a sampler; peak memory below."""
    import seaborn as sns
    from matplotlib.figure import Figure

    from benchmarks.figure import style

    names = {
        "total_s": "whole search",
        "planning_s": "planning",
        "sampler_alone_s": "the sampler alone",
        "recording_s": "recording",
    }
    palette = dict(zip(names.values(), ("0.2", "#b5403a", "#e0a09c", "#7aa6c2"), strict=True))
    long = frame.melt(["sampler", "trials"], list(names), "part", "ms")
    long = long.assign(part=long["part"].map(names), ms=long["ms"] * 1e3)
    with style():
        figure = Figure(figsize=(9.6, 3.9), layout="constrained")
        axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.8])
        axes[1].sharey(axes[0])
        for ax, (sampler, part) in zip(axes, long.groupby("sampler", sort=False), strict=False):
            sns.lineplot(
                part, x="trials", y="ms", hue="part", style="part", markers=True, palette=palette,
                legend=ax is axes[0], ax=ax,
            )  # fmt: skip
            ax.set(yscale="log", ylabel="milliseconds a trial", xlabel="trials in the study")
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            ax.set_title(f"{sampler} sampler", loc="left")
        handles, labels = axes[0].get_legend_handles_labels()
        axes[0].get_legend().remove()
        figure.legend(handles, labels, loc="outside upper left", ncols=4, frameon=False)
        sns.lineplot(
            frame, x="trials", y="peak_mib", hue="sampler", style="sampler", markers=True,
            palette=["0.2", "#b5403a"][: frame["sampler"].nunique()], ax=axes[2],
        )  # fmt: skip
        axes[2].axhline(1536, color="0.5", lw=0.9, ls=(0, (4, 3)))
        axes[2].set(ylim=(0, 1700), ylabel="MiB", xlabel="trials in the study")
        axes[2].set_title("peak memory", loc="left")
        axes[2].legend(title=None, frameon=False, fontsize="small", loc="lower right")
        for ax in axes:
            ax.set_xscale("log", base=2)
            ax.set_xticks(sorted(frame["trials"].unique()))
            ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            ax.minorticks_off()
        sns.despine(figure)
        figure.text(0, -0.02, machine, fontsize="x-small", color="0.4", va="top")
        figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.08)


if __name__ == "__main__":
    sys.exit(main())
