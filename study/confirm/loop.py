"""Confirm two searched studies: plan the units, train them, record each as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import storage as store
from study.confirm.plan import (
    REPLICATES,
    SPLITS,
    Contender,
    Parts,
    finalists,
    find_parts,
    replicates_manifest,
    require_comparable,
    require_free,
    require_room,
    splits_manifest,
)
from study.storage.searched import require_fit
from study.workers import Pool, Workers

if TYPE_CHECKING:
    from study.confirm.replicates import Replicate, Split

    Work = tuple[store.Ledger, Replicate | Split]
    Part = tuple[str, dict[str, Any], Sequence[Replicate | Split]]

REMEDY = "pass --restart"


@dataclass(frozen=True)
class Settings:
    """How a confirmation is run."""

    storage: str
    names: tuple[str, str]  # the two studies, the simpler model first
    seeds: int = 20  # replicates
    splits: int = 8
    n_trials: int = 16  # of the search inside each split
    finalists: int = 3  # of each study, at most
    seed: int = 0  # of everything random here
    workers: Workers = field(default_factory=Workers)
    data_root: Path | None = None


Progress = Callable[[int, int], None]
"""(units done, units in all)."""


def confirm(settings: Settings, progress: Progress | None = None) -> int:
    """Retrain and resample until the storage has all that the settings ask for.

    Run again after a kill, it goes on to the same tables, bit for bit.

    Args:
        settings: Which studies, and how much.
        progress: Told whenever a unit is done.

    Returns:
        The number of units that were trained now.

    Raises:
        StudyError: A study is missing or foreign, the two can't be compared, or they were
            confirmed with other settings.
        BusyError: Another confirmation holds one of the studies.
        ResourceError: The storage can't be written.
    """
    from study.confirm.replicates import require_classes

    first, second = _contenders(settings)
    names = find_parts(settings.storage, (first, second))
    require_free(settings.storage, (first, second), names)
    parts = [part for c in (second, first) for part in _parts(c, settings, names)]
    for name, manifest, units in parts:
        require_fit(settings.storage, name, manifest, REMEDY)
        if settings.workers.dask is None:  # a cluster may have the images where this has none
            require_classes(_left(units, _recorded(settings.storage, name)))
    with ExitStack() as stack:
        work: list[Work] = []
        for name, manifest, units in parts:
            held = store.Ledger.hold(settings.storage, name, manifest, REMEDY)
            ledger = stack.enter_context(held)
            work += [(ledger, unit) for unit in _left(units, ledger.finished)]
        if work:
            needed = first.plan.bytes_needed(len(work)) + second.plan.bytes_needed(len(work))
            store.require_room(store.files(settings.storage, first.name), needed)
        with settings.workers.open() as pool:
            _run(work, pool, progress)
    return len(work)


def _left(units: Sequence[Replicate | Split], recorded: int) -> list[Replicate | Split]:
    """The units of a study that has so many trials that are still to be trained."""
    return [unit for unit in units if unit.number * unit.size >= recorded]


def _recorded(storage: str, name: str) -> int:
    """How many trials a study has that may not be there yet."""
    is_there = store.has_study(storage, name)
    return store.count_trials(store.load_study(storage, name)) if is_there else 0


def restart(settings: Settings) -> None:
    """Drop what an earlier confirmation of these studies left in the storage, all of it.

    Raises:
        StudyError: The storage or a study is missing or foreign; nothing is dropped.
        BusyError: A confirmation of them is running; nothing is dropped.
    """
    import optuna

    pair = _contenders(settings)
    parts = find_parts(settings.storage, pair)
    require_free(settings.storage, pair, parts)
    dropped = list(parts.values())
    with ExitStack() as stack:
        for name in dropped:
            stack.enter_context(store.lock(settings.storage, name))
        for name in dropped:
            study = store.open_study(settings.storage, name)
            optuna.delete_study(study_name=name, storage=study._storage)


def _contenders(settings: Settings) -> tuple[Contender, Contender]:
    first, second = (Contender.load(settings.storage, name) for name in settings.names)
    require_comparable(first, second)
    require_room(first)
    return first, second


def _parts(contender: Contender, settings: Settings, names: Parts) -> list[Part]:
    """The two studies of a confirmation: name, manifest, and all units, done or not."""
    from study.confirm.replicates import Replicate, Split

    chosen = finalists(contender.trials, settings.finalists)
    seed, root = settings.seed, settings.data_root and settings.data_root.absolute()
    slim = replace(contender, trials=())  # what workers need of it
    return [
        (
            names.get((contender.name, SPLITS), contender.name + SPLITS),
            splits_manifest(contender, settings.n_trials, seed),
            [
                Split(slim, number, settings.n_trials, seed, root)
                for number in range(settings.splits)
            ],
        ),
        (
            names.get((contender.name, REPLICATES), contender.name + REPLICATES),
            replicates_manifest(contender, chosen, seed),
            [Replicate(slim, chosen, number, seed, root) for number in range(settings.seeds)],
        ),
    ]


def _run(work: Sequence[Work], pool: Pool, progress: Progress | None) -> None:
    """Train the units and record each, in order, as it is done."""
    from study.confirm.replicates import run

    results = pool.results(run, [unit for _, unit in work])
    for done, ((ledger, _), trials) in enumerate(zip(work, results, strict=True), 1):
        ledger.append(trials, ledger.next_number())
        if progress:
            progress(done, len(work))
