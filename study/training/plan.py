"""The plan: everything that defines a search, and the manifest that is stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.training.protocol import Protocol
from study.training.registry import Model, model_named
from study.training.space import SearchSpace

if TYPE_CHECKING:
    from study.trials import StoredTrial

SAMPLERS = ("tpe", "random", "qmc", "grid", "gp")


@dataclass(frozen=True)
class Plan:
    """Everything that defines a search; the manifest that is stored with it."""

    model: str
    space: SearchSpace
    protocol: Protocol = field(default_factory=Protocol)
    seed: int = 0
    target: float = 0.02  # validation error, a fraction
    target_rule: str = "point"  # or wilson: the upper 95 % bound must meet the target
    sampler: str = "tpe"
    pruner: str = "none"
    generation: int = 16  # trials planned together
    cohort: int = 8  # trials trained as one wide model
    device: str = "cpu"
    grid: int | None = None  # points, for the grid sampler: then the study's size is fixed

    def met_by(self, trial: StoredTrial) -> bool:
        """Whether a trial meets the target, by the rule."""
        if self.target_rule == "point":
            return trial.val_error <= self.target
        from study.stats import target_met

        return target_met(trial.val_errors, trial.n_val, self.target, rule="wilson")

    def bytes_of(self, trials: int) -> int:
        """About what so many trials and the best ones' weights take on the disk, and no less."""
        per_trial = 5_000 + 60 * len(self.protocol.validation_steps)
        units = max(self.space.hidden_units or (1,))
        return trials * per_trial + 6 * 4 * 790 * units  # five are kept, and one is a draft

    @property
    def kind(self) -> Model:
        """The kind of model that is searched; StudyError where it is not known here."""
        return model_named(self.model)

    def manifest(self, data_digest: str) -> dict[str, Any]:
        """The plan as JSON, with the digest of the data and the versions it ran on."""
        source = {self.model: self.kind.source_sha256} if self.kind.source_sha256 else {}
        return asdict(self) | {"data_sha256": data_digest, "versions": versions() | source}

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Plan:
        """The plan of a stored study.

        Raises:
            StudyError: The manifest is not one of this version of the package.
        """
        try:
            stored: dict[str, Any] = {f.name: manifest[f.name] for f in fields(cls)}
            protocol: dict[str, Any] = stored["protocol"]
            space: dict[str, Any] = stored["space"]
            stored["protocol"] = Protocol(**protocol | {"classes": tuple(protocol["classes"])})
            stored["space"] = SearchSpace(**{n: v and tuple(v) for n, v in space.items()})
            plan = cls(**stored)
            plan.kind  # noqa: B018 (refused where the model is not known here)
            return plan
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StudyError(
                f"manifest: can't be read ({error}): search again with this version"
            ) from error


def versions() -> dict[str, str]:
    """The versions that a result's bits depend on."""
    from importlib.metadata import version

    return {name: version(name) for name in ("study", "numpy", "optuna", "torch")}
