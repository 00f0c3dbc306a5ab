"""The weights of a study's best trials, beside its database.

A generation's weights are written before its trials are recorded, and weights that are no
longer among the best are removed after; so a recorded best trial always has its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from study import storage as store
from study.storage.companions import left_files
from study.trials import StoredTrial, rank

if TYPE_CHECKING:
    from study.search.cohort import Trained
    from study.search.plan import Planned

KEPT = 5  # trials


def weights_path(storage: str, study_name: str, number: int) -> Path:
    """Where a trial's best weights lie, if it is among the study's best."""
    return store.files(storage, study_name) / f"trial-{number:05d}.safetensors"


def keep_weights(
    storage: str,
    study_name: str,
    trials: Sequence[StoredTrial],
    results: Sequence[tuple[Planned, Trained]],
) -> None:
    """Write the weights of the new trials that are among the best of all ``trials``."""
    best = kept_of(trials)
    for planned, trained in results:
        if planned.number in best:
            metadata = {
                "study": study_name,
                "trial": str(planned.number),
                "seed": str(planned.seed),
                "weights_sha256": best[planned.number].weights_sha256,
            }
            path = weights_path(storage, study_name, planned.number)
            store.save_weights(path, trained.history.weights, metadata)


def drop_weights(storage: str, study_name: str, trials: Sequence[StoredTrial]) -> None:
    """Remove weights that are not among the best any more, and drafts that a kill left."""
    best = kept_of(trials)
    folder = store.files(storage, study_name)
    for path, number in left_files(folder):
        if number not in best:
            path.unlink(missing_ok=True)


def kept_of(trials: Sequence[StoredTrial]) -> dict[int, StoredTrial]:
    """The trials whose weights are kept, the best first, by number."""
    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    return {trial.number: trial for trial in sorted(complete, key=rank)[:KEPT]}
