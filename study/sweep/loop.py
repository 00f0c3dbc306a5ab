"""Search pair after pair, several at once; what is there already is not searched again."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, cast

from study import cli, interrupts
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm, restart
from study.errors import Bug, ResourceError, StudyError
from study.report import ownership
from study.search.loop import Settings as SearchSettings
from study.search.loop import search
from study.sweep.pairs import Pair, folder, study_names
from study.training.plan import Plan
from study.training.registry import MODELS
from study.workers import LOCAL, Workers

if TYPE_CHECKING:
    from study.workers.cluster import Cluster


@dataclass(frozen=True)
class Settings:
    """What a sweep compares, and how it is run."""

    pairs: tuple[Pair, ...]
    plans: tuple[Plan, ...]  # one a model; each pair's searches have its classes instead
    search: SearchSettings  # of a pair's searches, but for the study's name
    confirm: ConfirmSettings | None  # of a pair, but for the names; None: do not confirm
    restart: bool  # drop earlier confirmations of the pairs
    out: Path
    reports: bool  # write the pairs' own reports
    replace: bool  # overwrite files that no report wrote
    jobs: int | None  # pairs searched at once; None: as many as there are cores
    timeout: float | None  # seconds, of the whole sweep
    debug: bool  # raise errors instead of going on with the next pair
    verbosity: int  # of the log: -1 (errors) to 2

    @property
    def dataset(self) -> str:
        """Whose classes they are."""
        return self.plans[0].protocol.dataset

    @property
    def data_root(self) -> Path | None:
        """The folder of the training files, as an absolute path."""
        return self.search.data_root and self.search.data_root.absolute()


@dataclass(frozen=True)
class Done:
    """A pair that is searched, or reported, or could not be."""

    pair: Pair
    error: StudyError | None = None
    begun: bool = True  # False: the time was over, or an earlier error would meet every pair


def require_data(settings: Settings) -> None:
    """Check that the images are there and that the storage can be written.

    Raises:
        StudyError: The images are missing, or the storage is another program's file.
        ResourceError: The images can't be read, or the storage can't be written.
    """
    from study import dataset, storage
    from study.training.loading import load_files

    for pair in settings.pairs:
        dataset.check_request(settings.dataset, pair, bundled=settings.data_root is None)
    load_files(settings.dataset, settings.data_root)
    first = study_names(settings.dataset, settings.pairs[0])[0]
    storage.open_study(settings.search.storage, first)  # made if need be


def require_out(settings: Settings) -> None:
    """Refuse an ``--out`` where a file that no report wrote is in the way of one to be written.

    Raises:
        StudyError: There is one, or a link in the place of a folder.
        ResourceError: The folder can't be read.
    """
    overview = (ownership.SWEEP, ownership.PAGE)
    ownership.require_own(settings.out, overview, replace=settings.replace)
    for pair in settings.pairs if settings.reports else ():
        _require_folder(settings, pair)


def _require_folder(settings: Settings, pair: Pair) -> None:
    """Refuse a pair's folder where such a file is in it."""
    out = settings.out / folder(pair)
    ownership.require_folder(out)
    ownership.require_own(out, ownership.report_names(MODELS), replace=settings.replace)


def pairs_at_once(settings: Settings) -> int:
    """``--jobs``, by default the cores here, or a cluster's threads where it has more.

    A pair has two cohorts of MLPs to train at a time, so every thread of a cluster has one, and
    one more waits for it.

    Raises:
        StudyError: The workers can't be had as they are named; the message says why.
        ResourceError: No scheduler answers.
    """
    cores, workers = cli.available_cores(), settings.search.workers
    with replace(workers, jobs=settings.jobs or cores).open() as pool:
        if settings.jobs is None and workers.dask is not None:
            threads: dict[str, int] = cast("Cluster", pool).client.nthreads()
            return max(cores, sum(threads.values()))
    return settings.jobs or cores


def sweep(settings: Settings, jobs: int, begins: Callable[[Pair], None]) -> Iterator[Done]:
    """Search both models of every pair; each pair as it is done, whatever the order.

    On threads, ``jobs`` pairs are searched at once, on a thread each: reading images,
    planning and recording of one then overlap with the training of another. A cluster's
    workers are shared by as many. Other processes take one pair at a time.

    After a pair that fails, the others go on; but where the storage or the cluster failed, or
    this program, no more are begun.

    Args:
        settings: What is swept.
        jobs: From :func:`pairs_at_once`.
        begins: Called with each pair, on the thread that searches it.
    """
    from joblib import Parallel, delayed

    workers, pairs = settings.search.workers, settings.pairs
    at_once = min(jobs, len(pairs)) if workers.dask or workers.backend == LOCAL else 1
    inner = replace(workers, jobs=max(1, jobs // at_once))
    end = None if settings.timeout is None else time.monotonic() + settings.timeout
    lost = Event()

    def one(pair: Pair) -> Done:
        if lost.is_set() or (end is not None and time.monotonic() >= end):
            return Done(pair, begun=False)
        begins(pair)
        try:
            _one_pair(settings, pair, inner, end)
        except Exception as error:
            if settings.debug:
                raise
            found = cli.explained(error)
            if isinstance(found, ResourceError | Bug):
                lost.set()
            return Done(pair, found)
        return Done(pair)

    parallel = Parallel(n_jobs=at_once, backend=LOCAL, return_as="generator_unordered")
    return iter(parallel(delayed(one)(pair) for pair in pairs))


def _one_pair(settings: Settings, pair: Pair, workers: Workers, end: float | None) -> None:
    """Search both models of a pair, and confirm what was found where that is asked for."""
    from study.training.loading import load_pair

    names = study_names(settings.dataset, pair)
    protocol = replace(settings.plans[0].protocol, classes=pair)
    images = load_pair(protocol, settings.data_root)  # cached while this holds them
    for plan, name in zip(settings.plans, names, strict=True):
        timeout = None if end is None else end - time.monotonic()
        own = replace(settings.search, study_name=name, workers=workers, timeout=timeout)
        search(replace(plan, protocol=protocol), own)
    if settings.confirm and (end is None or time.monotonic() < end):
        own_pair = replace(settings.confirm, names=names, workers=workers)
        if settings.restart:
            restart(own_pair)
        confirm(own_pair)
    del images


def write_reports(
    settings: Settings, jobs: int, pairs: Sequence[Pair]
) -> Generator[Done, None, None]:
    """Write the pairs' reports, a core each; each as it is done, in their order.

    Several at once are drawn in processes: matplotlib is not made for threads.
    """
    at_once = min(jobs, cli.available_cores(), len(pairs))
    if at_once <= 1:
        yield from map(_report, repeat(settings), pairs)
        return
    from joblib.externals.loky import ProcessPoolExecutor  # type: ignore[import-untyped]

    verbosity = (settings.verbosity,)
    pool = ProcessPoolExecutor(at_once, initializer=cli.set_logging, initargs=verbosity)
    try:
        with interrupts.kept_from_children():
            drawn = pool.map(_report, repeat(settings), pairs)
        yield from drawn
    except BaseException:
        pool.shutdown(kill_workers=True)
        gc.collect()  # its semaphores, or Python warns that they leaked
        raise
    pool.shutdown()


def _report(settings: Settings, pair: Pair) -> Done:
    """Write a pair's report. The old page goes first: it is not of what the storage has now."""
    from study.report import write

    out, (linear, mlp) = settings.out / folder(pair), study_names(settings.dataset, pair)
    try:
        _require_folder(settings, pair)
        (out / ownership.PAGE).unlink(missing_ok=True)
        write(
            settings.search.storage,
            out,
            linear=linear,
            mlp=mlp,
            data_root=settings.data_root,
            replace=settings.replace,
        )
    except Exception as error:
        if settings.debug:
            raise
        return Done(pair, cli.explained(error))
    return Done(pair)
