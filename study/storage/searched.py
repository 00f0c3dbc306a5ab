"""Read a study that this package has searched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from study.errors import StudyError
from study.storage.attributes import named, url_of
from study.storage.inspection import Inspection, Manifest, inspect
from study.storage.manifest import Wanted, check_manifest, first_name
from study.storage.manifest import manifest as manifest_of
from study.storage.opening import has_study, load_study
from study.storage.urls import resolve, sqlite_path
from study.storage.weights import weights_of
from study.training.plan import Plan
from study.trials import StoredTrial, best_of

if TYPE_CHECKING:
    import numpy as np
    from optuna import Study


@dataclass(frozen=True)
class Searched(Inspection):
    """A study of this package that is as it was recorded: the only reader of studies.

    Guaranteed: the study has a manifest; all its finished trials are in ``frozen`` and, parsed
    and in the same order, in ``trials``; nothing that the seal covers has changed since it was
    recorded; a trial that the seal does not cover was trained as the manifest says. The weights
    beside the storage are not read before :meth:`weights`, which checks them.
    """

    manifest: Manifest

    @classmethod
    def read(cls, storage: str, name: str) -> Self:
        """Read a study; nothing is created or changed, also while a search writes.

        Args:
            storage: A path or a URL.
            name: The study's.

        Raises:
            StudyError: The storage or the study is missing, is another program's, or is damaged;
                the message names the first fault and counts the rest.
            ResourceError: The storage can't be read.
        """
        return cls.of(load_study(storage, name))

    @classmethod
    def of(cls, study: Study) -> Self:
        """The same of a study that is open; raises as :meth:`read` does."""
        found = inspect(study)
        found.require_faultless()
        if found.manifest is None:
            raise StudyError(
                f"{named(study)}: was not searched by this package, it has no "
                "manifest: name another study"
            )
        return cls(**vars(found))

    @property
    def name(self) -> str:
        """The study's present name."""
        return self.study.study_name

    @property
    def first_name(self) -> str:
        """The name that the study was searched under, whatever it is called now."""
        return first_name(self.manifest, self.name)

    @property
    def storage(self) -> str:
        """The URL of the storage, password included."""
        return url_of(self.study)

    @cached_property
    def plan(self) -> Plan:
        """The plan that was searched.

        Raises:
            StudyError: The manifest is a confirmation's, or of another version of the package.
        """
        return Plan.from_manifest(self.manifest)

    @property
    def best(self) -> StoredTrial | None:
        """The best trial that was trained to the end; ``None`` where there is none yet."""
        return best_of(self.trials)

    def weights(self, trial: StoredTrial) -> dict[str, np.ndarray]:
        """The weights at a trial's best step, which are kept of the study's best trials.

        Raises:
            StudyError: They are missing, damaged, or another trial's.
            ResourceError: They can't be read.
        """
        return weights_of(self.storage, self.name, trial)


def require_fit(storage: str, name: str, wanted: Wanted, remedy: str) -> None:
    """Refuse, without a trace, a study in a file that is not what ``wanted`` says.

    A study on a server is compared later, under its lock.

    Args:
        storage: A path or a URL.
        name: The study's.
        wanted: The manifest that it has to have.
        remedy: What a person can do where it has another.

    Raises:
        StudyError: It has another, or it is another program's, or it is damaged.
        ResourceError: The storage can't be read.
    """
    if sqlite_path(resolve(storage)) is None or not has_study(storage, name):
        return
    study = load_study(storage, name)
    if manifest_of(study) is None:
        found = inspect(study)
        found.require_faultless()
        if not found.frozen:
            return  # nothing was recorded yet
    check_manifest(study, wanted, remedy)
