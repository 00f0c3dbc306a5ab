"""This package's trainer alone: the trials as one cohort a job, each on a thread."""

import time

from joblib import Parallel, delayed

from benchmarks.work import Done, Work
from study.training.trainer import train


def run(work: Work) -> Done:
    """Neighbouring learning rates go to different cohorts, as in a search."""
    images, members = work.images(), work.members()
    places = [range(job, len(members), work.jobs) for job in range(work.jobs)]

    began = time.perf_counter()
    cohorts = Parallel(n_jobs=work.jobs, backend="threading")(
        delayed(train)(
            [members[k] for k in mine],
            [work.learning_rates[k] for k in mine],
            images,
            work.protocol,
            seed=work.seed,
        )
        for mine in places
    )
    seconds = time.perf_counter() - began
    best = {
        k: int(history.val_errors[history.best])
        for mine, histories in zip(places, cohorts, strict=True)
        for k, history in zip(mine, histories, strict=True)
    }
    return Done(seconds, [best[k] for k in range(len(members))])
