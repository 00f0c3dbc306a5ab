"""One trial as it is read back from a storage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from study import formats, notebook_html
from study.errors import StudyError
from study.text import one_line
from study.training.space import Configuration
from study.trials.attributes import CURVES, TRAINED_UNDER, parameters_of, unpack

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, eq=False)
class StoredTrial:
    """A finished trial as read back from a storage."""

    number: int
    state: str  # COMPLETE or PRUNED
    outcome: str  # finished, diverged or pruned
    parameters: Configuration  # all hyperparameters, fixed ones too
    val_error: float  # a fraction: the lowest of all validations
    val_errors: int  # the same, of n_val
    n_val: int
    val_loss: float  # at the best step
    step: int  # the best step
    final_error: float  # a fraction: at the last validation
    first_step_at_target: int | None
    diverged_at: int | None
    curve: dict[str, np.ndarray]  # step and CURVES, (V,) each
    predictions: np.ndarray  # (n_val,) bool: class 1 at the best step
    weights_sha256: str
    generation: int | None = None  # the first number planned with it; None: an objective's trial

    def __repr__(self) -> str:
        error = formats.error(self.val_errors, self.n_val)
        said = f"{error}, {formats.parameters(self.parameters)}, {self.outcome}"
        return one_line(f"<{type(self).__name__} {self.number}: {said}>")

    def _repr_html_(self) -> str:
        """Its validation curves, for a notebook."""
        steps, lines = self.curve["step"], (self.curve["val_loss"], self.curve["val_errors"])
        best = int(np.flatnonzero(steps == self.step)[0])
        return notebook_html.training(repr(self)[1:-1], steps, best, [(*lines, self.n_val)])

    @property
    def learning_rate(self) -> float:
        """The learning rate, which every trial has."""
        return cast(float, self.parameters["learning_rate"])

    @classmethod
    def of(cls, trial: FrozenTrial) -> StoredTrial:
        """Read a trial; KeyError where an attribute is missing."""
        attrs = trial.user_attrs
        computed = {
            "number",
            "state",
            "parameters",
            "val_error",
            "val_loss",
            "curve",
            "predictions",
            "generation",
        }
        values = {name: attrs[name] for name in cls.__annotations__ if name not in computed}
        curve, is_objectives = attrs["curve"], TRAINED_UNDER in trial.system_attrs
        return cls(
            **values
            | {
                "number": trial.number,
                "state": trial.state.name,
                "parameters": parameters_of(attrs),
                "val_error": attrs["val_errors"] / attrs["n_val"],
                "val_loss": np.nan if attrs["val_loss"] is None else attrs["val_loss"],
                "curve": {name: np.array(curve[name], float) for name in ("step", *CURVES)},
                "predictions": unpack(attrs["predictions"], attrs["n_val"]),
                "generation": None if is_objectives else attrs["generation"],
            }
        )


def read_trials(trials: Sequence[FrozenTrial], study_name: str) -> list[StoredTrial]:
    """All trials of a study.

    Raises:
        StudyError: One was not recorded by this package, or is not finished.
    """
    found = []
    for trial in trials:
        try:
            found.append(StoredTrial.of(trial))
        except (KeyError, TypeError, ValueError) as error:
            raise StudyError(
                f"study {study_name!r}: trial {trial.number} was not recorded by this package, or "
                "is damaged: name another study"
            ) from error
    return found


def rank(trial: StoredTrial) -> tuple[int, float, int]:
    """Sorts trials from the best on: fewest errors, then lowest loss, then first."""
    loss = math.inf if math.isnan(trial.val_loss) else trial.val_loss
    return trial.val_errors, loss, trial.number


def best_of(trials: Sequence[StoredTrial]) -> StoredTrial | None:
    """The best trial that was trained to the end.

    Pruned trials had a smaller budget and never compete.
    """
    return min((t for t in trials if t.state == "COMPLETE"), key=rank, default=None)
