"""The weights of a study's best trials, beside its database.

A generation's weights are written before its trials are recorded, and weights that are no
longer among the best are removed after; so a recorded best trial always has its weights. Where
they are lost all the same, training is repeated: it gives the same bits.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from study import storage as store
from study.errors import ResourceError, StudyError
from study.storage.safe_files import left_files, require_companion
from study.storage.weights import weights_of, weights_path
from study.trials import StoredTrial, rank, weights_digest

if TYPE_CHECKING:
    import numpy as np

    from study.training.task import Planned, Trained

    Weights = dict[str, np.ndarray]

_log = logging.getLogger(__name__)

KEPT = 5  # trials


def keep_weights(
    storage: str,
    study_name: str,
    trials: Sequence[StoredTrial],
    new: Sequence[StoredTrial],
    results: Sequence[tuple[Planned, Trained]],
) -> None:
    """Write the weights of the new trials that are among the best of all ``trials``."""
    best = kept_of(trials)
    for trial, (planned, trained) in zip(new, results, strict=True):
        if trial.number in best:
            _save(storage, study_name, trial, planned.seed, trained.history.weights)


def _save(storage: str, study_name: str, trial: StoredTrial, seed: int, weights: Weights) -> None:
    metadata = {
        "study": study_name,
        "trial": str(trial.number),
        "seed": str(seed),
        "weights_sha256": trial.weights_sha256,
    }
    store.save_weights(weights_path(storage, study_name, trial.number), weights, metadata)


def lost_weights(
    storage: str, study_name: str, trials: Sequence[StoredTrial]
) -> dict[int, StoredTrial]:
    """The trials whose weights are to be kept, and are not there whole, by number."""
    lost = {}
    for number, trial in kept_of(trials).items():
        require_companion(weights_path(storage, study_name, number))
        try:
            weights_of(storage, study_name, trial)
        except ResourceError:
            raise
        except StudyError:
            lost[number] = trial
    return lost


def save_again(
    storage: str, study_name: str, trial: StoredTrial, seed: int, weights: Weights
) -> None:
    """Keep the weights of a trial that was trained anew, if they have the bits of before."""
    if weights_digest(weights) == trial.weights_sha256:
        _save(storage, study_name, trial, seed, weights)
    else:
        _log.warning(
            "%s: the weights of trial %d can't be made again here, training gives other bits",
            study_name,
            trial.number,
        )


def drop_weights(storage: str, study_name: str, trials: Sequence[StoredTrial]) -> None:
    """Remove weights that are not among the best any more, and drafts that a kill left."""
    best = kept_of(trials)
    for path, number in left_files(store.files(storage, study_name)):
        if number not in best:
            path.unlink(missing_ok=True)


def kept_of(trials: Sequence[StoredTrial]) -> dict[int, StoredTrial]:
    """The trials whose weights are kept, the best first, by number."""
    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    return {trial.number: trial for trial in sorted(complete, key=rank)[:KEPT]}
