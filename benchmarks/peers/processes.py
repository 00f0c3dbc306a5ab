"""Plain Optuna in as many processes as cores, all on one SQLite file.

Each process has one torch thread: with torch's own number they would fight for the cores.
"""

import multiprocessing
import tempfile
import time
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

import numpy as np
import optuna
import torch

from benchmarks.machine import peak_bytes
from benchmarks.peers.plain import prepare
from benchmarks.work import N_VAL, Done, Work


def worker(rank: int, work: Work, storage: str, start: Barrier, ended: SimpleQueue) -> None:
    """Optimise every jobs-th trial; tell their errors, the end and the peak memory."""
    torch.set_num_threads(1)
    np.random.seed(work.seed + rank)
    places, found = range(rank, len(work.trials), work.jobs), {}
    objective, study = prepare(work, places, storage)

    def remember(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        found[places[len(found)]] = round(trial.value * N_VAL)

    start.wait()
    study.optimize(objective, n_trials=len(places), callbacks=[remember])
    ended.put((time.perf_counter(), peak_bytes() or 0, found))


def run(work: Work) -> Done:
    """The seconds from the common start to the last end; the memory of the largest."""
    context = multiprocessing.get_context("spawn")
    start, ended = context.Barrier(work.jobs + 1), context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/plain.db"
        optuna.create_study(storage=storage, study_name="plain")
        workers = [
            context.Process(target=worker, args=(rank, work, storage, start, ended))
            for rank in range(work.jobs)
        ]
        for process in workers:
            process.start()
        start.wait(timeout=300)
        began = time.perf_counter()
        for process in workers:
            process.join()
    if any(process.exitcode for process in workers):
        raise RuntimeError("a process of plain Optuna failed")
    ends, peaks, found = zip(*(ended.get() for _ in workers), strict=True)
    errors = {place: count for part in found for place, count in part.items()}
    best = [errors[place] for place in range(len(work.trials))]
    return Done(max(ends) - began, best, peak_bytes=max(peaks) or None)
