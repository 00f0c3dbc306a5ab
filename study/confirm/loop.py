"""Confirm two searched studies: plan the units, train them, record each as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import integrity
from study import storage as store
from study.confirm.plan import (
    REPLICATES,
    SPLITS,
    Contender,
    finalists,
    replicates_manifest,
    require_comparable,
    require_room,
    splits_manifest,
)

if TYPE_CHECKING:
    import optuna

    from study.confirm.units import Replicate, Split

    Work = tuple[optuna.Study, Replicate | Split]
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
    jobs: int = 1
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
    first, second = _contenders(settings)
    parts = [part for contender in (second, first) for part in _parts(contender, settings)]
    for name, manifest, _ in parts:
        store.require_fit(settings.storage, name, manifest, REMEDY)
    with ExitStack() as stack:
        work: list[Work] = []
        seals: dict[str, store.Seal] = {}
        for name, manifest, units in parts:
            study = stack.enter_context(store.hold(settings.storage, name, manifest, REMEDY))
            trials = integrity.vouched(study)
            seals[name] = store.Seal.of(name, store.manifest(study), trials)
            work += [(study, unit) for unit in units if unit.number * unit.size >= len(trials)]
        if work:
            needed = first.plan.bytes_of(len(work)) + second.plan.bytes_of(len(work))
            store.require_room(store.files(settings.storage, first.name), needed)
        _run(work, seals, settings.jobs, progress)
    return len(work)


def restart(settings: Settings) -> None:
    """Drop what an earlier confirmation of these studies left in the storage, all of it.

    Raises:
        StudyError: The storage or a study is missing or foreign; nothing is dropped.
        BusyError: A confirmation of them is running; nothing is dropped.
    """
    import optuna

    _contenders(settings)
    there = store.study_names(settings.storage)
    names = [name + part for name in settings.names for part in (REPLICATES, SPLITS)]
    dropped = [name for name in names if name in there]
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


def _parts(contender: Contender, settings: Settings) -> list[Part]:
    """The two studies of a confirmation: name, manifest, and all units, done or not."""
    from study.confirm.units import Replicate, Split

    chosen = finalists(contender.trials, settings.finalists)
    root, seed = settings.data_root, settings.seed
    return [
        (
            contender.name + SPLITS,
            splits_manifest(contender, settings.n_trials, seed),
            [
                Split(contender, number, settings.n_trials, seed, root)
                for number in range(settings.splits)
            ],
        ),
        (
            contender.name + REPLICATES,
            replicates_manifest(contender, chosen, seed),
            [Replicate(contender, chosen, number, seed, root) for number in range(settings.seeds)],
        ),
    ]


def _run(
    work: Sequence[Work], seals: dict[str, store.Seal], jobs: int, progress: Progress | None
) -> None:
    """Train the units on ``jobs`` threads and record each, in order, as it is done.

    ``seals`` has each study's, and grows with what is recorded.
    """
    from joblib import Parallel, delayed

    from study.confirm.units import run
    from study.search.cohort import retried

    results = Parallel(n_jobs=jobs, backend="threading", return_as="generator")(
        delayed(retried)(run, unit) for _, unit in work
    )
    for done, ((study, _), trials) in enumerate(zip(work, results, strict=True), 1):
        name = study.study_name
        seals[name] = seals[name].over(trials)
        store.record(study, trials, seals[name].attribute)
        if progress:
            progress(done, len(work))
