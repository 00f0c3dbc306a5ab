"""Confirm searched studies: train the repetitions that are left, record each as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import storage as store
from study.confirm.plan import (
    REPLICATES,
    SPLITS,
    Parts,
    finalists,
    find_parts,
    manifest_of_part,
    read_searched,
    require_free,
    require_images,
)
from study.storage.comparable import require_comparable
from study.storage.searched import Searched, require_fit
from study.workers import Pool, Workers

if TYPE_CHECKING:
    from study.confirm.replicates import Repetition

    Work = tuple[store.Ledger, Repetition]
    Part = tuple[str, dict[str, Any], Sequence[Repetition]]

REMEDY = "pass --restart"


@dataclass(frozen=True)
class Settings:
    """How a confirmation is run."""

    storage: str
    names: tuple[str, ...]  # the studies, two or more, the simpler models first
    seeds: int = 20  # replicates
    splits: int = 8
    n_trials: int = 16  # of the search inside each split
    finalists: int = 3  # of each study, at most
    seed: int = 0  # of everything random here
    workers: Workers = field(default_factory=Workers)
    data_root: Path | None = None


Progress = Callable[[int, int], None]
"""(repetitions done, repetitions in all)."""


def confirm(settings: Settings, progress: Progress | None = None) -> int:
    """Retrain and resample until the storage has all that the settings ask for.

    Run again after a kill, it goes on to the same tables, bit for bit.

    Args:
        settings: Which studies, and how much.
        progress: Called whenever a repetition is done.

    Returns:
        The number of repetitions that were trained now.

    Raises:
        StudyError: A study is missing or foreign, they can't be compared, or one was confirmed
            with other settings.
        BusyError: Another confirmation holds one of the studies.
        ResourceError: The storage can't be written.
    """
    from study.confirm.replicates import require_classes

    searches, names = _read(settings)
    # the last first: the larger models take longest
    parts = [part for search in searches[::-1] for part in _parts(search, settings, names)]
    for name, manifest, repetitions in parts:
        require_fit(settings.storage, name, manifest, REMEDY)
        if settings.workers.dask is None:  # a cluster may have the images where this has none
            require_classes(_left(repetitions, _recorded(settings.storage, name)))
    with ExitStack() as stack:
        work: list[Work] = []
        for name, manifest, repetitions in parts:
            ledger = stack.enter_context(
                store.Ledger.hold(settings.storage, name, manifest, REMEDY)
            )
            work += [(ledger, repetition) for repetition in _left(repetitions, ledger.finished)]
        if work:
            needed = sum(search.plan.bytes_needed(len(work)) for search in searches)
            store.require_room(store.files(settings.storage, searches[0].name), needed)
        with settings.workers.open() as pool:
            _run(work, pool, progress)
    return len(work)


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


def _read(settings: Settings) -> tuple[list[Searched], Parts]:
    """The studies, which can be confirmed, and the parts that are there."""
    searches = [read_searched(settings.storage, name) for name in settings.names]
    require_comparable(*searches)
    require_images(searches[0])
    parts = find_parts(settings.storage, searches)
    require_free(settings.storage, searches, parts)
    return searches, parts


def _parts(search: Searched, settings: Settings, names: Parts) -> list[Part]:
    """The two studies that confirm one: name, manifest, and all repetitions, done or not."""
    from study.confirm.replicates import Replicate, Source, Split

    chosen = finalists(search.plan, search.trials, settings.finalists)
    seed, source = settings.seed, Source.of(search, settings.data_root)
    found = {
        "finalists": [trial.number for trial in chosen],
        "digests": [trial.weights_sha256 for trial in chosen],
    }
    return [
        (
            names.get((search.name, SPLITS), search.name + SPLITS),
            manifest_of_part(search, SPLITS, seed, n_trials=settings.n_trials),
            [Split(source, settings.n_trials, k, seed) for k in range(settings.splits)],
        ),
        (
            names.get((search.name, REPLICATES), search.name + REPLICATES),
            manifest_of_part(search, REPLICATES, seed, **found),
            [Replicate(source, chosen, k, seed) for k in range(settings.seeds)],
        ),
    ]


def _left(repetitions: Sequence[Repetition], recorded: int) -> list[Repetition]:
    """Those that are still to be trained where so many trials are recorded."""
    return [each for each in repetitions if each.number * each.size >= recorded]


def _recorded(storage: str, name: str) -> int:
    """How many trials a study has; none where it is not there yet."""
    is_there = store.has_study(storage, name)
    return store.count_trials(store.load_study(storage, name)) if is_there else 0


def _run(work: Sequence[Work], pool: Pool, progress: Progress | None) -> None:
    """Train the repetitions and record each, in order, as it is done."""
    from study.confirm.replicates import run

    results = pool.results(run, [repetition for _, repetition in work])
    for done, ((ledger, _), trials) in enumerate(zip(work, results, strict=True), 1):
        ledger.append(trials, ledger.next_number())
        if progress:
            progress(done, len(work))
