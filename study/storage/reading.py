"""Read the trials of a study, whatever has become of their rows."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from study.errors import StudyError
from study.explain import explain
from study.storage.backend import backend_of, rdb_of
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
        trials = waiting(study, lambda: study.get_trials(deepcopy=False))
        if any(map(_is_twofold, trials)):
            waiting(study, lambda: _tell_hours_apart(study, trials))
        return trials
    except Exception as error:  # a damaged row can end in any error of Optuna or SQLAlchemy
        known = explain(error, what)
        if known is not None:
            raise known from error
        numbers = ", ".join(map(str, _unreadable(study))) or "some"
        raise StudyError(
            f"{what}: the rows of trial {numbers} can't be read: restore the storage from a copy"
        ) from error


def _is_twofold(trial: "FrozenTrial") -> bool:
    """Whether a date of the trial, in naive local time, is one that clocks show twice."""
    dates = (trial.datetime_start, trial.datetime_complete)
    return any(
        date.replace(fold=0).timestamp() != date.replace(fold=1).timestamp()
        for date in dates
        if date is not None
    )


def _tell_hours_apart(study: "Study", trials: "Sequence[FrozenTrial]") -> None:
    """Set the ``fold`` of dates in an hour that clocks repeat, which Optuna drops.

    Optuna's tables have UTC, and its trials naive local time.
    """
    from study.storage.bulk import dates

    backend = rdb_of(study)
    if backend is None:
        return
    stored = dates(backend.engine, study._study_id)
    for trial in trials:
        start, complete = stored.get(trial._trial_id, (None, None))
        trial.datetime_start, trial.datetime_complete = _local(start), _local(complete)


def _local(utc: datetime | None) -> datetime | None:
    """Naive local time of a naive UTC time, with its fold."""
    if utc is None:
        return None
    local = utc.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
    is_second = local.astimezone(UTC).replace(tzinfo=None) != utc
    return local.replace(fold=int(is_second))


def _unreadable(study: "Study", limit: int = 3) -> Iterator[int]:
    """The first trials that Optuna can't read one by one."""
    backend = backend_of(study)
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
