"""Confirm searched studies: train the repetitions that are left, record each as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import storage as store
from study.confirm.plan import (
    REPLICATES,
    SPLITS,
    Parts,
    engine_of_part,
    finalists,
    find_parts,
    folds_of,
    manifest_of,
    manifest_of_part,
    read_searched,
    require_free,
    require_images,
)
from study.errors import StudyError
from study.margin import DEFAULT_MARGIN, Margin
from study.storage.comparable import require_comparable
from study.storage.searched import Searched, require_fit
from study.storage.urls import shown
from study.storage.versions import tell_versions
from study.training.engine import is_here
from study.workers import Pool, Workers

if TYPE_CHECKING:
    from study.confirm.repetitions import Job, Repetition

    Work = tuple[store.Ledger, Repetition]
    Part = tuple[str, dict[str, Any], Sequence[Repetition]]

REMEDY = "pass --restart"
RANDOM_SPLITS = 8  # as many as version 0.1 had
FINALISTS = 1  # the best trial; the simplest one is judged in the splits


@dataclass(frozen=True)
class Settings:
    """How a confirmation is run."""

    storage: str
    names: tuple[str, ...]  # the studies, two or more, the simpler models first
    seeds: int = 5  # replicates
    splits: int | None = None  # None: one for each fold, or RANDOM_SPLITS
    folds: int | None = None  # parts that are held out in turn, 0: random splits; None: as begun
    n_trials: int = 16  # of the search inside each split
    finalists: int | None = None  # of each study, at most; None: as many as were, else FINALISTS
    seed: int = 0  # of everything random here
    margin: Margin = DEFAULT_MARGIN  # of the verdict; it changes nothing that is trained
    workers: Workers = field(default_factory=Workers)
    data_root: Path | None = None
    other_versions: bool = False  # go on with what was begun with others than are here
    remedy: str = REMEDY  # if a study was confirmed with other settings


Progress = Callable[[int, int], None]
"""(repetitions done, repetitions in all)."""


def confirm(settings: Settings, progress: Progress | None = None, pool: Pool | None = None) -> int:
    """Retrain and resample until the storage has all that the settings ask for.

    Run again after a kill, it goes on to the same tables, bit for bit.

    Args:
        settings: Which studies, and how much.
        progress: Called whenever a repetition is done.
        pool: Open workers that are shared with others; by default those of the settings.

    Returns:
        The number of repetitions that were trained now.

    Raises:
        StudyError: A study is missing or foreign, they can't be compared, or one was confirmed
            with other settings or versions.
        BusyError: Another confirmation holds one of the studies.
        ResourceError: The storage can't be written.
    """
    from study.confirm.repetitions import require_classes

    searches, names, folds = _read(settings)
    # the last first: the larger models take longest
    parts = [part for search in searches[::-1] for part in _parts(search, settings, names, folds)]
    for name, manifest, repetitions in parts:
        require_fit(settings.storage, name, partial(_same, manifest), settings.remedy)
        if settings.workers.dask is None:  # a cluster may have the images where this has none
            require_classes(_left(repetitions, _recorded(settings.storage, name)))
    with ExitStack() as stack:
        held = [(_hold(stack, settings, part), part[-1]) for part in parts]
        work = [(to, each) for to, all_ in held for each in _left(all_, to.finished)]
        for ledger, _ in work:
            ledger.require_versions(others=settings.other_versions)
        tell_versions(*searches, *(ledger.found for ledger, _ in held))
        if work:
            _require_engines(work)
            needed = sum(search.plan.bytes_needed(len(work)) for search in searches)
            store.require_room(store.files(settings.storage, searches[0].name), needed)
        plans, root = [search.plan for search in searches], settings.data_root
        with nullcontext(pool) if pool else settings.workers.open(plans, root) as workers:
            _run(work, workers, progress)
    return len(work)


def _hold(stack: ExitStack, settings: Settings, part: Part) -> store.Ledger:
    """Lock and open one of the studies that confirm another, as long as the stack is open."""
    wanted = partial(_same, part[1])
    return stack.enter_context(
        store.Ledger.hold(settings.storage, part[0], wanted, settings.remedy)
    )


def restart(settings: Settings) -> None:
    """Drop what an earlier confirmation of these studies left in the storage, all of it.

    Raises:
        StudyError: The storage or a study is missing or foreign; nothing is dropped.
        BusyError: A confirmation of them is running; nothing is dropped.
    """
    import optuna

    names = list(_read(settings)[1].values())
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(store.lock(settings.storage, name))
        for name in names:
            study = store.open_study(settings.storage, name)
            optuna.delete_study(study_name=name, storage=study._storage)


def _read(settings: Settings) -> tuple[list[Searched], Parts, int]:
    """The studies, which can be confirmed, the parts that are there, and the number of folds."""
    searches = [read_searched(settings.storage, name) for name in settings.names]
    require_comparable(*searches)
    parts = find_parts(settings.storage, searches)
    folds = settings.folds
    if folds is None:
        folds = folds_of(settings.storage, searches, parts)
    require_images(searches[0], folds)
    require_free(settings.storage, searches, parts)
    return searches, parts, folds


def _parts(search: Searched, settings: Settings, names: Parts, folds: int) -> list[Part]:
    """The two studies that confirm one: name, manifest, and all repetitions, done or not."""
    splits, replicates = (
        names.get((search.name, part), search.name + part) for part in (SPLITS, REPLICATES)
    )
    return [_splits(search, settings, splits, folds), _replicates(search, settings, replicates)]


def _splits(search: Searched, settings: Settings, name: str, folds: int) -> Part:
    from study.confirm.repetitions import Source, Split

    seed, n_trials = settings.seed, settings.n_trials
    engine = engine_of_part(settings.storage, search, name)
    source = Source.of(search, settings.data_root, engine)
    divided = {"folds": folds} if folds else {}  # version 0.1 had no such entry
    return (
        name,
        manifest_of_part(search, SPLITS, seed, engine, n_trials=n_trials, **divided),
        [
            Split(source, n_trials, k, seed, folds)
            for k in range(settings.splits or folds or RANDOM_SPLITS)
        ],
    )


def _replicates(search: Searched, settings: Settings, name: str) -> Part:
    from study.confirm.repetitions import Replicate, Source

    begun = (manifest_of(settings.storage, name) or {}).get("finalists", ())
    limit = settings.finalists or len(begun) or FINALISTS
    chosen = finalists(search.plan, search.trials, limit)
    engine = engine_of_part(settings.storage, search, name)
    source = Source.of(search, settings.data_root, engine)
    found = {
        "finalists": [trial.number for trial in chosen],
        "digests": [trial.weights_sha256 for trial in chosen],
    }
    return (
        name,
        manifest_of_part(search, REPLICATES, settings.seed, engine, **found),
        [Replicate(source, chosen, k, settings.seed) for k in range(settings.seeds)],
    )


def _same(manifest: dict[str, Any], stored: object) -> dict[str, Any]:
    """What a part must be, whatever it is."""
    return manifest


def _left(repetitions: Sequence[Repetition], recorded: int) -> list[Repetition]:
    """Those that are still to be trained where so many trials are recorded."""
    return [each for each in repetitions if each.number * each.size >= recorded]


def _recorded(storage: str, name: str) -> int:
    """How many trials a study has; none where it is not there yet."""
    is_there = store.has_study(storage, name)
    return store.count_trials(store.load_study(storage, name)) if is_there else 0


def _require_engines(work: Sequence[Work]) -> None:
    for ledger, repetition in work:
        engine = repetition.source.plan.engine
        if not is_here(engine):
            raise StudyError(
                f"study {shown(ledger.found.name)}: was begun with engine {engine}, which is not "
                "on this machine: finish it where it was begun, or pass --restart"
            )


def _run(work: Sequence[Work], pool: Pool, progress: Progress | None) -> None:
    """Train the repetitions and record each, in order, as it is done."""
    from study.confirm.repetitions import jobs_of, trials_of

    jobs = [jobs_of(repetition) for _, repetition in work]
    results = pool.results(train_job, [*chain.from_iterable(jobs)])
    for done, ((ledger, repetition), own) in enumerate(zip(work, jobs, strict=True), 1):
        trials = trials_of(repetition, [*islice(results, len(own))])
        ledger.append(trials, ledger.next_number())
        if progress:
            progress(done, len(work))


def train_job(job: Job) -> list[Any]:
    """Train a job, in a worker; see :func:`study.confirm.training.train_job`."""
    from study.confirm.training import train_job  # torch, which a planner does without

    return train_job(job)
