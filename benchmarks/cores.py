"""What more cores bring: ``python -m benchmarks.cores``.

Runs ``python -m study`` once (see :mod:`benchmarks.answer`), measures how long a cohort of each
kind and size takes on one thread while every core has one, and schedules the very cohorts of that
command on 1 to 32 workers: in the order in which its pool hands them out, and none before what it
waits for. The schedule for this machine's cores is held against the measured run.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna

from benchmarks import answer
from benchmarks.child import call
from benchmarks.machine import cores, describe
from study.training.registry import MODELS
from study.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from study.storage.searched import Searched
    from study.training.plan import Plan

WORKERS = (1, 2, 4, 8, 16, 32)
IN_FLIGHT = 4  # tasks a worker that a stream has handed over at once: study.workers.ordered


@dataclass(frozen=True)
class Stream:
    """Tasks that are handed over in their order, as soon as others are done."""

    name: str
    seconds: Sequence[float]  # of each task
    after: tuple[str, ...] = ()  # the streams that it waits for
    is_planner: bool = False  # the planner's own work: it takes a core at once


@dataclass
class Schedule:
    """When every stream ended, in seconds after the first task began."""

    ends: dict[str, float] = field(default_factory=dict)
    busy: float = 0.0  # seconds of all workers at tasks of the pool

    def training(self, streams: Iterable[Stream]) -> float:
        """When the last cohort was done."""
        return max(self.ends[stream.name] for stream in streams if not stream.is_planner)


def simulate(streams: Sequence[Stream], workers: int) -> Schedule:
    """Schedule the streams' tasks on so many workers.

    One queue, first in first out: a stream keeps a bounded number of tasks in it or at work, and
    adds the next one when the earliest of these is done.
    """
    found = Schedule()
    queue: deque[tuple[str, int]] = deque()
    running: list[tuple[float, str, int]] = []  # (end, stream, task)
    given, done = dict.fromkeys((s.name for s in streams), 0), {s.name: set() for s in streams}
    now = 0.0
    while len(found.ends) < len(streams):
        for stream in streams:
            if all(name in found.ends for name in stream.after):
                _hand_over(stream, queue, given, done[stream.name], workers)
        while queue and len(running) < workers:
            name, task = queue.popleft()
            stream = next(s for s in streams if s.name == name)
            heapq.heappush(running, (now + stream.seconds[task], name, task))
            found.busy += 0 if stream.is_planner else stream.seconds[task]
        now, name, task = heapq.heappop(running)
        done[name].add(task)
        if len(done[name]) == len(next(s for s in streams if s.name == name).seconds):
            found.ends[name] = now
    return found


def _hand_over(
    stream: Stream,
    queue: deque[tuple[str, int]],
    given: dict[str, int],
    done: set[int],
    workers: int,
) -> None:
    """Put the stream's next tasks into the queue, as many as may be in flight."""
    yielded = next(k for k in range(len(stream.seconds) + 1) if k not in done)
    upto = min(len(stream.seconds), yielded + IN_FLIGHT * workers)
    tasks = [(stream.name, task) for task in range(given[stream.name], upto)]
    given[stream.name] = max(given[stream.name], upto)
    if stream.is_planner:
        queue.extendleft(tasks)
    else:
        queue.extend(tasks)


@dataclass(frozen=True)
class Kind:
    """A task as far as its time depends on it."""

    what: str  # search, split or replicate
    model: str
    members: int
    units: int  # the members' sizes together: hidden units of MLPs


Job = tuple[Kind, Callable[..., Any], Any]
"""A task with its kind and the function that does it."""


def jobs(searched: Mapping[str, Searched], quick: bool) -> dict[str, list[Job]]:
    """What ``python -m study`` trains for these studies: the tasks of each stream, in order."""
    found = {name: _searching(search) for name, search in searched.items()}
    for search in [*searched.values()][::-1]:
        found.setdefault("confirmation", []).extend(_confirming(search, quick))
    return found


def _searching(search: Searched) -> list[Job]:
    """The cohorts of a search whose trials are known at the start."""
    from study.search.planner import Planner, tasks_of
    from study.training.work import train_cohort

    plan, digest = search.plan, search.manifest["data_sha256"]
    planner = Planner(plan, [])
    return [
        (_kind("search", task), train_cohort, task)
        for planned in planner.generations(len(search.trials))
        for task in tasks_of(plan, planner, planned, digest, None)
    ]


def _confirming(search: Searched, quick: bool) -> list[Job]:
    """The cohorts of a study's splits, then its replicates."""
    from study.confirm.division import FOLDS
    from study.confirm.loop import FINALISTS, Settings, train_job
    from study.confirm.plan import finalists
    from study.confirm.repetitions import Replicate, Source, Split, jobs_of

    usual = Settings("", (), seeds=2, splits=2) if quick else Settings("", ())
    source, chosen = Source.of(search, None), finalists(search.plan, search.trials, FINALISTS)
    splits = [
        Split(source, usual.n_trials, k, usual.seed, FOLDS) for k in range(usual.splits or FOLDS)
    ]
    cohorts = [job for split in splits for job in jobs_of(split)]
    units = round(sum(search.plan.model_definition.size(trial.parameters) for trial in chosen))
    kind = Kind("replicate", search.plan.model, len(chosen), units)
    return [
        *((_kind("split", job.task), train_job, job) for job in cohorts),
        *((kind, train_job, Replicate(source, chosen, k, usual.seed)) for k in range(usual.seeds)),
    ]


def _kind(what: str, task: Any) -> Kind:
    from study.training.registry import model_named

    size = model_named(task.model).size
    units = round(sum(size(trial.configuration) for trial in task.trials))
    return Kind(what, task.model, len(task.trials), units)


def measured(found: Mapping[str, Sequence[Job]], plans: Sequence[Plan]) -> dict[Kind, float]:
    """Seconds of each kind, on one thread while every core has one.

    Of a model's searches, splits and replicates each, the lightest, the middle and the heaviest
    task are measured; those between are interpolated by their units.
    """
    import numpy as np

    every = {kind: (work, task) for own in found.values() for kind, work, task in own}
    seconds: dict[Kind, float] = {}
    with Workers(cores()).open(plans) as pool:
        for what in dict.fromkeys((kind.what, kind.model) for kind in every):
            own = [kind for kind in every if (kind.what, kind.model) == what]
            own.sort(key=lambda kind: (kind.units, kind.members))
            timed = [own[place] for place in sorted({0, len(own) // 2, len(own) - 1})]
            for kind in [timed[0], *timed]:  # the first one warms up, and is measured again
                work, task = every[kind]
                began = time.perf_counter()
                for _ in pool.results(work, [task] * cores()):
                    pass
                seconds[kind] = time.perf_counter() - began
            known = [kind.units for kind in timed], [seconds[kind] for kind in timed]
            seconds |= {kind: float(np.interp(kind.units, *known)) for kind in own}
    return seconds


def report_s(storage: str, names: Sequence[str]) -> float:
    """Seconds of a report in a process that has nothing else to do, imports too."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        from study.report import write

        write(storage, Path(folder), names=names)
        return time.perf_counter() - began


def streams(
    found: Mapping[str, Sequence[Job]],
    seconds: Mapping[Kind, float],
    reading: float,
    report: float,
) -> list[Stream]:
    """The command's streams, in the order in which it opens them.

    Both searches begin at once. After them the planner draws the first report, and reads the
    studies for the confirmation; each of the two takes a core.
    """
    times = {name: [seconds[kind] for kind, *_ in own] for name, own in found.items()}
    searches = tuple(name for name in found if name != "confirmation")
    return [
        *(Stream(name, times[name]) for name in searches),
        Stream("reading", [reading], after=searches, is_planner=True),
        Stream("report", [report], after=searches, is_planner=True),
        Stream("confirmation", times["confirmation"], after=("reading",)),
    ]


def table(known: Sequence[Stream], times: Mapping[str, float]) -> pd.DataFrame:
    """A line a number of workers.

    ``busy`` is the share of the time of all training that the workers train. The seconds of the
    searches and of the training are after the first step; ``report_s`` and ``all_s`` are after the
    command.
    """
    import pandas as pd

    start, last = times[answer.STEP], times[answer.ALL] - times[answer.CONFIRMED]
    lines = []
    for workers in WORKERS:
        schedule = simulate(known, workers)
        training = schedule.training(known)
        line = {"workers": workers, "searches_s": max(schedule.ends[name] for name in MODELS)}
        line |= {"report_s": start + schedule.ends["report"], "training_s": training}
        line |= {"all_s": start + max(schedule.ends.values()) + last}
        line |= {"busy": schedule.busy / workers / training}
        if workers == cores():
            line["measured_s"] = times[answer.CONFIRMED] - start
        lines.append(line)
    return pd.DataFrame(lines)


def draw(frame: pd.DataFrame, machine: str, path: Path) -> None:
    """Seconds of all training over the workers, beside those of workers that are always busy."""
    import seaborn as sns
    from matplotlib.figure import Figure

    from benchmarks.figure import style

    with style():
        figure = Figure(figsize=(5.4, 3.4), layout="constrained")
        ax = figure.subplots()
        ideal = frame["training_s"][0] * frame["busy"][0] / frame["workers"]
        ax.plot(frame["workers"], ideal, color="0.6", ls=(0, (4, 3)), label="always busy")
        for column, name, colour in (
            ("training_s", "all training", "#b5403a"),
            ("searches_s", "both searches", "#7aa6c2"),
        ):
            ax.plot(frame["workers"], frame[column], "o-", color=colour, label=name)
        if "measured_s" in frame:
            ax.plot(frame["workers"], frame["measured_s"], "x", color="0.2", label="measured")
        ax.set(xscale="log", yscale="log", xlabel="workers", ylabel="seconds")
        ax.set_xticks(frame["workers"], frame["workers"])
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.minorticks_off()
        ax.legend(frameon=False)
        sns.despine(figure)
        figure.text(0, -0.02, machine, fontsize="x-small", color="0.4", va="top")
        figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.08)


def main() -> int:
    """Measure, print, write the CSVs and the figures of this command and of the answer's."""
    args, machine = answer.parser("benchmarks.cores", __doc__).parse_args(), describe()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        run = answer.measure(Path(folder), *(answer.QUICK if args.quick else ()))
        answer.write(run, machine, args.out)
        found = jobs(run.searched, args.quick)
        report = call("cores:report_s", run.storage, list(run.searched))
    seconds = measured(found, [search.plan for search in run.searched.values()])
    reading = run.seconds[answer.CONFIRMING] - run.seconds[answer.SEARCHED]
    known = streams(found, seconds, reading, report)
    frame = table(known, run.seconds)
    print(f"\n{frame.to_string(index=False, float_format='{:.2f}'.format)}")
    frame.assign(machine=machine).to_csv(args.out / "cores.csv", index=False)
    draw(frame, machine, args.out / "cores.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
