"""Append finished trials to a study."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from study.explain import explaining
from study.storage.backend import rdb_of
from study.storage.lock import keep_lock
from study.storage.reconnecting import reconnecting
from study.storage.urls import label

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial


def record(
    study: "Study",
    trials: "Sequence[FrozenTrial]",
    system_attrs: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    *,
    first: int | None = None,
    finished: int | None = None,
) -> None:
    """Append ``trials``, numbered on from those that are there, all or none of them.

    Equals ``for trial in trials: study.add_trial(trial)``, but in one transaction and
    about a hundred times as fast, on a storage whose tables :mod:`study.storage.bulk`
    knows. On any other it is that loop. A database server that has gone away is waited for,
    and its lock of the study, where this process holds it, is taken again if it is gone.

    Args:
        study: The study, not opened for reading only.
        trials: Finished trials; their own numbers are ignored.
        system_attrs: System attributes of the study, set in the same transaction.
        first: How many trials, in whatever state, the study has to have before.
        finished: How many finished ones. Both are looked at on SQLite and PostgreSQL alone.

    Raises:
        ValueError: A trial is unfinished or inconsistent; nothing was recorded.
        ResourceError: The disk is full or the file read-only; nothing was recorded.
        BusyError: Another program kept the file locked for a minute, or has appended to the
            study since its trials were counted; nothing was recorded.
    """
    attributes = dict(system_attrs)
    for trial in trials:
        if not trial.state.is_finished():
            raise ValueError(f"a trial is {trial.state.name}: only finished ones are recorded")
        trial._validate()
    backend = rdb_of(study)
    with explaining("storage" if backend is None else label(backend.url)):
        if backend is None or not _append(backend, study, trials, attributes, (first, finished)):
            _add_one_by_one(study, trials, attributes)


def is_atomic(study: "Study") -> bool:
    """Whether trials and their seal are recorded in one transaction, which no kill can part."""
    backend = rdb_of(study)
    return backend is not None and backend.engine.name in ("sqlite", "postgresql")


def count_trials(study: "Study") -> int:
    """How many trials the study has, in whatever state."""
    backend = rdb_of(study)
    if backend is None:
        return len(study.get_trials(deepcopy=False))
    from study.storage import bulk

    with explaining(label(backend.url)):
        return reconnecting(backend.url, lambda: bulk.count(backend.engine, study._study_id))


def _append(
    backend: "RDBStorage",
    study: "Study",
    trials: "Sequence[FrozenTrial]",
    attributes: dict[str, Any],
    before: tuple[int | None, int | None],
) -> bool:
    from study.storage import bulk

    engine, tries = backend.engine, itertools.count()

    def once() -> bool:
        """Append under the lock, unless it was done and only the server's answer was lost."""
        if next(tries) and attributes and bulk.has(engine, study._study_id, attributes):
            return True
        keep_lock(backend.url, study.study_name)
        return bulk.append(engine, study._study_id, trials, attributes, before)

    return reconnecting(backend.url, once)


def _add_one_by_one(
    study: "Study", trials: "Sequence[FrozenTrial]", attributes: dict[str, Any]
) -> None:
    for trial in trials:
        study.add_trial(trial)
    for key, value in attributes.items():
        study._storage.set_study_system_attr(study._study_id, key, value)
