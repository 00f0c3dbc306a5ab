"""What a confirmation retrains: the finalists on fresh seeds, the search on fresh splits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study import storage as store
from study.errors import StudyError
from study.storage.inspection import inspect
from study.storage.manifest import FIRST_NAME, first_name
from study.storage.searched import Searched
from study.training.plan import Plan, versions
from study.trials import StoredTrial, rank
from study.trials.selection import recommended

# After a study's name: where they are stored.
PARTS = REPLICATES, SPLITS = "/replicates", "/splits"
Parts = Mapping[tuple[str, str], str]
"""(study, one of ``PARTS``) → the name of the study that has it."""


@dataclass(frozen=True)
class Contender:
    """A searched study that is to be confirmed."""

    name: str
    plan: Plan
    manifest: dict[str, Any]
    trials: tuple[StoredTrial, ...]

    @property
    def key(self) -> int:
        """Tells studies apart in seeds: two searches of one model draw different weights."""
        return int.from_bytes(hashlib.sha256(self.first_name.encode()).digest()[:4])

    @property
    def first_name(self) -> str:
        """The name that the study was searched under, whatever it is called now."""
        return first_name(self.manifest, self.name)

    @classmethod
    def load(cls, storage: str, name: str) -> Contender:
        """Read a study from the storage, without changing it.

        Raises:
            StudyError: The study is missing, foreign or empty.
        """
        found = Searched.read(storage, name)
        if found.best is None:
            raise StudyError(f"study {name!r}: has no finished trial: search it first")
        return cls(name, found.plan, found.manifest, tuple(found.trials))


def find_parts(storage: str, contenders: Sequence[Contender]) -> Parts:
    """The studies that confirm these studies: (study, ``REPLICATES`` or ``SPLITS``) → its name.

    A part is called after its study. Where one of the two was renamed since, the part's
    manifest says whose it is. Parts that are not there are left out.
    """
    names = set(store.study_names(storage))
    wanted = [(c, suffix) for c in contenders for suffix in PARTS]
    found = {
        (c.name, suffix): c.name + suffix
        for c, suffix in wanted
        if c.name + suffix in names and _is_named_after(storage, c, suffix)
    }
    if found or any(c.name != c.first_name for c in contenders):
        manifests = store.manifests(storage) if len(found) < len(wanted) else {}
        for c, suffix in wanted:
            if (c.name, suffix) not in found and not _is_copy(c, manifests):
                renamed = [name for name, m in manifests.items() if _is_of(m, c, suffix)]
                if renamed:
                    found[c.name, suffix] = renamed[0]
    return found


def require_free(storage: str, contenders: Sequence[Contender], parts: Parts) -> None:
    """Refuse to confirm where another program's study has the name of a part.

    Raises:
        StudyError: Names the study.
    """
    names = store.study_names(storage)
    for name in (c.name + suffix for c in contenders for suffix in PARTS):
        if name in names and name not in parts.values() and not _is_empty(storage, name):
            raise StudyError(
                f"study {name!r}: has the name of a confirmation and is none of this study: "
                "rename it"
            )


def _is_empty(storage: str, name: str) -> bool:
    """Whether a study is what a kill leaves of one that is being made."""
    study = store.load_study(storage, name)
    return store.manifest(study) is None and not store.frozen_trials(study)


def _is_named_after(storage: str, contender: Contender, suffix: str) -> bool:
    """Whether the study of the usual name confirms this study.

    Raises:
        StudyError: It is damaged; it may have lost what it confirms.
    """
    study = store.load_study(storage, contender.name + suffix)
    if _is_of(store.manifest(study), contender, suffix):
        return True
    inspect(study).require_faultless()
    return False


def _is_of(manifest: dict[str, Any] | None, contender: Contender, suffix: str) -> bool:
    return (manifest or {}).get(f"{suffix[1:]}_of") == contender.first_name


def _is_copy(contender: Contender, manifests: dict[str, dict[str, Any]]) -> bool:
    """Whether another study there was searched as this one: one of the two is a copy."""
    same = [m for m in manifests.values() if m.get(FIRST_NAME) == contender.first_name]
    return len(same) > 1


def require_comparable(first: Contender, second: Contender) -> None:
    """Refuse to compare studies of different data or training.

    Raises:
        StudyError: They are one study, or differ; the message says in what.
    """
    if first.name == second.name:
        raise StudyError(f"study {first.name!r}: named twice: compare two studies")
    for part in ("protocol", "data_sha256"):
        ours, theirs = first.manifest[part], second.manifest[part]
        if ours != theirs:
            if isinstance(ours, dict):
                ours, theirs = (
                    ", ".join(f"{n} {m[n]}" for n in m if ours.get(n) != theirs.get(n))
                    for m in (ours, theirs)
                )
            raise StudyError(
                f"studies {first.name!r} and {second.name!r}: differ in {part} "
                f"({ours}; {theirs}): search them alike"
            )


def require_room(contender: Contender) -> None:
    """Refuse a study whose training images can't give up a holdout.

    Raises:
        StudyError: Less than a batch would be left to train on.
    """
    protocol, n_val = contender.plan.protocol, contender.trials[0].n_val
    if protocol.n_train - n_val < protocol.batch_size:
        raise StudyError(
            f"study {contender.name!r}: n_train {protocol.n_train} leaves too few images to train "
            f"on beside a holdout of {n_val}: search with a larger --n-train"
        )


def finalists(trials: Sequence[StoredTrial], limit: int) -> list[StoredTrial]:
    """The best trial, the recommended one, then what is level with the best, by rank.

    A trial that diverged after its best step is a finalist only as the best one.

    Args:
        trials: Of one study.
        limit: The most finalists, 1 or more.
    """
    from study.stats import level_with_best

    complete = sorted((trial for trial in trials if trial.state == "COMPLETE"), key=rank)
    level = level_with_best([trial.val_errors for trial in complete], complete[0].n_val)
    ranked = [
        trial
        for trial, is_level in zip(complete, level, strict=True)
        if is_level and trial.outcome == "finished"
    ]
    chosen = {trial.number: trial for trial in (complete[0], recommended(trials), *ranked)}
    return list(chosen.values())[:limit]


def replicates_manifest(
    contender: Contender, chosen: Sequence[StoredTrial], seed: int
) -> dict[str, Any]:
    """What defines the replicates of a study, stored with them."""
    return {
        "replicates_of": contender.first_name,
        "search": {name: part for name, part in contender.manifest.items() if name != "versions"},
        "finalists": [trial.number for trial in chosen],
        "digests": [trial.weights_sha256 for trial in chosen],
        "seed": seed,
        "versions": versions(),
    }


def splits_manifest(contender: Contender, n_trials: int, seed: int) -> dict[str, Any]:
    """What defines the resampled searches of a study, stored with them."""
    return {
        "splits_of": contender.first_name,
        "search": {name: part for name, part in contender.manifest.items() if name != "versions"},
        "n_trials": n_trials,
        "seed": seed,
        "versions": versions(),
    }
