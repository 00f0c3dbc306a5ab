"""Search one data set after another, several at once; what is there is not searched again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, cast

from study import cli, system
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm, restart
from study.confirm.plan import PARTS
from study.errors import Bug, ResourceError, StudyError
from study.search.loop import Settings as SearchSettings
from study.search.loop import search
from study.sweep.data_sets import DataSet
from study.sweep.plans import Plans
from study.training.plan import Plan
from study.workers import LOCAL, THREADS, Pool, Workers

if TYPE_CHECKING:
    from study.margin import Margin
    from study.workers.cluster import Cluster


@dataclass(frozen=True)
class Settings:
    """What a sweep compares, and how it is run."""

    data: tuple[DataSet, ...]
    plans: Plans
    search: SearchSettings  # of all searches, but for the study's name and the data's place
    confirm: ConfirmSettings | None  # but for the names and the place; None: do not confirm
    restart: bool  # drop earlier confirmations of the data sets
    margin: Margin  # of a confirmed comparison's verdict
    out: Path
    reports: bool  # write the data sets' own reports
    replace: bool  # overwrite files that no report wrote
    jobs: int | None  # data sets searched at once; None: as many as there are cores
    timeout: float | None  # seconds, of the whole sweep
    debug: bool  # raise errors instead of going on with the next data set
    verbosity: int  # of the log: -1 (errors) to 2

    @property
    def noun(self) -> str:
        """What one of the data sets is called."""
        return "pair" if all(each.pair for each in self.data) else "data set"


@dataclass(frozen=True)
class Done:
    """A data set that is searched, or reported, or could not be."""

    data: DataSet
    error: StudyError | None = None
    begun: bool = True  # False: the time was over, or an earlier error would meet all of them
    words: str = ""  # of a person's own data: how it is used


def at_once(settings: Settings) -> int:
    """``--jobs``, by default the cores here, or a cluster's threads where it has more.

    A data set has two cohorts of MLPs to train at a time, so every thread of a cluster has one,
    and one more waits for it.

    Raises:
        StudyError: The workers can't be had as they are named; the message says why.
        ResourceError: No scheduler answers.
    """
    cores, workers = system.available_cores(), settings.search.workers
    if workers.backend == LOCAL and workers.dask is None:
        return settings.jobs or cores
    with replace(workers, jobs=settings.jobs or cores).open() as pool:
        if settings.jobs is None and workers.dask is not None:
            threads: dict[str, int] = cast("Cluster", pool).client.nthreads()
            return max(cores, sum(threads.values()))
    return settings.jobs or cores


def sweep(settings: Settings, jobs: int, begins: Callable[[DataSet], None]) -> Iterator[Done]:
    """Search all models on every data set; each as it is done, whatever the order.

    Several data sets are searched at once, on a thread each, and share the workers: reading,
    planning and recording of one then overlap with the training of another.

    After one that fails, the others go on; but where the storage or the cluster failed, or
    this program, no more are begun.

    Args:
        settings: What is swept.
        jobs: From :func:`at_once`.
        begins: Called with each data set, on the thread that searches it.
    """
    from joblib import Parallel, delayed

    workers, data, plans = settings.search.workers, settings.data, settings.plans
    many = min(_together(workers, jobs), len(data))
    end = None if settings.timeout is None else time.monotonic() + settings.timeout
    lost = Event()

    def one(each: DataSet, pool: Pool) -> Done:
        if lost.is_set() or (end is not None and time.monotonic() >= end):
            return Done(each, begun=False)
        begins(each)
        words, is_read = "", False
        try:
            own, words = plans.of(each)
            is_read = True
            _search(settings, each, own, pool, end)
        except Exception as error:
            if settings.debug:
                raise
            found = cli.explained(error)
            if isinstance(found, Bug) or (is_read and isinstance(found, ResourceError)):
                lost.set()
            return Done(each, found, words=words)
        return Done(each, words=words)

    known, root = [*plans.of_pairs, *plans.of_own], data[0].root
    with replace(workers, jobs=jobs).open(known, root) as pool:
        parallel = Parallel(n_jobs=many, backend=THREADS, return_as="generator_unordered")
        yield from parallel(delayed(one)(each, pool) for each in data)


def _together(workers: Workers, jobs: int) -> int:
    """How many data sets are searched at once, so that every worker has a cohort to train.

    A cluster may be large, and a data set has few cohorts. Local processes keep the last two data
    sets that they loaded, so fewer are better. A backend of joblib's does one search at a time.
    """
    if workers.dask or workers.backend == THREADS:
        return jobs
    return min(jobs, 1 + ceil(jobs / 8)) if workers.backend == LOCAL else 1


def _search(
    settings: Settings, data: DataSet, plans: list[Plan], pool: Pool, end: float | None
) -> None:
    """Search all models, and confirm what was found where that is asked for."""
    from study.training.loading import load_pair

    storage, names = settings.search.storage, data.study_names(settings.plans.models)
    held = load_pair(plans[0].protocol, data.root)  # cached while this holds it
    seed = data.seed_there(plans[0].seed, storage, names)
    for plan, name in zip(plans, names, strict=True):
        timeout = None if end is None else end - time.monotonic()
        own = replace(settings.search, study_name=name, timeout=timeout, data_root=data.root)
        search(replace(plan, seed=seed), own, pool=pool)
    if settings.confirm and (end is None or time.monotonic() < end):
        _confirm(replace(settings.confirm, names=names, data_root=data.root), settings, data, pool)
    del held


def _confirm(own: ConfirmSettings, settings: Settings, data: DataSet, pool: Pool) -> None:
    if settings.restart:
        restart(own)
    parts = [name + part for name in own.names for part in PARTS]
    confirm(replace(own, seed=data.seed_there(own.seed, own.storage, parts)), pool=pool)
