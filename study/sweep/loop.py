"""Search pair after pair, several at once; what is there already is not searched again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from study import cli
from study.objective import MODELS
from study.sweep.pairs import Pair, folder, study_name
from study.trials import best_of
from study.workers import LOCAL, Workers


@dataclass(frozen=True)
class Done:
    """A pair that is searched."""

    pair: Pair
    is_new: bool  # something was added to its studies now
    target_met: bool  # by both models


def sweep(args: argparse.Namespace, pairs: Sequence[Pair]) -> Iterator[Done]:
    """Search both models of every pair; each pair as it is done, whatever the order.

    On threads, ``--jobs`` pairs are searched at once, on a thread each: reading images,
    planning and recording of one then overlap with the training of another. A cluster's
    workers are shared by as many. Other processes take one pair at a time.

    Raises:
        StudyError: See :func:`study.search.search`; pairs that are done stay.
    """
    from joblib import Parallel, delayed

    workers = cli.workers_of(args)
    at_once = args.jobs if workers.dask or workers.backend == LOCAL else 1
    inner = replace(workers, jobs=1) if at_once > 1 else workers
    parallel = Parallel(n_jobs=at_once, backend=LOCAL, return_as="generator_unordered")
    return iter(parallel(delayed(one_pair)(args, pair, inner) for pair in pairs))


def one_pair(args: argparse.Namespace, pair: Pair, workers: Workers) -> Done:
    """Search both models of a pair, and confirm what was found where that is asked for."""
    from study.search.__main__ import plan_of, settings_of
    from study.search.loop import search

    own = argparse.Namespace(**vars(args) | {"digits": pair})
    added, met = 0, True
    for model in (MODELS["linear"], MODELS["mlp"]):
        settings = settings_of(own, study_name(args.dataset, pair, model.name))
        plan = plan_of(own, model)
        outcome = search(plan, replace(settings, workers=workers))
        best = best_of(outcome.trials)
        added += outcome.added
        met = met and best is not None and plan.met_by(best)
    if args.confirm:
        added += _confirm(args, pair, workers)
    return Done(pair, added > 0, met)


def _confirm(args: argparse.Namespace, pair: Pair, workers: Workers) -> int:
    from study.confirm.loop import Settings, confirm, restart

    linear, mlp = (study_name(args.dataset, pair, model) for model in ("linear", "mlp"))
    settings = Settings(
        args.storage,
        (linear, mlp),
        seeds=args.seeds,
        splits=args.splits,
        finalists=args.finalists,
        seed=args.seed,
        workers=workers,
        data_root=args.data_root,
    )
    if args.restart:
        restart(settings)
    return confirm(settings)


def write_reports(args: argparse.Namespace, pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Write the pairs' reports, ``--jobs`` at once; each as it is done, in their order.

    They are drawn in processes: matplotlib is not made for threads.
    """
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=args.jobs, return_as="generator", batch_size=1)
    where = (args.storage, args.out, args.dataset, args.data_root)
    return iter(parallel(delayed(_report)(pair, *where) for pair in pairs))


def _report(pair: Pair, storage: str, out: Path, dataset: str, data_root: Path | None) -> Pair:
    from study.report import write

    linear, mlp = (study_name(dataset, pair, model) for model in ("linear", "mlp"))
    write(storage, out / folder(pair), linear=linear, mlp=mlp, data_root=data_root)
    return pair
