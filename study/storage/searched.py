"""Whether a study is as it was recorded: the one look at a study that every command takes.

A study of this package has a manifest and, from its first recorded trial on, a seal. The seal
vouches for the manifest and for the trials that it covers. A trial after those was added by
Optuna itself, and is held to the manifest by what it says of its own training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from study import storage as store
from study.errors import StudyError
from study.seeds import derive
from study.storage.manifest import FIRST_NAME, trained_under
from study.storage.urls import shell, shown, sqlite_path
from study.trials import TRAINED_UNDER, StoredTrial, digest

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

FINISHED = ("COMPLETE", "PRUNED")
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Verified:
    """What a study holds, and what is wrong with it."""

    manifest: Manifest | None  # None: it is another program's study
    trials: Sequence[FrozenTrial]  # the finished ones: those under the seal first, then by number
    others: Counter[str]  # trials of Optuna's other states, by state: they are passed over
    faults: Sequence[str]  # a line each
    notes: Sequence[str]  # what is to be told, and is no fault


def verified(study: Study) -> Verified:
    """A study of this package, known to be as it was recorded.

    Raises:
        StudyError: It is another program's, or it is damaged; the message names the first
            fault and counts the rest.
        ResourceError: The storage can't be read.
    """
    found = require_whole(study)
    if found.manifest is None:
        raise StudyError(
            f"study {shown(study.study_name)}: was not searched by this package, it has no "
            "manifest: name another study"
        )
    return found


def require_whole(study: Study) -> Verified:
    """What a study holds, whoever's it is.

    Raises:
        StudyError: It is this package's, and damaged.
        ResourceError: The storage can't be read.
    """
    found = inspect(study)
    if found.faults:
        raise _damaged(study, found)
    return found


def _damaged(study: Study, found: Verified) -> StudyError:
    more = f" (and {len(found.faults) - 1} more)" if len(found.faults) > 1 else ""
    url = getattr(getattr(study._storage, "_backend", study._storage), "url", "")
    return StudyError(
        f"study {shown(study.study_name)}: {found.faults[0]}{more}: restore the storage from a "
        f"copy, or name another study; `{shell('study.check', url)}` lists all that is wrong"
    )


def manifest_of(found: Verified) -> Manifest:
    """The manifest of a study that :func:`verified` gave."""
    assert found.manifest is not None, "a verified study has a manifest"
    return found.manifest


def require_fit(storage: str, name: str, wanted: Manifest, remedy: str) -> None:
    """Refuse, without a trace, a study in a file that is not what ``wanted`` says.

    On a server, whoever holds the study is told first, and the study is looked at then.

    Args:
        storage: A path or a URL.
        name: The study's.
        wanted: The manifest that it has to have.
        remedy: What a person can do where it has another.

    Raises:
        StudyError: It has another, or it is another program's, or it is damaged.
        ResourceError: The storage can't be read.
    """
    is_file = sqlite_path(store.resolve(storage)) is not None
    if not is_file or not store.has_study(storage, name):
        return
    study = store.load_study(storage, name)
    if store.manifest(study) is None and not require_whole(study).trials:
        return  # nothing was recorded yet
    store.check_manifest(study, wanted, remedy)


def inspect(study: Study) -> Verified:
    """Look at a study, whatever has become of it.

    A search may write meanwhile. So the trials are those between two reads of one seal, and the
    manifest, which a search writes first, is read last.

    Raises:
        StudyError: Its manifest, its seal or the rows of a trial can't be read.
        ResourceError: The storage can't be read.
    """
    seal, trials = store.stored_seal(study), store.frozen_trials(study)
    while (latest := store.stored_seal(study)) != seal:
        seal, trials = latest, store.frozen_trials(study)
    manifest, finished = store.manifest(study), [t for t in trials if t.state.name in FINISHED]
    others = Counter(t.state.name for t in trials if t.state.name not in FINISHED)
    notes: list[str] = []
    if manifest is None:
        faults = list(_marks(study, finished, seal))
    else:
        faults = [*_misnumbered(trials), *_faulty(finished)]
        faults = faults or list(_broken(study, manifest, finished, seal, notes))
    return Verified(manifest, finished, others, faults, notes)


def _marks(
    study: Study, finished: Sequence[FrozenTrial], seal: store.Seal | None
) -> Iterator[str]:
    """What says that a study without a manifest was searched by this package all the same.

    A search that is killed while it begins leaves a machine alone.
    """
    if seal is not None:
        mark = "a seal"
    elif finished and store.machine(study):
        mark = "a machine"
    elif any(_is_of_search(trial) for trial in finished):
        mark = "trials of a search"
    else:
        return
    yield f"is damaged (it has {mark}, and its manifest is missing)"


def _is_of_search(trial: FrozenTrial) -> bool:
    """Whether a trial was recorded by a search or a confirmation, and not by an objective.

    An objective's trial is alone in its cohort, which it names by the trial's number, and is of
    no replicate or split.
    """
    attrs = trial.user_attrs
    is_alone = attrs.get("cohort") == [trial.number] and not {"replicate", "split"} & attrs.keys()
    return "digest" in attrs and not is_alone


def _misnumbered(trials: Sequence[FrozenTrial]) -> Iterator[str]:
    if [trial.number for trial in trials] != list(range(len(trials))):
        yield f"its {len(trials)} trials are not numbered from 0 to {len(trials) - 1}"


def _faulty(finished: Sequence[FrozenTrial]) -> Iterator[str]:
    for trial in finished:
        words = _fault(trial)
        if words:
            yield f"trial {trial.number} {words}"


def _fault(trial: FrozenTrial) -> str | None:
    """What is wrong with a trial by itself, after its number; ``None`` where nothing is."""
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


def _broken(
    study: Study,
    manifest: Manifest,
    finished: Sequence[FrozenTrial],
    seal: store.Seal | None,
    notes: list[str],
) -> Iterator[str]:
    """Whether the study is not what its seal and its manifest say."""
    directions = [direction.name for direction in study.directions]
    if directions != ["MINIMIZE"]:
        yield f"is damaged (its direction is {', '.join(directions) or 'missing'}, not MINIMIZE)"
    covered = 0 if seal is None else seal.trials
    finished = finished if seal is None else seal.ordered(finished)
    if len(finished) < covered:
        yield f"it has {len(finished)} trials, and {covered} were recorded"
        return
    if seal is not None:
        yield from _broken_seal(study, finished[:covered], seal, notes)
    elif any(TRAINED_UNDER not in trial.system_attrs for trial in finished):
        if FIRST_NAME in manifest or store.machine(study):
            yield "is damaged (its seal is missing)"
            return
        notes.append("is of a version of this package that kept no seal")
    for place in range(covered, len(finished)):
        words = _otherwise(study, finished, place, manifest)
        if words:
            yield f"trial {finished[place].number} {words}"


def _broken_seal(
    study: Study, sealed: Sequence[FrozenTrial], seal: store.Seal, notes: list[str]
) -> Iterator[str]:
    """Whether trials, dates, rows or the manifest have changed since they were sealed.

    What no JSON can hold was never sealed.
    """
    with suppress(TypeError, ValueError):
        if store.Seal.of(study, sealed) == seal:
            return
        for former in store.former_names(study):
            if store.Seal.of(study, sealed, name=former) == seal:
                notes.append(f"was renamed from {shown(former)} since it was recorded")
                return
    yield "its name, manifest, machine, dates or parameters have changed since they were recorded"


def _otherwise(
    study: Study, finished: Sequence[FrozenTrial], place: int, manifest: Manifest
) -> str | None:
    """How a trial was trained otherwise than its study's manifest says, after its number.

    An objective's trial has a digest of all that its training depended on. Any other is held to
    what its attributes tell, and is a search's only where a kill may have kept a seal from it.
    """
    settings = finished[place].system_attrs.get(TRAINED_UNDER)
    if settings is None and FIRST_NAME in manifest and store.is_atomic(study):
        return "was not recorded by this study's search: it does not say how it was trained"
    try:
        words = next(_differences(finished, place, manifest), None)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return "can't be held to the manifest of its study"
    if words is None and settings not in (None, trained_under(manifest)):
        words = "settings"
    return words and f"was trained with other {words} than its study's manifest says"


def _differences(finished: Sequence[FrozenTrial], place: int, manifest: Manifest) -> Iterator[str]:
    """In what a trial of a search differs from the manifest, as far as its attributes tell."""
    trial, attrs = finished[place], finished[place].user_attrs
    if "protocol" not in manifest:  # a confirmation: its units are covered by its seal
        return
    protocol, space = manifest["protocol"], manifest["space"]
    steps = list(range(0, protocol["steps"], protocol["val_every"]))
    curve = attrs["curve"]["step"]
    if curve != steps[: len(curve)] or (trial.state.name == "COMPLETE" and curve != steps):
        yield "steps"
    if attrs["n_val"] != finished[0].user_attrs["n_val"]:
        yield "images"
    for name, ends in space.items():
        if (ends is None) != (attrs[name] is None):
            yield "model"
        elif ends is not None and not ends[0] <= attrs[name] <= ends[1]:
            yield "ranges"
    seeds = {derive(manifest["seed"], "weights", number) for number in (place, trial.number)}
    if attrs["seed"] not in seeds:
        yield "seed"
