"""What is searched, and the Optuna objective that wraps the trainer.

No torch until a model is built, so that commands can answer ``--help`` at once.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.protocol import Protocol
from study.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    import optuna
    from torch import nn

    from study.dataset import DigitPair


@dataclass(frozen=True)
class Model:
    """A kind of model that can be searched.

    The generation and cohort widths are those that ``tests/benchmarks/widths.py`` measures as
    fastest on two cores while the sampler still learns between generations.
    """

    name: str
    title: str
    factory: str | Callable[..., nn.Module]  # a class (or its "module:class"): (B, 784) → (B, 1)
    target: float  # validation error, a fraction
    has_hidden_units: bool  # then they are the factory's first argument
    generation: int = 16  # trials planned together
    cohort: int = 8  # trials trained as one wide model
    label: str = ""  # what a sentence calls it, after "the"; by default its name
    source_sha256: str = ""  # of the file that registered it; empty: it is the package's own


MODELS = {
    model.name: model
    for model in (
        Model(
            name="linear",
            title="logistic regression (784 → 1)",
            factory="study.models:SimpleLinear",
            target=0.035,
            has_hidden_units=False,
            generation=64,
            cohort=32,
            label="linear model",
        ),
        Model(
            name="mlp",
            title="multilayer perceptron (784 → hidden → 1)",
            factory="study.models:SimpleMLP",
            target=0.02,
            has_hidden_units=True,
            label="MLP",
        ),
    )
}


def register(model: Model) -> None:
    """Make a kind of model known, for this process, to every command and function by its name.

    Raises:
        StudyError: The name is taken by another model, or is no name for a study.
    """
    if model.name in MODELS and MODELS[model.name] != model:
        raise StudyError(f"model {model.name!r}: is registered already: choose another name")
    if not model.name.strip() or "/" in model.name:
        raise StudyError(f"model {model.name!r}: is no name: use letters, digits and dashes")
    MODELS[model.name] = model


def model_named(name: str) -> Model:
    """The kind of model of this name.

    Raises:
        StudyError: There is none.
    """
    if name not in MODELS:
        raise StudyError(
            f"model {name!r}: not known: must be one of {', '.join(MODELS)}, or registered by a "
            "file that is passed as --model-file"
        )
    return MODELS[name]


def load_model_file(path: Path) -> None:
    """Run a Python file that registers models; their studies then state its SHA-256.

    Raises:
        StudyError: The file is missing, fails, or registers no new model.
    """
    if path.suffix != ".py" or not path.is_file():
        raise StudyError(f"--model-file {path}: not there: must be a Python file (.py)")
    before = set(MODELS)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if any(model.source_sha256 == digest for model in MODELS.values()):
            return
        _run(path)
    except StudyError:
        raise
    except Exception as error:
        raise StudyError(
            f"--model-file {path}: fails with {type(error).__name__} ({error}): must run"
        ) from error
    found = MODELS.keys() - before
    if not found:
        raise StudyError(f"--model-file {path}: registers no model: must call study.register")
    MODELS.update({name: replace(MODELS[name], source_sha256=digest) for name in found})


def _run(path: Path) -> None:
    from study.known_state import seeded

    name = f"model_file_{path.stem}"  # never the name of a module that is there already
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"  # noqa: PT018
    sys.modules[name] = module = module_from_spec(spec)
    with seeded(0):  # what the file sets is undone, and what it draws is always the same
        spec.loader.exec_module(module)


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
        params: dict[str, Any] = {
            "learning_rate": trial.suggest_float("learning_rate", *self.learning_rate, log=True)
        }
        if "hidden_units" in self.distributions():
            low, high = self.hidden_units or (0, 0)
            params["hidden_units"] = trial.suggest_int("hidden_units", low, high, log=True)
        return self.configuration(params)

    def configuration(self, params: dict[str, Any]) -> Configuration:
        """What a trial trains, from what Optuna sampled."""
        fixed = self.hidden_units[0] if self.hidden_units else None
        return Configuration(params["learning_rate"], params.get("hidden_units", fixed))


DEFAULT_HIDDEN_UNITS = (16, 128)


@dataclass(frozen=True)
class Configuration:
    """One trial's hyperparameters: the learning rate of plain SGD, and the units of a layer."""

    learning_rate: float
    hidden_units: int | None  # None for a model without


def build(model: Model, configuration: Configuration, *, seed: int) -> nn.Module:
    """A plain model with its initial weights.

    Args:
        model: Which kind.
        configuration: Gives the hidden units, where the kind has them.
        seed: Of this trial's weights, from ``derive(study's seed, "weights", number)``. The
            global generators have it too, for factories that ignore the one they are given.

    Raises:
        StudyError: The factory fails, or its modules can't be trained as a cohort.
    """
    import torch

    from study.known_state import seeded
    from study.models import COHORTS
    from study.module_checks import built, check

    hidden = () if configuration.hidden_units is None else (configuration.hidden_units,)

    def draw() -> object:
        factory: Any = model.factory
        if isinstance(factory, str):
            module, _, name = factory.partition(":")
            factory = getattr(import_module(module), name)
        with seeded(seed):
            return factory(*hidden, generator=torch.Generator().manual_seed(seed))

    with seeded(seed):  # one thread at a time
        found = built(model.name, draw)
        key = (model.name, id(model.factory), hidden)
        if type(found) not in COHORTS and key not in _checked:
            check(model.name, draw)
            _checked.add(key)
    return found


_checked: set[tuple[str, int, tuple[int, ...]]] = set()
"""The models, by name and factory, with their hidden units, of which a module was looked at."""


class Objective:
    """An ordinary Optuna objective: ``study.optimize(Objective(...), n_trials=16)``.

    Gives the values that ``python -m study.search`` gives for the same seed, trial number and
    parameters, within float32 rounding (and training is chaotic above a learning rate of
    about 0.2). Reports ten validation errors a trial, and stops where the study's pruner says.

    Args:
        model: A name in ``MODELS``: ``linear``, ``mlp``, or one that was registered.
        pair: The images.
        space: The ranges; by default the model's own.
        protocol: One trial's training.
        seed: For batches and initial weights.
        target: A validation error, a fraction; by default the model's own.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    def __init__(
        self,
        model: str,
        pair: DigitPair,
        *,
        seed: int,
        space: SearchSpace | None = None,
        protocol: Protocol | None = None,
        target: float | None = None,
        device: str = "auto",
    ) -> None:
        from study.trainer import images_of, pick_device
        from study.trials import require_storable

        self.model = model_named(model)
        self.space = space or default_space(self.model)
        self.protocol = protocol or Protocol()
        require_storable(self.protocol)
        self.seed = seed
        self.target = self.model.target if target is None else target
        self.device = pick_device(device)
        self.images = images_of(pair, self.device)
        self.data_sha256 = pair.digest

    def __call__(self, trial: optuna.Trial) -> float:
        """Train the trial as a cohort of one; its lowest validation error, a fraction.

        Raises:
            optuna.TrialPruned: The study's pruner stopped it.
            StudyError: The study was searched with other settings; the message names them.
        """
        import optuna

        from study.trainer import train
        from study.trials import attributes, report_steps

        self._join(trial)
        configuration = self.space.suggest(trial)
        seed = derive(self.seed, "weights", trial.number)

        def prune(step: int, places: np.ndarray, errors: np.ndarray) -> list[int]:
            trial.report(float(errors[0]), step)
            return [0] if trial.should_prune() else []

        [history] = train(
            [build(self.model, configuration, seed=seed)],
            [configuration.learning_rate],
            self.images,
            self.protocol,
            seed=self.seed,
            rungs=report_steps(self.protocol),
            prune=prune,
        )
        attrs = attributes(
            history,
            configuration,
            seed,
            self.target,
            cohort=[trial.number],
            generation=trial.number,
            value=history.final_error if history.pruned else history.val_error,
        )
        for name, value in attrs.items():
            trial.set_user_attr(name, value)
        if history.pruned:
            raise optuna.TrialPruned
        return history.val_error

    def _join(self, trial: optuna.Trial) -> None:
        """Hold a searched study to its manifest, and say in the trial how it is trained."""
        from study.search.plan import Plan
        from study.storage.manifest import NOT_OF_A_TRIAL, differences, manifest, trained_under
        from study.trials import TRAINED_UNDER

        study = getattr(trial, "study", None)
        stored = study and manifest(study)
        if study is None or stored is None:
            return  # a FixedTrial has no study; a study without a manifest is the caller's own
        plan = Plan(
            self.model.name,
            self.space,
            self.protocol,
            seed=self.seed,
            target=self.target,
            device=self.device.type,
        )
        asked = json.loads(json.dumps(plan.manifest(self.data_sha256)))
        same = {name: stored[name] for name in NOT_OF_A_TRIAL if name in stored}
        words = differences(stored, asked | same)
        if words:
            raise StudyError(
                f"study {study.study_name!r}: was searched with other settings ({words}): "
                "give the objective those, or use another study"
            )
        settings = trained_under(stored)
        trial.storage.set_trial_system_attr(trial._trial_id, TRAINED_UNDER, settings)


def default_space(model: Model) -> SearchSpace:
    """The default ranges of a kind of model."""
    return SearchSpace(hidden_units=DEFAULT_HIDDEN_UNITS if model.has_hidden_units else None)
