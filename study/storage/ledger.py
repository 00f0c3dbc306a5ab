"""Hold a study, and append finished trials to it, with the seal that covers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from study.storage.lock import lock
from study.storage.manifest import FIRST_NAME, check_manifest
from study.storage.opening import open_study
from study.storage.recording import count_trials, record
from study.storage.seal import Seal
from study.storage.urls import check_name

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from study.storage.searched import Searched

REMEDY = "choose another --study-name"


class Ledger:
    """A study that is held to append to: one transaction takes trials and the new seal.

    Args:
        found: The study as it is now. It is open for writing, and this process has its lock.

    Attributes:
        found: The same; what is appended is not in it.
        finished: How many finished trials the study has now.
    """

    def __init__(self, found: Searched) -> None:
        self.found = found
        self._seal = Seal.of(found.manifest, found.machine, found.name, found.frozen)
        self._numbers = {trial.number for trial in found.frozen}

    @classmethod
    @contextmanager
    def hold(
        cls, storage: str, name: str, manifest: Mapping[str, Any], remedy: str = REMEDY
    ) -> Iterator[Self]:
        """Lock and open the study ``name``, and check it, for the length of the block.

        Args:
            storage: A path or a URL.
            name: The study's name.
            manifest: What the study must be; a fresh study gets it, with its name.
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
            check_manifest(study, {**manifest, FIRST_NAME: name}, remedy)
            yield cls(Searched.of(study))

    @property
    def finished(self) -> int:
        """How many finished trials the study has."""
        return self._seal.trials

    def next_number(self) -> int:
        """The number of the next trial: how many there are, in whatever state."""
        return count_trials(self.found.study)

    def append(self, trials: Sequence[FrozenTrial], first: int) -> None:
        """Append finished trials and the seal that covers them, all or nothing.

        Args:
            trials: The trials, in order.
            first: The number of the first one, from :meth:`next_number`.

        Raises:
            ValueError: A trial is unfinished or inconsistent; nothing was recorded.
            ResourceError: The disk is full or the file read-only; nothing was recorded.
            BusyError: Another program has locked the storage, or has appended to the study
                meanwhile; nothing was recorded.
        """
        passed_over = sorted(set(range(first)) - self._numbers)
        seal = self._seal.over(trials, passed_over)
        study = self.found.study
        record(study, trials, seal.attribute, first=first, finished=self.finished)
        self._seal = seal
        self._numbers.update(range(first, first + len(trials)))
