"""What a report is about: the two studies, read from the storage once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import dataset, storage
from study.errors import NotConfirmedError, StudyError
from study.report.importance import importances
from study.report.select_studies import find, require_comparable
from study.storage.manifest import first_name
from study.storage.searched import Searched as Study
from study.storage.urls import label, shown, sqlite_path
from study.storage.weights import weights_path
from study.training.protocol import Protocol
from study.training.registry import MODELS, Model
from study.trials import StoredTrial, best_of

if TYPE_CHECKING:
    import numpy as np
    from optuna.trial import FrozenTrial

    from study.confirm.comparison import Comparison
    from study.dataset import DigitPair
    from study.stats import TargetRule

REPLICATED = ("replicate", "finalist", "learning_rate", "hidden_units", "final_errors",
              "val_errors", "n_val", "curve")  # fmt: skip
SPLIT = ("split", "learning_rate", "hidden_units", "val_errors", "n_val", "holdout_errors",
         "n_holdout")  # fmt: skip
Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Searched:
    """One model's study."""

    model: Model
    name: str
    title: str  # in figures and tables: the kind of model, or the study where both are of a kind
    noun: str  # the same in a sentence
    key: str  # the same in the names of files and columns
    manifest: dict[str, Any]
    protocol: Protocol
    trials: tuple[StoredTrial, ...]
    times: tuple[tuple[datetime, datetime], ...]  # UTC, from and to, one a trial
    unfinished: dict[str, int]  # trials in Optuna's other states, by state
    weights: dict[str, np.ndarray] | None  # of the best trial
    no_weights: str  # why there are none
    importance: dict[str, float]  # parameter → its share of what decides the error
    machine: dict[str, str | int]  # that the search was begun on; empty where it is not recorded
    digest: str  # SHA-256 of the trials' digests, a line each

    @property
    def best(self) -> StoredTrial | None:
        """The best trial that was trained to the end."""
        return best_of(self.trials)

    @property
    def target(self) -> float:
        """The validation error to reach, a fraction."""
        return float(self.manifest["target"])

    @property
    def target_met(self) -> bool:
        """Whether the best trial reached it, by the study's rule."""
        from study.stats import target_met

        best = self.best
        return best is not None and target_met(
            best.val_errors, best.n_val, self.target, rule=self.target_rule
        )

    @property
    def target_rule(self) -> TargetRule:
        """What must meet the target: the error itself, or its interval's upper end."""
        return "wilson" if self.manifest.get("target_rule") == "wilson" else "point"

    @property
    def outcomes(self) -> Counter[str]:
        """How many trials finished, diverged or were pruned."""
        return Counter(trial.outcome for trial in self.trials)

    @property
    def seconds(self) -> float:
        """Wall-clock time of the training: the trials of a generation start together."""
        ends: dict[datetime, datetime] = {}
        for start, end in self.times:
            ends[start] = max(end, ends.get(start, end))
        return sum((end - start).total_seconds() for start, end in ends.items())


@dataclass(frozen=True, eq=False)
class Record:
    """Everything that a report shows; in a notebook, its first screen."""

    storage: str  # the file's name, without its folder, or the URL without its password
    searches: tuple[Searched, ...]  # one or two
    pair: DigitPair | None
    no_pair: str  # why there are no images
    comparison: Comparison | None = None  # where ``study.confirm`` has been run
    unconfirmed: str = ""  # why there is none where there are parts of one
    replicates: Rows = ()  # a row a retrained finalist
    splits: Rows = ()  # a row a resampled search

    @property
    def winners(self) -> tuple[tuple[Searched, StoredTrial], ...]:
        """Each search that has a best trial, with it."""
        return tuple((s, s.best) for s in self.searches if s.best is not None)

    @property
    def protocol(self) -> Protocol:
        """What all trials share."""
        return self.searches[0].protocol

    @property
    def titles(self) -> list[str]:
        """All titles in the order of their colours: a kind of model has its own everywhere."""
        kinds = [_title(model) for model in MODELS.values()]
        own = [search.title for search in self.searches]
        return kinds if set(own) <= set(kinds) else own

    def _repr_html_(self) -> str:
        from study.report.sections.answer import notebook

        return notebook(self)


def collect(
    url: str, *, linear: str | None = None, mlp: str | None = None, data_root: Path | None = None
) -> Record:
    """Read the studies, the winners' weights, and the images; the storage is not changed.

    Raises:
        StudyError: see :func:`study.report.render`.
    """
    names = [name for name in (linear, mlp) if name is not None] or find(url, _label(url))
    searches = [_read(url, name) for name in names]
    if len(searches) == 2:
        a, b = searches
        require_comparable((a.name, b.name), (a.manifest, b.manifest))
    pair, reason = _images(searches[0], data_root)
    return Record(_label(url), _told_apart(searches), pair, reason, **_confirmed(url, searches))


def _title(model: Model) -> str:
    label = model.label or model.name
    return label[:1].upper() + label[1:]


def _told_apart(searches: Sequence[Searched]) -> tuple[Searched, ...]:
    """Two studies of one kind of model are called by their names."""
    if len({search.model.name for search in searches}) == len(searches):
        return tuple(searches)
    return tuple(
        replace(search, title=search.name, noun=search.name, key=f"{search.key}_{place}")
        for place, search in enumerate(searches, 1)
    )


def _confirmed(url: str, searches: Sequence[Searched]) -> dict[str, Any]:
    """The comparison and its rows, or why there is none where there are parts of one."""
    from study.confirm.comparison import compare_with_rows
    from study.confirm.plan import PARTS, REPLICATES, SPLITS

    names = [search.name for search in searches]
    called = {*names, *(first_name(search.manifest, search.name) for search in searches)}
    parts = {name + suffix for name in called for suffix in PARTS}
    if len(names) < 2 or parts.isdisjoint(storage.study_names(url)):
        return {}
    try:
        found, rows = compare_with_rows(url, (names[0], names[1]))
    except NotConfirmedError as error:
        return {"unconfirmed": error.why}
    return {
        "comparison": found,
        "replicates": _chosen(rows[REPLICATES], REPLICATED),
        "splits": _chosen(rows[SPLITS], SPLIT),
    }


def _chosen(rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> Rows:
    return tuple({name: row[name] for name in ("study", *fields)} for row in rows)


def _read(url: str, name: str) -> Searched:
    found = Study.read(url, name)
    manifest = found.manifest
    if manifest.get("model") is None:
        raise StudyError(f"study {shown(name)}: was not searched by python -m study.search")
    model = _model(manifest, name)
    weights, reason = _weights(found)
    return Searched(
        model=model,
        name=name,
        title=_title(model),
        noun=f"the {model.label or model.name}",
        key=model.name,
        manifest=manifest,
        protocol=_protocol(manifest, name),
        trials=tuple(found.trials),
        times=tuple(_times(trial) for trial in found.frozen),
        unfinished=dict(found.others),
        weights=weights,
        no_weights=reason,
        importance=importances(found.frozen),
        machine=found.machine,
        digest=digest_of(found.frozen),
    )


def _model(manifest: dict[str, Any], name: str) -> Model:
    try:
        return MODELS[manifest["model"]]
    except (KeyError, TypeError):
        raise StudyError(
            f"study {shown(name)}: its model {shown(str(manifest['model']))} is not known here: "
            f"register it, or name a study of {', '.join(MODELS)}"
        ) from None


def digest_of(finished: Sequence[FrozenTrial]) -> str:
    """SHA-256 of the trials' digests, a line each: the same where the trials are."""
    lines = (f"{trial.user_attrs.get('digest')}\n" for trial in finished)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _protocol(manifest: dict[str, Any], name: str) -> Protocol:
    try:
        stored = dict(manifest["protocol"])
        first, second = stored.pop("classes")
        low, high = manifest["space"]["learning_rate"]
        if not (0 <= manifest["target"] <= 1 and 0 < low <= high and manifest["data_sha256"]):
            raise ValueError("a target or a range that no search has")
        return Protocol(classes=(int(first), int(second)), **stored)
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(f"study {shown(name)}: its manifest is damaged: name another") from error


def _times(trial: FrozenTrial) -> tuple[datetime, datetime]:
    """Optuna gives naive local time; here it is UTC, the same on every machine."""
    start, end = trial.datetime_start, trial.datetime_complete
    assert start is not None
    assert end is not None
    return start.astimezone(UTC), end.astimezone(UTC)


def _weights(found: Study) -> tuple[dict[str, np.ndarray] | None, str]:
    """The best trial's weights from beside the database, or why they can't be shown."""
    if found.best is None:
        return None, "no trial was trained to the end"
    try:
        return found.weights(found.best), ""
    except StudyError:
        path = weights_path(found.storage, found.name, found.best.number)
        return None, (
            f"the file {path.name} beside the database is missing, damaged or another search's;"
            " the same search, run again, makes it anew"
        )


def _images(search: Searched, data_root: Path | None) -> tuple[DigitPair | None, str]:
    """The images that the studies used, or why they can't be shown."""
    asked = search.protocol
    try:
        pair = dataset.load(
            asked.dataset, asked.classes, data_root=data_root, n_train=asked.n_train
        )
    except StudyError as error:
        return None, str(error)
    if pair.digest != search.manifest["data_sha256"]:
        return None, "the images found are not those of the studies: their SHA-256 differs"
    return pair, ""


def _label(url: str) -> str:
    """The storage without its folder, so that a report does not depend on where it was made."""
    path = sqlite_path(storage.resolve(url))
    return label(url) if path is None else Path(label(url)).name
