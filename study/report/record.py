"""What a report is about: the two studies, read from the storage once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import dataset, storage
from study.errors import NotConfirmedError, StudyError
from study.integrity import FINISHED, vouched
from study.objective import MODELS, Model
from study.protocol import Protocol
from study.storage.urls import hidden, shown, sqlite_path
from study.trials import StoredTrial, best_of, read_trials, weights_digest

if TYPE_CHECKING:
    import numpy as np
    from optuna import Study
    from optuna.trial import FrozenTrial

    from study.confirm.comparison import Comparison
    from study.dataset import DigitPair
    from study.stats import TargetRule


@dataclass(frozen=True, eq=False)
class Searched:
    """One model's study."""

    model: Model
    name: str
    manifest: dict[str, Any]
    protocol: Protocol
    trials: tuple[StoredTrial, ...]
    times: tuple[tuple[datetime, datetime], ...]  # UTC, from and to, one a trial
    unfinished: dict[str, int]  # trials in Optuna's other states, by state
    weights: dict[str, np.ndarray] | None  # of the best trial
    no_weights: str  # why there are none

    @property
    def title(self) -> str:
        """What the model is called in figures and tables."""
        return {"linear": "Linear", "mlp": "MLP"}[self.model.name]

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
    """Everything that a report shows."""

    storage: str  # the file's name, without its folder, or the URL without its password
    searches: tuple[Searched, ...]  # one or two: linear first
    pair: DigitPair | None
    no_pair: str  # why there are no images
    comparison: Comparison | None = None  # where ``study.confirm`` has been run
    replicates: tuple[dict[str, Any], ...] = ()  # a row a retrained finalist
    splits: tuple[dict[str, Any], ...] = ()  # a row a resampled search

    @property
    def winners(self) -> tuple[tuple[Searched, StoredTrial], ...]:
        """Each search that has a best trial, with it."""
        return tuple((s, s.best) for s in self.searches if s.best is not None)

    @property
    def protocol(self) -> Protocol:
        """What all trials share."""
        return self.searches[0].protocol


def collect(
    url: str, *, linear: str | None = None, mlp: str | None = None, data_root: Path | None = None
) -> Record:
    """Read the studies, the winners' weights, and the images; the storage is not changed.

    Raises:
        StudyError: see :func:`study.report.render`.
    """
    names = {"linear": linear, "mlp": mlp}
    if linear is None and mlp is None:
        names = _find(url)
    searches = tuple(_read(url, name, MODELS[model]) for model, name in names.items() if name)
    if not searches:
        raise StudyError(f"{_label(url)}: holds no study to report: run python -m study.search")
    _require_comparable(searches)
    pair, reason = _images(searches[0], data_root)
    return Record(_label(url), searches, pair, reason, *_confirmed(url, searches))


def _confirmed(
    url: str, searches: tuple[Searched, ...]
) -> tuple[Comparison | None, tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """The comparison and its rows; nothing where it was not, or not wholly, confirmed."""
    from study.confirm.comparison import REPLICATED, SPLIT, compare, is_confirmed, rows

    if len(searches) < 2 or not is_confirmed(url, (searches[0].name, searches[1].name)):
        return None, (), ()
    names = (searches[0].name, searches[1].name)
    try:
        found = compare(url, names)
    except NotConfirmedError:
        return None, (), ()
    return found, tuple(rows(url, names, REPLICATED)), tuple(rows(url, names, SPLIT))


def _find(url: str) -> dict[str, str | None]:
    """The study of each model: the one called after it, or else the only one of it."""
    names = storage.study_names(url)
    found: dict[str, str | None] = {model: model for model in MODELS if model in names}
    for model in MODELS.keys() - found.keys():
        own = [name for name in names if _model(storage.load_study(url, name)) == model]
        if len(own) > 1:
            listed = ", ".join(shown(name) for name in own[:5])
            raise StudyError(
                f"{_label(url)}: has {len(own)} {model} studies ({listed}): name one: --{model}"
            )
        found[model] = own[0] if own else None
    return {model: found[model] for model in MODELS}


def _model(study: Study) -> object:
    return (storage.manifest(study) or {}).get("model")


def _read(url: str, name: str, model: Model) -> Searched:
    study = storage.load_study(url, name)
    manifest = storage.manifest(study)
    if manifest is None:
        raise StudyError(f"study {shown(name)}: was not searched by python -m study.search")
    if manifest.get("model") != model.name:
        other = f"pass it as --{manifest.get('model')}"
        raise StudyError(f"study {shown(name)}: is not of model {model.name}: {other}")
    frozen = vouched(study)
    finished = [trial for trial in frozen if trial.state.name in FINISHED]
    trials = tuple(read_trials(finished, name))
    weights, reason = _weights(url, name, best_of(trials))
    return Searched(
        model=model,
        name=name,
        manifest=manifest,
        protocol=_protocol(manifest, name),
        trials=trials,
        times=tuple(_times(trial) for trial in finished),
        unfinished=dict(Counter(t.state.name for t in frozen if t.state.name not in FINISHED)),
        weights=weights,
        no_weights=reason,
    )


def _protocol(manifest: dict[str, Any], name: str) -> Protocol:
    try:
        stored = dict(manifest["protocol"])
        first, second = stored.pop("classes")
        float(manifest["target"]), manifest["space"]["learning_rate"], manifest["data_sha256"]
        return Protocol(classes=(int(first), int(second)), **stored)
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(f"study {shown(name)}: its manifest is damaged: name another") from error


def _times(trial: FrozenTrial) -> tuple[datetime, datetime]:
    """Optuna gives naive local time; here it is UTC, the same on every machine."""
    start, end = trial.datetime_start, trial.datetime_complete
    assert start is not None
    assert end is not None
    return start.astimezone(UTC), end.astimezone(UTC)


def _weights(
    url: str, name: str, best: StoredTrial | None
) -> tuple[dict[str, np.ndarray] | None, str]:
    """The best trial's weights from beside the database, or why they can't be shown."""
    if best is None:
        return None, "no trial was trained to the end"
    from study.search.kept import weights_path

    path = weights_path(url, name, best.number)
    try:
        tensors, _ = storage.load_weights(path)
    except StudyError:
        return None, f"the file {path.name} beside the database is missing or damaged"
    if weights_digest(tensors) != best.weights_sha256:
        return None, f"the file {path.name} beside the database belongs to another search"
    return tensors, ""


def _require_comparable(searches: tuple[Searched, ...]) -> None:
    if len(searches) < 2:
        return
    a, b = searches
    differences = list(_differences(a.manifest, b.manifest))
    if differences:
        raise StudyError(
            f"studies {shown(a.name)} and {shown(b.name)}: can't be compared, since they differ"
            f" in {', '.join(differences)}: search both on the same data and protocol"
        )


def _differences(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    for key in sorted({*a["protocol"], *b["protocol"]}):
        ours, theirs = a["protocol"].get(key), b["protocol"].get(key)
        if ours != theirs:
            yield f"{key} ({ours} against {theirs})"
    if a["data_sha256"] != b["data_sha256"]:
        ours, theirs = str(a["data_sha256"])[:12], str(b["data_sha256"])[:12]
        yield f"the images' SHA-256 ({ours}… against {theirs}…)"


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
    return hidden(url) if path is None else path.name
