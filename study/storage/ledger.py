"""Lock a study, and append finished trials to it, with the seal that covers them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from study.explain import explaining
from study.storage.attributes import rdb_of, url_of
from study.storage.lock import lock
from study.storage.manifest import FIRST_NAME, Wanted, check_manifest
from study.storage.opening import open_study
from study.storage.postgresql.lock import keep_lock
from study.storage.postgresql.reconnecting import reconnecting
from study.storage.seal import Seal
from study.storage.urls import check_name, label
from study.storage.versions import TRAINED_WITH, other_than_begun, refused, versions_here

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from study.storage.searched import Searched

REMEDY = "choose another --study-name"


class Ledger:
    """A study that this process has locked, to append to it.

    Args:
        found: The study, open for writing.
    """

    def __init__(self, found: Searched) -> None:
        self.found = found
        self._seal = Seal.of(found.manifest, found.machine, found.name, found.frozen)
        self._others = other_than_begun(found.manifest, found.machine)
        self._numbers = {trial.number for trial in found.frozen}

    @classmethod
    @contextmanager
    def hold(cls, storage: str, name: str, wanted: Wanted, remedy: str = REMEDY) -> Iterator[Self]:
        """Lock and open the study ``name``, and check it, for the length of the block.

        Args:
            storage: A path or a URL.
            name: The study's name.
            wanted: What the study must be; a fresh study gets it, with its name.
            remedy: What a person can do where it is something else.

        Raises:
            StudyError: The storage, the name or the study can't be used, the study was
                searched under another manifest, or it is damaged.
            BusyError: Another process holds the study.
            ResourceError: The storage can't be written.
        """
        from study.storage.searched import Searched

        check_name(name)
        with lock(storage, name):
            study = open_study(storage, name)
            check_manifest(study, lambda stored: {**wanted(stored), FIRST_NAME: name}, remedy)
            yield cls(Searched.of(study))

    def require_versions(self, *, others: bool) -> None:
        """Refuse to append trials by other versions than the study was begun with.

        Args:
            others: The person allows them.

        Raises:
            StudyError: There are others, and they are not allowed.
        """
        if self._others and not others:
            raise refused(self.found.study, self._others)

    @property
    def finished(self) -> int:
        """How many finished trials the study has."""
        return self._seal.trials

    def next_number(self) -> int:
        """The number of the next trial: how many there are, in whatever state."""
        return count_trials(self.found.study)

    def append(self, trials: Sequence[FrozenTrial], first: int) -> None:
        """Append finished trials and the seal that covers them, in one transaction.

        Args:
            trials: The trials, in order; each gets the versions here, where the study was begun
                with others.
            first: The number of the first one, from :meth:`next_number`.

        Raises:
            ValueError, ResourceError, BusyError: See :func:`record`; nothing was recorded.
        """
        if self._others:
            for trial in trials:
                trial.system_attrs = {**trial.system_attrs, TRAINED_WITH: versions_here()}
        passed_over = sorted(set(range(first)) - self._numbers)
        seal = self._seal.over(trials, passed_over)
        study = self.found.study
        record(study, trials, seal.attribute, first=first, finished=self.finished)
        self._seal = seal
        self._numbers.update(range(first, first + len(trials)))


def record(
    study: Study,
    trials: Sequence[FrozenTrial],
    system_attrs: Mapping[str, Any] | None = None,
    *,
    first: int | None = None,
    finished: int | None = None,
) -> None:
    """Append ``trials``, numbered on from those that are there, all or none of them.

    Equals ``for trial in trials: study.add_trial(trial)``, but in one transaction and about a
    hundred times as fast, on a storage whose tables :mod:`study.storage.bulk` knows. On any
    other it is that loop. A server that has gone away is waited for, and the study's lock, where
    this process has it, is taken again.

    Args:
        study: The study, not opened for reading only.
        trials: Finished trials; their own numbers are ignored.
        system_attrs: System attributes of the study, set in the same transaction.
        first: How many trials, in whatever state, the study has to have before.
        finished: How many finished ones. Both are compared on SQLite and PostgreSQL alone.

    Raises:
        ValueError: A trial is unfinished or inconsistent; nothing was recorded.
        ResourceError: The disk is full or the file read-only; nothing was recorded.
        BusyError: Another program kept the file locked for a minute, or has appended to the
            study meanwhile; nothing was recorded.
    """
    from study.storage import bulk

    attributes, backend, tries = dict(system_attrs or {}), rdb_of(study), itertools.count()
    for trial in trials:
        if not trial.state.is_finished():
            raise ValueError(f"a trial is {trial.state.name}: only finished ones are recorded")
        trial._validate()

    def append() -> bool:
        """Append under the lock, unless it was done and only the server's answer was lost."""
        if backend is None:
            return False
        where = backend.engine, study._study_id
        if next(tries) and attributes and bulk.has(*where, attributes):
            return True
        keep_lock(backend.url, study.study_name)
        return bulk.append(*where, trials, attributes, (first, finished))

    url = url_of(study)
    with explaining(label(url) or "storage"):
        if reconnecting(url, append):
            return
        for trial in trials:
            study.add_trial(trial)
        for key, value in attributes.items():
            study._storage.set_study_system_attr(study._study_id, key, value)


def count_trials(study: Study) -> int:
    """How many trials the study has, in whatever state."""
    from study.storage import bulk

    backend = rdb_of(study)
    if backend is None:
        return len(study.get_trials(deepcopy=False))
    with explaining(label(backend.url)):
        return reconnecting(backend.url, lambda: bulk.count(backend.engine, study._study_id))
