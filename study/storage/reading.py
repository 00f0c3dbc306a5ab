"""Read the trials of a study, whatever has become of their rows."""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from study.errors import StudyError
from study.storage.explain import explain
from study.storage.reconnecting import waiting
from study.storage.urls import shown

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


def frozen_trials(study: "Study") -> "list[FrozenTrial]":
    """All trials of a study, by number, as Optuna reads them.

    Raises:
        StudyError: Optuna can't make trials of the rows; the message names the first.
        ResourceError: The storage can't be read.
    """
    what = f"study {shown(study.study_name)}"
    try:
        return waiting(study, lambda: study.get_trials(deepcopy=False))
    except Exception as error:  # a damaged row can end in any error of Optuna or SQLAlchemy
        known = explain(error, what)
        if known is not None:
            raise known from error
        numbers = ", ".join(map(str, _unreadable(study))) or "some"
        raise StudyError(
            f"{what}: the rows of trial {numbers} can't be read: restore the storage from a copy"
        ) from error


def _unreadable(study: "Study", limit: int = 3) -> Iterator[int]:
    """The first trials that Optuna can't read one by one."""
    storage = study._storage
    backend = getattr(storage, "_backend", storage)  # beside Optuna's cache
    for number in count():
        try:
            trial = backend.get_trial_id_from_study_id_trial_number(study._study_id, number)
        except KeyError:  # that was the last one
            return
        try:
            backend.get_trial(trial)
        except Exception:
            yield number
            limit -= 1
            if limit == 0:
                return
