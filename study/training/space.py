"""The ranges of a search, and the hyperparameters of one trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

DEFAULT_HIDDEN_UNITS = (16, 128)


@dataclass(frozen=True)
class SearchSpace:
    """The ranges that are searched, log-uniformly; equal ends fix a parameter."""

    learning_rate: tuple[float, float] = (1e-5, 1.0)
    hidden_units: tuple[int, int] | None = None  # None: the model has none

    def distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """What Optuna samples: every parameter whose ends differ, and the learning rate."""
        from optuna.distributions import FloatDistribution, IntDistribution

        found: dict[str, optuna.distributions.BaseDistribution] = {
            "learning_rate": FloatDistribution(*self.learning_rate, log=True)
        }
        if self.hidden_units and self.hidden_units[0] != self.hidden_units[1]:
            found["hidden_units"] = IntDistribution(*self.hidden_units, log=True)
        return found

    def suggest(self, trial: optuna.Trial) -> Configuration:
        """Ask a trial for its hyperparameters, with Optuna's own calls."""
        rate = trial.suggest_float("learning_rate", *self.learning_rate, log=True)
        params: dict[str, Any] = {"learning_rate": rate}
        if self.hidden_units and self.hidden_units[0] != self.hidden_units[1]:
            params["hidden_units"] = trial.suggest_int(
                "hidden_units", *self.hidden_units, log=True
            )
        return self.configuration(params)

    def configuration(self, params: dict[str, Any]) -> Configuration:
        """What a trial trains, from what Optuna sampled."""
        fixed = self.hidden_units[0] if self.hidden_units else None
        return Configuration(params["learning_rate"], params.get("hidden_units", fixed))


@dataclass(frozen=True)
class Configuration:
    """One trial's hyperparameters: the learning rate of plain SGD, and the hidden units."""

    learning_rate: float
    hidden_units: int | None  # None for a model without
