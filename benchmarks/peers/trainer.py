"""This package's trainer alone: the trials as one cohort a job, in its workers."""

import time

from benchmarks.work import Done, Work
from study.training.work import train_cohort


def run(work: Work) -> Done:
    """The workers are there, and have trained a step, before the clock starts."""
    tasks = work.cohorts(work.jobs)
    with work.open() as pool:
        began = time.perf_counter()
        cohorts = list(pool.results(train_cohort, tasks))
        seconds = time.perf_counter() - began
    best = {
        trial.place: int(trained.history.val_errors[trained.history.best])
        for task, cohort in zip(tasks, cohorts, strict=True)
        for trial, trained in zip(task.trials, cohort, strict=True)
    }
    return Done(seconds, [best[place] for place in range(len(work.trials))])
