"""A task: a cohort to train, as it is sent to a worker, and the results that come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.training.history import History
from study.training.protocol import Protocol
from study.training.space import Configuration

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Planned:
    """A trial that is to be trained."""

    place: int  # among the study's finished trials
    params: dict[str, Any]
    configuration: Configuration
    seed: int  # of its initial weights
    first_of_generation: int  # the place of its generation's first trial


@dataclass(frozen=True)
class Task:
    """A cohort to train."""

    model: str
    trials: Sequence[Planned]
    protocol: Protocol
    seed: int  # the study's, for the batches
    device: str
    data_root: Path | None
    data_sha256: str
    pruner: str = "none"
    earlier: Sequence[FrozenTrial] = ()  # what the pruner sees beside the cohort
    engine: str = "torch"  # which library multiplies


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained trial."""

    history: History
    cohort_places: tuple[int, ...]  # the places of the trials that it was trained with
    system_attrs: dict[str, Any]  # the pruner's notes
    span: tuple[float, float]  # when its cohort's training began and ended: seconds since 1970
