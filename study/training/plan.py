"""The plan of a search: all that its results depend on, and how a study stores it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from study.errors import StudyError
from study.training.engine import default_engine
from study.training.protocol import Protocol
from study.training.registry import Model, model_named
from study.training.space import Space, from_json, is_former, modern, to_json
from study.version import versions

SAMPLERS = ("qmc", "tpe", "random", "grid", "gp")  # the first one is the default
LEARNING = ("tpe", "gp")  # their trials depend on the results of earlier ones
_LEARNING_SIZES = {"generation_size": 16, "cohort_size": 8}  # of every model
_GPU_COHORT = {"linear": 4096}  # trials; of the MLP the second layer grows with their square
_STORED_NAMES = {"generation_size": "generation", "cohort_size": "cohort"}  # others: unchanged
_INPUTS = 784


@dataclass(frozen=True)
class Plan:
    """All that the results of a search depend on, besides the images and the versions.

    A sampler, size or engine that is "" or 0 is not stated: :meth:`settled` says what it is then.
    """

    model: str
    space: Space
    protocol: Protocol = field(default_factory=Protocol)
    seed: int = 0
    target: float | None = 0.02  # validation error, a fraction; None: no target
    target_rule: str = "point"  # or wilson: the upper 95 % bound must meet the target
    sampler: str = ""
    pruner: str = "none"
    generation_size: int = (
        0  # trials that are recorded together, and planned if the sampler learns
    )
    cohort_size: int = 0  # trials trained as one wide model, at most
    device: str = "cpu"
    engine: str = ""  # which library multiplies
    grid: int | None = None  # points, for the grid sampler: then the study's size is fixed
    inputs: int = _INPUTS  # columns of the data
    former: bool = False  # the study was begun by version 0.1, and goes on in its format

    def settled(self, stored: Mapping[str, Any] | None = None) -> Plan:
        """With all that is not stated: as a stored study has it, or else as a new one gets it.

        Args:
            stored: The study's manifest, if it has one.
        """
        known: Mapping[str, Any] = {}
        with suppress(AttributeError, KeyError, TypeError, ValueError):  # refused when compared
            known = modern(stored or {})
        own = {name: known.get(_STORED_NAMES.get(name, name)) for name in _OPTIONAL}
        stated = {name: getattr(self, name) or own[name] for name in _OPTIONAL}
        sampler = stated["sampler"] or SAMPLERS[0]
        usual = self._usual(sampler)
        grid = (self.grid or known.get("grid")) if sampler == "grid" else None
        found = {name: value or usual[name] for name, value in stated.items()}
        if not (self.model_definition.is_built_in and self.device == "cpu"):
            found["engine"] = "torch"  # what else trains does not ask for an engine
        return replace(self, **found, grid=grid)

    def _usual(self, sampler: str) -> dict[str, Any]:
        """What a new study with this sampler gets for each field that may be unstated."""
        model = self.model_definition
        sizes = {"generation_size": model.generation, "cohort_size": model.cohort}
        if self.device != "cpu":
            sizes = dict.fromkeys(sizes, _GPU_COHORT.get(model.name, 64))
        if sampler in LEARNING:
            cohort = _LEARNING_SIZES["cohort_size" if self.device == "cpu" else "generation_size"]
            sizes = _LEARNING_SIZES | {"cohort_size": cohort}
        return {"sampler": sampler, **sizes, "engine": default_engine()}

    @property
    def is_known_ahead(self) -> bool:
        """Whether no trial depends on the result of another: neither sampler nor pruner looks."""
        return self.settled().sampler not in LEARNING and self.pruner == "none"

    def bytes_needed(self, trials: int) -> int:
        """Estimate of the disk space for this many trials and the best weights, in bytes."""
        per_trial = 5_000 + 60 * len(self.protocol.validation_steps)
        largest = {name: max(getattr(d, "high", 0), 0) for name, d in self.space.items()}
        units = max(1, int(self.model_definition.size(largest)))
        saved_weights = 6 * 4 * (self.inputs + 6) * units  # of five trials, and of one more
        return trials * per_trial + saved_weights

    @property
    def model_definition(self) -> Model:
        """The registered model that is searched; StudyError where none has this name."""
        return model_named(self.model)

    @property
    def title(self) -> str:
        """The kind of model, with the number of its inputs."""
        return self.model_definition.titled(self.inputs)

    def manifest(self, data_digest: str) -> dict[str, Any]:
        """The plan as JSON, with the digest of the data and the versions it ran on."""
        plan = self.settled()
        settings = {
            _STORED_NAMES.get(name, name): getattr(plan, name)
            for name in _FIELDS
            if name != "inputs" or self.inputs != _INPUTS
        }
        digest = self.model_definition.source_sha256
        source = {self.model: digest} if digest else {}
        return settings | {
            "protocol": self.protocol.to_manifest(),
            "space": to_json(self.space),
            "data_sha256": data_digest,
            "versions": versions() | source,
        }

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Plan:
        """The plan of a stored study.

        Raises:
            StudyError: This version of the package can't read the manifest.
        """
        try:
            known = {"inputs": _INPUTS} | modern(manifest)
            stored = {name: known[_STORED_NAMES.get(name, name)] for name in _FIELDS}
            stored["protocol"] = Protocol.from_manifest(stored["protocol"])
            stored["space"] = from_json(stored["space"])
            plan = cls(**stored, former=is_former(manifest["space"]))
            plan.model_definition  # noqa: B018 (raises where the model is unknown)
            return plan
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StudyError(
                f"manifest: can't be read ({error}): search again with this version"
            ) from error


_OPTIONAL = ("sampler", "generation_size", "cohort_size", "engine")
_FIELDS = tuple(name for name in Plan.__dataclass_fields__ if name != "former")
