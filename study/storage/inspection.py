"""Inspect a study: whether it is as it was recorded, and what is wrong where it is not.

A study of this package has a manifest and, from its first recorded trial on, a seal. The seal
covers the manifest and the trials that were recorded with it. A trial after those was added by
Optuna itself, and is compared with the manifest by what it says of its own training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.seeds import derive
from study.storage.attributes import is_atomic, named, url_of
from study.storage.machine import machine
from study.storage.manifest import FIRST_NAME, manifest, trained_under
from study.storage.reading import FINISHED, frozen_trials
from study.storage.seal import Seal, former_names, stored_seal
from study.storage.urls import shell, shown
from study.training.space import contains, from_json
from study.trials import TRAINED_UNDER, StoredTrial, digest, parameters_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Inspection:
    """What a study holds, and what is wrong with it."""

    study: Study = field(repr=False, compare=False)
    manifest: Manifest | None  # None: it is another program's study
    machine: dict[str, str | int]  # that it was begun on; empty where that is not recorded
    seal: Seal | None  # None before the first trial, and in an old storage
    frozen: Sequence[FrozenTrial]  # the finished trials, by number
    others: Counter[str]  # trials in Optuna's other states, by state: they are ignored
    trials: list[StoredTrial] = field(default_factory=list)  # ``frozen``, parsed, if faultless
    faults: list[str] = field(default_factory=list)  # a line each
    notes: list[str] = field(default_factory=list)  # what a person should know, and is no fault

    def require_faultless(self) -> None:
        """Refuse a study of this package that is damaged.

        Raises:
            StudyError: It is; the message names the first fault and counts the rest.
        """
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            command = shell("study.check", url_of(self.study))
            raise StudyError(
                f"{named(self.study)}: {self.faults[0]}{more}: restore the "
                f"storage from a copy, or name another study; `{command}` lists all that is wrong"
            )


def inspect(study: Study) -> Inspection:
    """Look at a study, whatever has become of it.

    A search may write meanwhile. So the trials are those between two reads of one seal, and the
    manifest, which a search writes first, is read last.

    Raises:
        StudyError: Its manifest, its seal or the rows of a trial can't be read.
        ResourceError: The storage can't be read.
    """
    seal, trials = stored_seal(study), frozen_trials(study)
    while (latest := stored_seal(study)) != seal:
        seal, trials = latest, frozen_trials(study)
    finished = [trial for trial in trials if trial.state.name in FINISHED]
    others = Counter(t.state.name for t in trials if t.state.name not in FINISHED)
    found = Inspection(study, manifest(study), machine(study), seal, finished, others)
    if found.manifest is None:
        found.faults.extend(_marks(found))
    else:
        if [trial.number for trial in trials] != list(range(len(trials))):
            numbers = f"0 to {len(trials) - 1}"
            found.faults.append(f"its {len(trials)} trials are not numbered from {numbers}")
        found.faults.extend(_parse(found))
        if not found.faults:
            found.faults.extend(_broken(found, found.manifest))
    return found


def _marks(found: Inspection) -> Iterator[str]:
    """What shows that a study without a manifest was nevertheless searched by this package."""
    if found.seal is not None:
        mark = "a seal"
    elif found.frozen and found.machine:
        mark = "a machine"
    elif any(_is_of_search(trial) for trial in found.frozen):
        mark = "trials of a search"
    else:
        return
    yield f"is damaged (it has {mark}, and its manifest is missing)"


def _is_of_search(trial: FrozenTrial) -> bool:
    """Whether a search or a confirmation recorded the trial, and not an objective.

    An objective's trial is alone in its cohort, and is of no replicate or split.
    """
    attrs = trial.user_attrs
    is_alone = attrs.get("cohort") == [trial.number] and not {"replicate", "split"} & attrs.keys()
    return "digest" in attrs and not is_alone


def _parse(found: Inspection) -> Iterator[str]:
    """Parse the trials, and say which of them are damaged."""
    for trial in found.frozen:
        attrs, values = trial.user_attrs, trial.values or [None]
        try:
            found.trials.append(StoredTrial.of(trial))
            if digest(attrs, values[0]) != attrs["digest"] or len(values) != 1:
                yield f"trial {trial.number} is damaged (its digest does not match)"
            elif any(parameters_of(attrs)[n] != value for n, value in trial.params.items()):
                yield (
                    f"trial {trial.number} is damaged (its parameters are not those it was "
                    "trained with)"
                )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            yield f"trial {trial.number} was not recorded by this package, or is damaged"


def _broken(found: Inspection, manifest: Manifest) -> Iterator[str]:
    """Whether the study is not what its seal and its manifest say."""
    seal, finished, covered = found.seal, found.frozen, 0
    if seal is not None:
        finished, covered = seal.ordered(finished), seal.trials
        if len(finished) < covered:
            yield f"it has {len(finished)} trials, and {covered} were recorded"
            return
        yield from _broken_seal(found, manifest, seal, finished[:covered])
    elif any(TRAINED_UNDER not in trial.system_attrs for trial in finished):
        if FIRST_NAME in manifest or found.machine:
            yield "is damaged (its seal is missing)"
            return
        found.notes.append("is of a version of this package that kept no seal")
    is_sealed_at_once = FIRST_NAME in manifest and is_atomic(found.study)
    for place in range(covered, len(finished)):
        words = _otherwise(finished, place, manifest, is_sealed_at_once=is_sealed_at_once)
        if words:
            yield f"trial {finished[place].number} {words}"


def _broken_seal(
    found: Inspection, manifest: Manifest, seal: Seal, sealed: Sequence[FrozenTrial]
) -> Iterator[str]:
    """Whether trials, dates, rows or the manifest have changed since they were sealed."""
    with suppress(TypeError, ValueError):
        name = found.study.study_name
        if Seal.of(manifest, found.machine, name, sealed) == seal:
            return
        for former in former_names(manifest, name, url_of(found.study)):
            if Seal.of(manifest, found.machine, former, sealed) == seal:
                found.notes.append(f"was renamed from {shown(former)} since it was recorded")
                return
    yield "its name, manifest, machine, dates or parameters have changed since they were recorded"


def _otherwise(
    finished: Sequence[FrozenTrial], place: int, manifest: Manifest, *, is_sealed_at_once: bool
) -> str | None:
    """How a trial was trained otherwise than its study's manifest says, after its number.

    An objective's trial has a digest of all that its training depended on. Any other is compared
    by its attributes.
    """
    settings = finished[place].system_attrs.get(TRAINED_UNDER)
    if settings is None and is_sealed_at_once:
        return "was not recorded by this study's search: it does not say how it was trained"
    try:
        words = next(_differences(finished, place, manifest), None)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return "can't be compared with the manifest of its study"
    if words is None and settings not in (None, trained_under(manifest)):
        words = "settings"
    return words and f"was trained with other {words} than its study's manifest says"


def _differences(finished: Sequence[FrozenTrial], place: int, manifest: Manifest) -> Iterator[str]:
    """In what a trial of a search differs from the manifest, as far as its attributes say."""
    trial, attrs = finished[place], finished[place].user_attrs
    if "protocol" not in manifest:  # a confirmation: its units are covered by its seal
        return
    protocol, space = manifest["protocol"], from_json(manifest["space"])
    steps = list(range(0, protocol["steps"], protocol["val_every"]))
    curve = attrs["curve"]["step"]
    if curve != steps[: len(curve)] or (trial.state.name == "COMPLETE" and curve != steps):
        yield "steps"
    if attrs["n_val"] != finished[0].user_attrs["n_val"]:
        yield "images"
    parameters = parameters_of(attrs)
    if parameters.keys() != space.keys():
        yield "model"
    elif not all(contains(found, parameters[name]) for name, found in space.items()):
        yield "ranges"
    seeds = {derive(manifest["seed"], "weights", number) for number in (place, trial.number)}
    if attrs["seed"] not in seeds:
        yield "seed"
