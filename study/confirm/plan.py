"""What a confirmation retrains: the finalists on fresh seeds, the search on fresh splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study import storage as store
from study.choosing import recommended
from study.errors import StudyError
from study.integrity import FINISHED, vouched
from study.search.plan import Plan, versions
from study.trials import StoredTrial, rank, read_trials

REPLICATES, SPLITS = "/replicates", "/splits"  # after a study's name: where they are stored


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
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4])

    @classmethod
    def load(cls, storage: str, name: str) -> Contender:
        """Read a study from the storage, without changing it.

        Raises:
            StudyError: The study is missing, foreign or empty.
        """
        study = store.load_study(storage, name)
        manifest = store.manifest(study)
        if manifest is None:
            raise StudyError(f"study {name!r}: has no manifest: search it with this package")
        done = [trial for trial in vouched(study) if trial.state.name in FINISHED]
        trials = tuple(read_trials(done, name))
        if not any(trial.state == "COMPLETE" for trial in trials):
            raise StudyError(f"study {name!r}: has no finished trial: search it first")
        return cls(name, Plan.of_manifest(manifest), manifest, trials)


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
        "replicates_of": contender.name,
        "search": {name: part for name, part in contender.manifest.items() if name != "versions"},
        "finalists": [trial.number for trial in chosen],
        "digests": [trial.weights_sha256 for trial in chosen],
        "seed": seed,
        "versions": versions(),
    }


def splits_manifest(contender: Contender, n_trials: int, seed: int) -> dict[str, Any]:
    """What defines the resampled searches of a study, stored with them."""
    return {
        "splits_of": contender.name,
        "search": {name: part for name, part in contender.manifest.items() if name != "versions"},
        "n_trials": n_trials,
        "seed": seed,
        "versions": versions(),
    }
