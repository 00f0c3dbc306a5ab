"""What a report shows, computed from the storage before anything is drawn."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from study import formats
from study.report.options import MOST
from study.storage.searched import Searched
from study.text import one_line
from study.training.protocol import Protocol
from study.training.registry import MODELS, Model
from study.trials import StoredTrial
from study.trials.sampling import Sampling
from study.trials.selection import meets_target

if TYPE_CHECKING:
    import numpy as np
    from optuna.trial import FrozenTrial

    from study.confirm.comparison import Comparisons
    from study.confirm.evidence import Evidence
    from study.dataset import Data

Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True, eq=False)
class ReportedStudy:
    """One of the studies that a report shows."""

    stored: Searched
    title: str  # in figures and tables: the kind of model, or the study where both are of a kind
    noun: str  # the same in a sentence
    key: str  # the same in the names of files and columns
    weights: dict[str, np.ndarray] | None  # of the best trial
    no_weights: str  # why there are none
    importance: dict[str, float]  # parameter → its share of what decides the error

    @property
    def name(self) -> str:
        """The study's name."""
        return self.stored.name

    @property
    def manifest(self) -> dict[str, Any]:
        """What defines the study, as it is stored."""
        return self.stored.manifest

    @property
    def model(self) -> Model:
        """The kind of model that was searched."""
        return self.stored.plan.model_definition

    @property
    def protocol(self) -> Protocol:
        """How every trial was trained."""
        return self.stored.plan.protocol

    @property
    def trials(self) -> Sequence[StoredTrial]:
        """The finished trials, in order."""
        return self.stored.trials

    @property
    def best(self) -> StoredTrial | None:
        """The best trial that was trained to the end."""
        return self.stored.best

    @property
    def target(self) -> float | None:
        """The validation error to reach, a fraction; None: there is no target."""
        return self.stored.plan.target

    @property
    def target_met(self) -> bool | None:
        """Whether the best trial reached it, by the study's rule; None without a target."""
        if self.target is None:
            return None
        return self.best is not None and meets_target(self.stored.plan, self.best)

    @property
    def outcomes(self) -> Counter[str]:
        """How many trials finished, diverged or were pruned."""
        return Counter(trial.outcome for trial in self.trials)

    @cached_property
    def sampling(self) -> Sampling:
        """How the trials were chosen."""
        return Sampling.of(self.stored.plan.sampler, self.trials)

    @cached_property
    def times(self) -> tuple[tuple[datetime, datetime], ...]:
        """From when to when each trial was trained, UTC."""
        return tuple(_times(trial) for trial in self.stored.frozen)

    @property
    def seconds(self) -> float:
        """Training time, added over the cohorts: the trials of one start together.

        Version 0.1 stored when a generation was handed out and recorded, so there it is the
        wall-clock time of the generations.
        """
        ends: dict[datetime, datetime] = {}
        for start, end in self.times:
            ends[start] = max(end, ends.get(start, end))
        return sum((end - start).total_seconds() for start, end in ends.items())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the trials' digests, a line each."""
        return digest_of(self.stored.frozen)


@dataclass(frozen=True, eq=False)
class Record:
    """Everything that a report shows."""

    storage: str  # the file's name, without its folder, or the URL without its password
    searches: tuple[ReportedStudy, ...]  # one to MOST
    data: Data | None
    no_data: str  # why there are no images or rows
    comparison: Comparisons | None = None  # where ``study.confirm`` has been run
    evidence: tuple[Evidence, ...] = ()  # what it is of, a search each
    unconfirmed: str = ""  # why there is none where there are parts of one
    replicates: Rows = ()  # a row a retrained finalist
    splits: Rows = ()  # a row a resampled search
    where: Callable[[int], str] | None = None  # each row of a person's own data stands in its file

    def __repr__(self) -> str:
        names = formats.listed([search.name for search in self.searches])
        said = "not confirmed" if self.comparison is None else self.comparison.sentence
        return one_line(f"<{type(self).__name__} of {names} in {self.storage}: {said}>")

    @property
    def winners(self) -> tuple[tuple[ReportedStudy, StoredTrial], ...]:
        """Each search that has a best trial, with it."""
        return tuple((s, s.best) for s in self.searches if s.best is not None)

    @property
    def protocol(self) -> Protocol:
        """What all trials share."""
        return self.searches[0].protocol

    @property
    def items(self) -> str:
        """What the data are called in a sentence: images, or the rows of a table."""
        if self.data is not None:
            return self.data.items
        return "rows" if self.protocol.label else "images"

    @property
    def item(self) -> str:
        """One of them."""
        return self.items[:-1]

    def search_of(self, study: str) -> ReportedStudy:
        """The search of this name."""
        return next(search for search in self.searches if search.name == study)

    def sampling_in_splits(self, search: ReportedStudy) -> Sampling:
        """How the trials of the searches inside a confirmation's splits were chosen."""
        rows = [row["searched"] for row in self.splits if row["study"] == search.name]
        plan, states = search.stored.plan, [[trial[-1] for trial in row] for row in rows]
        return Sampling.of_splits(plan.sampler, plan.generation_size, states)

    @property
    def titles(self) -> list[str]:
        """All titles in the order of their colours: a kind of model has its own everywhere."""
        kinds = [title_of(model) for model in MODELS.values()][:MOST]
        own = [search.title for search in self.searches]
        return kinds if set(own) <= set(kinds) else own


def title_of(model: Model) -> str:
    """What figures and tables call a kind of model."""
    label = model.label or model.name
    return label[:1].upper() + label[1:]


def digest_of(finished: Sequence[FrozenTrial]) -> str:
    """SHA-256 of the trials' digests, a line each: the same where the trials are."""
    lines = (f"{trial.user_attrs.get('digest')}\n" for trial in finished)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _times(trial: FrozenTrial) -> tuple[datetime, datetime]:
    """Optuna gives naive local time; here it is UTC, the same on every machine."""
    start, end = trial.datetime_start, trial.datetime_complete
    assert start is not None
    assert end is not None
    return start.astimezone(UTC), end.astimezone(UTC)
