"""How long an answer takes: ``python -m benchmarks.answer``.

Runs the whole command ``python -m study`` once on a new storage and notes when it is how far:
from the exec of the command, with imports and the start of the workers. The first step is noted
by ``benchmarks/watch``. The searches end, and the confirmation begins and ends, with their stored
trials. The first report is there when the command says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from benchmarks.child import ROOT
from benchmarks.machine import cores, describe
from study.confirm.plan import PARTS
from study.storage.searched import Searched
from study.training.registry import MODELS

WRITTEN = "index.html (and"  # in the line that says that a report is there
STEP, SEARCHED, REPORT, CONFIRMING, CONFIRMED, ALL = (
    "first training step",
    "both searches",
    "first report",
    "confirmation begins",
    "confirmation",
    "whole command",
)


@dataclass(frozen=True)
class Answer:
    """When the command was how far, in seconds after its exec; and the studies that it left."""

    storage: str
    seconds: Mapping[str, float]
    searched: Mapping[str, Searched]  # by name


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The options of a command that measures answers."""
    found = argparse.ArgumentParser(f"python -m {name}", description=description)
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    found.add_argument("--quick", action="store_true", help="tiny searches and confirmation")
    return found


QUICK = ("--n-trials=4", "--steps=100", "--seeds=2", "--splits=2")


def main() -> int:
    """Measure, print, write the CSV and the figure."""
    options = parser("benchmarks.answer", __doc__)
    options.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="what trains (default: cpu)"
    )
    options.add_argument("--no-confirm", action="store_true", help="the first report ends it")
    args = options.parse_args()
    machine = describe(args.device)
    given = [f"--device={args.device}", *(["--no-confirm"] if args.no_confirm else [])]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), *given, *(QUICK if args.quick else ()))
    write(found, machine, args.out, "" if args.device == "cpu" else f"-{args.device}")
    return 0


def measure(folder: Path, *options: str) -> Answer:
    """Run the command in an empty folder, with a job for each core."""
    steps, storage = folder / "steps", f"sqlite:///{folder}/study.db"
    watched = {"PYTHONPATH": f"{ROOT}/benchmarks/watch", "STUDY_FIRST_STEPS": str(steps)}
    command = [sys.executable, "-m", "study", f"--storage={storage}", f"--out={folder}/reports"]
    began = time.time()
    with subprocess.Popen(
        [*command, f"--jobs={cores()}", *options],
        cwd=folder,
        env=os.environ | watched | {"PYTHONUNBUFFERED": "1", "TZ": "UTC"},
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        lines = [(time.time(), line) for line in running.stdout]
    ended = time.time()
    if running.returncode:
        raise SystemExit(f"python -m study: ended with status {running.returncode}")
    parts = [name + part for name in MODELS for part in PARTS if "--no-confirm" not in options]
    times = {
        STEP: min(map(float, steps.read_text().split())),
        SEARCHED: max(_times(storage, name)[1] for name in MODELS),
        REPORT: min(at for at, line in lines if WRITTEN in line),
        CONFIRMING: min((_times(storage, name)[0] for name in parts), default=None),
        CONFIRMED: max((_times(storage, name)[1] for name in parts), default=None),
        ALL: ended,
    }
    return Answer(
        storage,
        {name: at - began for name, at in times.items() if at is not None},
        {name: Searched.read(storage, name) for name in MODELS},
    )


def _times(storage: str, name: str) -> tuple[float, float]:
    """When a study's first trial began and its last one was recorded, in seconds since 1970."""
    import optuna

    trials = optuna.load_study(study_name=name, storage=storage).trials
    begun = min(trial.datetime_start for trial in trials)
    ended = max(trial.datetime_complete for trial in trials)
    return begun.replace(tzinfo=UTC).timestamp(), ended.replace(tzinfo=UTC).timestamp()


def write(found: Answer, machine: str, out: Path, end: str = "") -> None:
    """Print the times; write the CSV and the figure."""
    import pandas as pd

    frame = pd.DataFrame({"event": list(found.seconds), "seconds": list(found.seconds.values())})
    print(f"{machine}\n\n{frame.to_string(index=False, float_format='{:.1f}'.format)}")
    out.mkdir(parents=True, exist_ok=True)
    frame.assign(cores=cores(), machine=machine).to_csv(out / f"answer{end}.csv", index=False)
    draw(found.seconds, machine, out / f"answer{end}.png")


def draw(seconds: Mapping[str, float], machine: str, path: Path) -> None:
    """A bar from begin to end for each part of the command."""
    import seaborn as sns
    from matplotlib.figure import Figure

    from benchmarks.figure import style

    spans = [
        ("start", 0.0, seconds[STEP], "0.62"),
        ("searches", seconds[STEP], seconds[SEARCHED], "#b5403a"),
        ("first report", seconds[SEARCHED], seconds[REPORT], "#7aa6c2"),
    ]
    if CONFIRMED in seconds:
        spans += [
            ("confirmation", seconds[CONFIRMING], seconds[CONFIRMED], "#b5403a"),
            ("second report", seconds[CONFIRMED], seconds[ALL], "#7aa6c2"),
        ]
    with style():
        figure = Figure(figsize=(7.2, 2.2), layout="constrained")
        ax = figure.subplots()
        for place, (_, begin, end, colour) in enumerate(spans):
            ax.barh(place, end - begin, left=begin, height=0.6, color=colour)
            ax.annotate(f"{end:.1f} s", (end, place), (4, 0), textcoords="offset points",
                        va="center", fontsize="small")  # fmt: skip
        ax.set_yticks(range(len(spans)), [name for name, *_ in spans])
        ax.invert_yaxis()
        ax.set(xlabel="seconds after the command", xlim=(0, 1.12 * seconds[ALL]))
        ax.tick_params(axis="y", length=0)
        sns.despine(ax=ax, left=True)
        figure.text(0, -0.02, machine, fontsize="x-small", color="0.4", va="top")
        figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.08)


if __name__ == "__main__":
    sys.exit(main())
