"""Search pair after pair, several at once; what is there already is not searched again."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, cast

from study import cli, interrupts, options
from study.errors import Bug, ResourceError, StudyError
from study.report import ownership
from study.sweep.pairs import Pair, folder, study_names
from study.training.registry import MODELS
from study.workers import LOCAL, Workers

if TYPE_CHECKING:
    from study.workers.cluster import Cluster

REMEDY = "name another --storage"
At = Callable[[Pair], None]


@dataclass(frozen=True)
class Done:
    """A pair that is searched, or reported, or could not be."""

    pair: Pair
    error: StudyError | None = None
    begun: bool = True  # not so once the time is over, or another pair found that none can be


def require_sense(args: argparse.Namespace, pairs: Sequence[Pair]) -> None:
    """Refuse at once what no pair could be searched with.

    Raises:
        StudyError: Options that contradict each other, images that are not to be had, or a
            storage that is not one.
        ResourceError: The images can't be read, or the storage can't be written.
    """
    from study import dataset, storage
    from study.search.options import plan_of
    from study.training.work import load_files

    if args.model_file:
        raise StudyError("--model-file: a sweep compares linear with mlp: leave it out")
    if args.restart and not args.confirm:
        raise StudyError("--restart: drops a confirmation, and none is asked for: add --confirm")
    for pair in pairs:
        dataset.check_request(args.dataset, pair, bundled=args.data_root is None)
    for model in MODELS.values():
        plan_of(_of(args, pairs[0]), model)
    load_files(args.dataset, _root(args))
    storage.open_study(args.storage, study_names(args.dataset, pairs[0])[0])  # made if need be


def require_out(args: argparse.Namespace, pairs: Sequence[Pair]) -> None:
    """Refuse an ``--out`` where a file that no report wrote is in the way of one to be written.

    Raises:
        StudyError: There is one, or a link in the place of a folder.
        ResourceError: The folder can't be read.
    """
    overview = (ownership.SWEEP, ownership.PAGE)
    ownership.require_own(args.out, overview, replace=args.replace)
    for pair in () if args.no_reports else pairs:
        _require_folder(args, pair)


def _require_folder(args: argparse.Namespace, pair: Pair) -> None:
    """Refuse a pair's folder in the same way."""
    out = args.out / folder(pair)
    ownership.require_folder(out)
    ownership.require_own(out, ownership.report_names(MODELS), replace=args.replace)


def pairs_at_once(args: argparse.Namespace) -> int:
    """``--jobs``, by default the cores here, or a cluster's threads where it has more.

    A pair has two cohorts of MLPs under way, so a cluster then has one to train on every
    thread, and one that waits for it.

    Raises:
        StudyError: The workers can't be had as they are named; the message says why.
        ResourceError: No scheduler answers.
    """
    cores = cli.available_cores()
    with options.workers_of(changed(args, jobs=args.jobs or cores)).open() as pool:
        if args.jobs is None and args.dask is not None:
            threads: dict[str, int] = cast("Cluster", pool).client.nthreads()
            return max(cores, sum(threads.values()))
    return int(args.jobs or cores)


def sweep(args: argparse.Namespace, pairs: Sequence[Pair], begins: At) -> Iterator[Done]:
    """Search both models of every pair; each pair as it is done, whatever the order.

    On threads, ``--jobs`` pairs are searched at once, on a thread each: reading images,
    planning and recording of one then overlap with the training of another. A cluster's
    workers are shared by as many. Other processes take one pair at a time.

    A pair that fails is told as such, and the others go on; but where it is the storage or
    the cluster that failed, or this program, no more are begun.

    Args:
        args: The options.
        pairs: Which pairs.
        begins: Told of each, on the thread that searches it.
    """
    from joblib import Parallel, delayed

    workers = options.workers_of(args)
    at_once = min(args.jobs, len(pairs)) if workers.dask or workers.backend == LOCAL else 1
    inner = replace(workers, jobs=max(1, args.jobs // at_once))
    end = None if args.timeout is None else time.monotonic() + args.timeout
    lost = Event()

    def one(pair: Pair) -> Done:
        if lost.is_set() or (end is not None and time.monotonic() >= end):
            return Done(pair, begun=False)
        begins(pair)
        try:
            _one_pair(args, pair, inner, end)
        except Exception as error:
            if args.debug:
                raise
            found = cli.explained(error)
            if isinstance(found, ResourceError | Bug):
                lost.set()
            return Done(pair, found)
        return Done(pair)

    parallel = Parallel(n_jobs=at_once, backend=LOCAL, return_as="generator_unordered")
    return iter(parallel(delayed(one)(pair) for pair in pairs))


def _one_pair(args: argparse.Namespace, pair: Pair, workers: Workers, end: float | None) -> None:
    """Search both models of a pair, and confirm what was found where that is asked for."""
    from study.search.loop import search
    from study.search.options import plan_of, settings_of
    from study.training.work import load_pair

    own = _of(args, pair)
    images = load_pair(options.protocol_of(own), _root(args))  # remembered while they are held
    for model, name in zip(MODELS.values(), study_names(args.dataset, pair), strict=True):
        timeout = None if end is None else end - time.monotonic()
        settings = settings_of(own, name)
        search(
            plan_of(own, model),
            replace(settings, workers=workers, timeout=timeout, remedy=REMEDY),
        )
    if args.confirm and (end is None or time.monotonic() < end):
        _confirm(args, pair, workers)
    del images


def _root(args: argparse.Namespace) -> Path | None:
    """The data root, as searches know it."""
    return args.data_root.absolute() if args.data_root else None


def changed(args: argparse.Namespace, **options: object) -> argparse.Namespace:
    """The options, some of them otherwise."""
    return argparse.Namespace(**vars(args) | options)


def _of(args: argparse.Namespace, pair: Pair) -> argparse.Namespace:
    """The options of a pair's own searches."""
    return changed(args, digits=pair)


def _confirm(args: argparse.Namespace, pair: Pair, workers: Workers) -> None:
    from study.confirm.loop import confirm, restart
    from study.confirm.options import settings_of

    settings = replace(settings_of(args, study_names(args.dataset, pair)), workers=workers)
    if args.restart:
        restart(settings)
    confirm(settings)


def write_reports(args: argparse.Namespace, pairs: Sequence[Pair]) -> Generator[Done, None, None]:
    """Write the pairs' reports, a core each; each as it is done, in their order.

    Several at once are drawn in processes: matplotlib is not made for threads.
    """
    at_once = min(args.jobs, cli.available_cores(), len(pairs))
    if at_once <= 1:
        yield from map(_report, repeat(args), pairs)
        return
    from joblib.externals.loky import ProcessPoolExecutor  # type: ignore[import-untyped]

    verbosity = (args.verbose - args.quiet,)
    pool = ProcessPoolExecutor(at_once, initializer=cli.set_logging, initargs=verbosity)
    try:
        with interrupts.kept_from_children():
            drawn = pool.map(_report, repeat(args), pairs)
        yield from drawn
    except BaseException:
        pool.shutdown(kill_workers=True)
        gc.collect()  # its semaphores, or they are complained of
        raise
    pool.shutdown()


def _report(args: argparse.Namespace, pair: Pair) -> Done:
    """Write one report, its page last and the old one away first, so that none is half new."""
    from study.report import write

    out, (linear, mlp) = args.out / folder(pair), study_names(args.dataset, pair)
    chosen = {"data_root": args.data_root, "replace": args.replace}
    try:
        _require_folder(args, pair)
        (out / ownership.PAGE).unlink(missing_ok=True)
        write(args.storage, out, linear=linear, mlp=mlp, **chosen)
    except Exception as error:
        if args.debug:
            raise
        return Done(pair, cli.explained(error))
    return Done(pair)
