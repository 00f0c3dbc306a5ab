"""Read the trials of a study, whatever has become of their rows."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from typing import TYPE_CHECKING

from study.errors import StudyError
from study.storage.attributes import backend_of, named, rdb_of, waiting

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

FINISHED = ("COMPLETE", "PRUNED")


def frozen_trials(study: "Study") -> "list[FrozenTrial]":
    """All trials of a study, by number, as Optuna reads them.

    Raises:
        StudyError: Optuna can't make trials of the rows; the message names the first.
        ResourceError: The storage can't be read.
    """
    try:
        trials = waiting(study, lambda: study.get_trials(deepcopy=False))
        if any(map(_is_twofold, trials)):
            waiting(study, lambda: _set_folds(study, trials))
        return trials
    except StudyError:
        raise
    except Exception as error:  # a damaged row can end in any error of Optuna or SQLAlchemy
        numbers = ", ".join(map(str, islice(_unreadable(study), 3))) or "some"
        raise StudyError(
            f"{named(study)}: the rows of trial {numbers} can't be read: restore the storage "
            "from a copy"
        ) from error


def _is_twofold(trial: "FrozenTrial") -> bool:
    """Whether a date of the trial, in naive local time, is one that clocks show twice."""
    dates = (trial.datetime_start, trial.datetime_complete)
    return any(
        date.replace(fold=0).timestamp() != date.replace(fold=1).timestamp()
        for date in dates
        if date is not None
    )


def _set_folds(study: "Study", trials: "Sequence[FrozenTrial]") -> None:
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


def _unreadable(study: "Study") -> Iterator[int]:
    """The trials that Optuna can't read one by one."""
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
