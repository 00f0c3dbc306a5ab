"""What a Dask cluster costs: ``python -m benchmarks.cluster``.

Whole searches are run on 1, 2, 4 and 8 workers that sleep instead of training, and give back
results of the real size; so the times show what planner, scheduler and network cost, on a
machine with fewer cores than workers too. Then on 16, 64 and 256, which are threads of eight
processes: past the point where the planner is too slow for them. Two numbers are measured, and
the time of every search that has workers to wait for is predicted from them:

    generation = p·n + max(o·C + T, ⌈C/W⌉·T + o·min(C, W))

with C cohorts of T seconds on W workers, n trials, p seconds of planning and recording a
trial, and o seconds of sending, receiving and unpacking a cohort.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from study.search import Plan, Settings, search
from study.training import work
from study.training.history import History
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space
from study.training.task import Task, Trained
from study.workers import Workers

COHORTS, COHORT = 16, 8  # a generation's cohorts, at least; a cohort's trials
PROCESSES = 8  # of a cluster, at most
MILLISECONDS = 1e-3  # of sleep for every step of the protocol


def sleeping(task: Task, progress: object = None) -> list[Trained]:
    """Instead of training: sleep, and give results of the size that training gives."""
    began = time.time()
    time.sleep(task.protocol.steps * MILLISECONDS - MILLISECONDS)
    places, span = tuple(trial.place for trial in task.trials), (began, time.time())
    return [
        Trained(_history(trial.configuration.get("hidden_units")), places, {}, span)
        for trial in task.trials
    ]


def _history(hidden: Any) -> History:
    """One of 100 validations, with the weights of a model with so many hidden units."""
    steps = np.arange(0, 5000, 50)
    losses, errors = np.full(100, 0.5, np.float32), np.full(100, 100)
    shapes = {"linear.weight": (1, 784), "linear.bias": (1,)}
    if hidden is not None:
        shapes = {"hidden.weight": (hidden, 784), "hidden.bias": (hidden,)}
        shapes |= {"output.weight": (1, hidden), "output.bias": (1,)}
    answers = np.zeros(1791, bool)
    return History(
        steps, losses, errors, losses, errors, batch_size=100, n_val=1791, constant_errors=900,
        predictions=answers, final_predictions=answers, pruned=False,
        weights={name: np.zeros(shape, np.float32) for name, shape in shapes.items()},
    )  # fmt: skip


class Clocked:
    """Workers whose every generation is timed: when it was sent, and when all of it was back."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self.sent: list[float] = []
        self.back: list[float] = []

    @contextmanager
    def open(self, *data: Any) -> Iterator[Clocked]:
        """As :meth:`Workers.open`."""
        with self.workers.open(*data) as self.pool:
            yield self

    def results(self, *arguments: Any) -> Iterator[Any]:
        """As :meth:`Pool.results`."""
        self.sent.append(time.perf_counter())
        yield from self.pool.results(*arguments)
        self.back.append(time.perf_counter())


def timed(
    workers: Workers, milliseconds: int, generations: int, sampler: str, cohorts: int = COHORTS
) -> tuple[float, float]:
    """Medians over a search's generations: seconds planning and recording, and waiting."""
    trials = cohorts * COHORT
    plan = Plan(
        model="mlp",
        space=default_space(MODELS["mlp"]),
        protocol=Protocol(steps=milliseconds + 1),
        sampler=sampler,
        generation_size=trials,
        cohort_size=COHORT,
    )
    clock: Any = Clocked(workers)
    with tempfile.TemporaryDirectory() as folder:
        size = trials * (generations + 1)
        search(plan, Settings(f"{folder}/study.db", "mlp", size, clock))
    waited = np.array(clock.back) - clock.sent
    planned = np.array(clock.sent[1:]) - clock.back[:-1]
    return float(np.median(planned)), float(np.median(waited[1:]))  # the first one warms up


def predicted(p: float, o: float, t: float, workers: int, cohorts: int) -> float:
    """The model: seconds a generation."""
    rounds = math.ceil(cohorts / workers)
    waiting = max(o * cohorts + t, rounds * t + o * min(cohorts, workers))
    return p * cohorts * COHORT + waiting


@contextmanager
def local_cluster(n_workers: int) -> Iterator[Workers]:
    """So many workers: processes of a thread each, or threads of eight processes."""
    from distributed import LocalCluster

    processes = min(n_workers, PROCESSES)
    with LocalCluster(
        n_workers=processes,
        threads_per_worker=n_workers // processes,
        dashboard_address=None,
        silence_logs=50,
    ) as found:
        found.wait_for_workers(processes)
        yield Workers(dask=found.scheduler_address)


def sizes() -> dict[str, int]:
    """Bytes of a cohort's task, and of its result, pickled as Dask pickles them."""
    from distributed.protocol.pickle import dumps

    from study.search.planner import Planner, tasks_of
    from study.workers.remote import TaskRequirements, encode_task

    found = {}
    for model in MODELS.values():
        plan = Plan(
            model.name,
            default_space(model),
            generation_size=model.cohort,
            cohort_size=model.cohort,
        )
        planner = Planner(plan, [])
        [task] = tasks_of(plan, planner, planner.ask(model.cohort), "0" * 64, Path("/data"))
        found[f"{model.name} task"] = len(
            dumps(encode_task(sleeping, task, TaskRequirements.of(None, ())))
        )
        brief = sleeping(Task(task.model, task.trials, Protocol(steps=1), 0, "cpu", None, ""))
        found[f"{model.name} result"] = len(dumps(brief))
    return found


def main() -> None:
    """Measure, predict, compare; print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--generations", type=int, default=4, help="of a measured search")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--many", type=int, nargs="*", default=[16, 64, 256])
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    work.train_cohort = sleeping
    for what, count in sizes().items():
        print(f"{what:14} {count:>10,} bytes")
    for n_workers in args.workers:
        with local_cluster(n_workers) as workers:
            measure(workers, n_workers, args.generations, "tpe", (20, 200, 1000))
    for n_workers in args.many:
        with local_cluster(n_workers) as workers:
            measure(workers, n_workers, args.generations, "random", (1000,))


def measure(
    workers: Workers, n_workers: int, generations: int, sampler: str, lasting: Sequence[int]
) -> None:
    """Measure p and o where nothing is waited for, then print other searches beside the model."""
    cohorts = max(COHORTS, n_workers)
    planned, nothing = timed(workers, 0, generations, sampler, cohorts)
    p, o = planned / cohorts / COHORT, nothing / cohorts
    print(
        f"{n_workers} workers, {sampler}: {1000 * o:.1f} ms a cohort sent and received, "
        f"{1000 * p:.2f} ms a trial planned and recorded, so at most "
        f"{1 / (p + o / COHORT):.0f} trials a second, and half of it with "
        f"{1 / (COHORT * p + o):.1f} workers for every second that a cohort takes"
    )
    for milliseconds in lasting:
        t = milliseconds / 1000
        planned, waited = timed(workers, milliseconds, generations, sampler, cohorts)
        took, model = planned + waited, predicted(p, o, t, n_workers, cohorts)
        print(
            f"  cohorts of {milliseconds:>5} ms: {took:6.2f} s a generation, model {model:6.2f} "
            f"({model / took - 1:+.0%}); planner's share {planned / took:.0%}; "
            f"{cohorts * COHORT / took:.0f} trials a second, workers at work "
            f"{cohorts * t / n_workers / took:.0%} of the time",
            flush=True,
        )


if __name__ == "__main__":
    from benchmarks import cluster  # noqa: PLW0406 (under the name that workers know)

    cluster.main()
