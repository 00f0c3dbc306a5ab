"""Whether a study is as it was recorded: every trial's digest, and the seal over all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from study import storage as store
from study.errors import StudyError
from study.trials import StoredTrial, digest

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

FINISHED = ("COMPLETE", "PRUNED")


def vouched(study: Study) -> list[FrozenTrial]:
    """All trials of a study, the finished ones known to be as they were recorded.

    Raises:
        StudyError: Some are not; the message names the first and counts the rest.
        ResourceError: The storage can't be read.
    """
    seal = store.stored_seal(study)  # first: a search may append between the two reads
    trials = store.frozen_trials(study)
    found = list(faults(study, trials, seal))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise StudyError(
            f"study {study.study_name!r}: {found[0]}{more}: restore the storage from a copy, or "
            "name another study; python -m study.check lists all that is wrong"
        )
    return trials


def faults(study: Study, trials: Sequence[FrozenTrial], seal: store.Seal | None) -> Iterator[str]:
    """What is wrong with the finished trials of a study, a line each, or with all of them.

    Args:
        study: The study.
        trials: Its trials, read after the seal.
        seal: Its seal; ``None`` where it has none.
    """
    finished = [trial for trial in trials if trial.state.name in FINISHED]
    damaged = False
    for place, trial in enumerate(trials):
        if trial.number != place:
            damaged = True
            yield f"trial {place} is damaged (its number is {trial.number})"
    for trial in finished:
        words = _fault(trial)
        if words:
            damaged = True
            yield f"trial {trial.number} {words}"
    if seal is not None and not damaged:
        yield from _broken_seal(study, finished, seal)


def _fault(trial: FrozenTrial) -> str | None:
    """What is wrong with a trial, after its number; ``None`` where nothing is."""
    try:
        StoredTrial.of(trial)
        attrs, values = trial.user_attrs, trial.values or [None]
        if digest(attrs, values[0]) != attrs["digest"] or len(values) != 1:
            return "is damaged (its digest does not match)"
        if any(attrs[name] != value for name, value in trial.params.items()):
            return "is damaged (its parameters are not those it was trained with)"
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return "was not recorded by this package, or is damaged"
    return None


def _broken_seal(study: Study, finished: Sequence[FrozenTrial], seal: store.Seal) -> Iterator[str]:
    """Whether trials are missing, or dates, rows or the manifest have changed.

    Trials after those that the seal covers vouch for themselves: a storage that Optuna
    itself appends to, one by one, may be killed before the seal is renewed.
    """
    if len(finished) < seal.trials:
        yield f"it has {len(finished)} trials, and {seal.trials} were recorded"
        return
    try:
        is_whole = store.Seal.of(study, finished[: seal.trials]) == seal
    except (TypeError, ValueError):  # what no JSON can hold was never sealed
        is_whole = False
    if not is_whole:
        yield (
            "its name, manifest, machine, dates or parameters have changed since they were "
            "recorded"
        )
