"""The models that can be searched, by name, and how one is built.

Torch and Optuna are imported where they are needed, so that commands answer ``--help`` at once.
"""

from __future__ import annotations

import hashlib
import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.text import did_you_mean
from study.training.space import OPTIMISER, Configuration, LazySpace, Space, whole

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from torch import nn

GIVEN = ("inputs", "generator")  # what a factory is given beside its hyperparameters
HIDDEN_UNITS = (16, 128)  # searched by default, log-uniformly
FORMER = ("learning_rate", "hidden_units")
"""All hyperparameters of version 0.1. Its trials store an attribute each, its manifests a pair of
ends each; of a model without hidden units both are null."""


@dataclass(frozen=True)
class Model:
    """A model that can be searched.

    ``space`` maps each hyperparameter to the Optuna distribution that it is drawn from.
    ``learning_rate``, ``momentum``, ``weight_decay`` and ``nesterov`` are the optimiser's, equal
    to those of ``torch.optim.SGD``; every other name is a keyword of the factory. A factory that
    takes ``inputs`` is given the number of columns of the data.

    The default sizes are for samplers that do not learn, on a CPU (``benchmarks/widths.py``).
    """

    name: str
    title: str  # where {inputs} stands for the number of columns of the data
    factory: str | Callable[..., nn.Module]  # a class (or its "module:class"): (B, D) → (B, 1)
    target: float | None = None  # validation error, a fraction; None: no target
    has_hidden_units: bool = False  # of a file for version 0.1: the factory's first argument
    generation: int = 16  # default generation_size: trials recorded together
    cohort: int = 8  # default cohort_size: trials trained as one wide model
    label: str = ""  # what a sentence calls it, after "the"; by default its name
    source_sha256: str = ""  # of the file that registered it; empty: it is the package's own
    space: Space | None = None  # None: the learning rate alone
    size_parameters: tuple[str, ...] = ()  # the larger these, the larger the model

    @property
    def is_built_in(self) -> bool:
        """Whether it is one of the package's own models, whose gradients are written out."""
        return isinstance(self.factory, str) and self.factory.startswith("study.training.models:")

    def titled(self, inputs: int) -> str:
        """The title, with the number of columns of the data in it."""
        return self.title.replace("{inputs}", str(inputs))

    def size(self, configuration: Configuration) -> float:
        """How large the model is: the product of its size parameters; 1 without any."""
        names = self.size_parameters or FORMER[1:] * self.has_hidden_units
        return math.prod(float(configuration[name] or 0) for name in names)


def _linear_space() -> Space:
    from optuna.distributions import FloatDistribution

    return {"learning_rate": FloatDistribution(1e-5, 1, log=True)}


def _mlp_space() -> Space:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        "learning_rate": FloatDistribution(1e-5, 1, log=True),
        "hidden_units": IntDistribution(*HIDDEN_UNITS, log=True),
    }


MODELS = {
    model.name: model
    for model in (
        Model(
            name="linear",
            title="logistic regression ({inputs} → 1)",
            factory="study.training.models:SimpleLinear",
            target=0.035,
            space=LazySpace(_linear_space),
            generation=64,
            cohort=32,
            label="linear model",
        ),
        Model(
            name="mlp",
            title="multilayer perceptron ({inputs} → hidden → 1)",
            factory="study.training.models:SimpleMLP",
            target=0.02,
            space=LazySpace(_mlp_space),
            size_parameters=("hidden_units",),
            label="MLP",
        ),
    )
}
BUILT_IN = frozenset(MODELS)  # the package's own, which every process knows


def register(model: Model) -> None:
    """Make a model known by its name to every command and function, for this process.

    Raises:
        StudyError: The name is taken by another model, or is no name for a study; or the space
            can't be searched.
    """
    if model.name in MODELS and MODELS[model.name] != model:
        raise StudyError(f"model {model.name!r}: is registered already: choose another name")
    if not model.name.strip() or {*"/="} & {*model.name}:
        raise StudyError(f"model {model.name!r}: is no name: use letters, digits and dashes")
    if min(model.generation, model.cohort) < 1:
        sizes = f"generation {model.generation} and cohort {model.cohort}"
        raise StudyError(f"model {model.name!r}: has {sizes}: must be 1 or more")
    if model.target is not None and not 0 <= model.target <= 1:
        raise StudyError(f"model {model.name!r}: has target {model.target}: must be a fraction")
    if model.space is not None:
        _check_space(model, model.space)
    MODELS[model.name] = model


def _check_space(model: Model, space: Space) -> None:
    from optuna.distributions import BaseDistribution, CategoricalDistribution

    where = f"model {model.name!r}: its space"
    for name, found in space.items():
        if not isinstance(name, str) or not name.isidentifier() or name in GIVEN:
            raise StudyError(f"{where} has {name!r}: must be a keyword of the factory's own")
        if not isinstance(found, BaseDistribution):
            kind = type(found).__name__
            raise StudyError(f"{where}: {name} is a {kind}: must be a distribution of Optuna")
        if isinstance(found, CategoricalDistribution):
            _check_choices(f"{where}: {name}", found.choices)
        elif not math.isfinite(found.high - found.low):  # type: ignore[attr-defined]
            raise StudyError(f"{where}: {name} has no finite range: must have one")
    whole(space)
    sizes = model.size_parameters
    numbers = {n for n, d in space.items() if getattr(d, "low", 0) > 0}
    if not isinstance(sizes, tuple) or not numbers.issuperset(sizes):
        listed = ", ".join(sorted(numbers))
        raise StudyError(f"{where}: size_parameters are {sizes!r}: must be a tuple of {listed}")


def _check_choices(where: str, choices: Sequence[object]) -> None:
    """Refuse choices that a storage or a command line can't tell apart."""
    for choice in choices:
        is_finite = not isinstance(choice, float) or math.isfinite(choice)
        is_value = isinstance(choice, bool | int | float | str | None) and choice != ""
        if not (is_value and is_finite):
            raise StudyError(f"{where} has the choice {choice!r}: must be a word or a number")
    if min(len({*choices}), len({str(choice).lower() for choice in choices})) < len(choices):
        raise StudyError(f"{where} has equal choices ({choices}): must differ, as words too")


def model_named(name: str) -> Model:
    """The model of this name.

    Raises:
        StudyError: There is none.
    """
    if name not in MODELS:
        right = f"must be one of {', '.join(MODELS)}, or registered by a file of --model-file"
        raise StudyError(f"model {name!r}: not known: {did_you_mean(name, MODELS, right)}")
    return MODELS[name]


def load_model_file(path: Path) -> None:
    """Run a Python file that registers models; their studies then record its SHA-256.

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
    from study.training.known_state import seeded

    name = f"model_file_{path.stem}"  # a name that no other module has
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"  # noqa: PT018
    sys.modules[name] = module = module_from_spec(spec)
    with seeded(0), warnings.catch_warnings():
        # what the file sets is undone, and what it draws is always the same
        warnings.filterwarnings("ignore", module="optuna")  # register says what is wrong
        spec.loader.exec_module(module)


def default_space(model: Model) -> dict[str, BaseDistribution]:
    """The default ranges of a model, the learning rate's first."""
    if model.space is None and model.has_hidden_units:
        return dict(_mlp_space())
    return whole(model.space or {})


def build(
    model: Model, configuration: Configuration, *, seed: int, inputs: int = 784
) -> nn.Module:
    """A plain model with its initial weights.

    Args:
        model: What is built.
        configuration: Gives the factory's keywords; what it lacks has the factory's default.
        seed: Of this trial's weights, from ``derive(study's seed, "weights", number)``. The
            global generators have it too, for factories that ignore the one they are given.
        inputs: Columns of the data, D: the model is (B, D) → (B, 1).

    Raises:
        StudyError: The factory fails, or its modules can't be trained as a cohort.
    """
    import torch

    from study.training.alike import arguments
    from study.training.cohorts import COHORTS
    from study.training.known_state import seeded
    from study.training.module_checks import built, check

    own = {name: value for name, value in configuration.items() if name not in OPTIMISER}
    first = [own.pop(name) for name in FORMER[1:] if model.has_hidden_units and name in own]

    def draw() -> object:
        factory = _factory(model)
        keywords = own | ({"inputs": inputs} if _takes_inputs(factory) else {})
        with seeded(seed):
            return factory(*first, **keywords, generator=torch.Generator().manual_seed(seed))

    with seeded(seed):  # one thread at a time
        found = built(model.name, draw)
        key = (model.name, id(model.factory), inputs, *first, *own.items())
        if type(found) not in COHORTS and key not in _checked:
            check(model.name, draw, inputs)
            _checked.add(key)
        arguments[found] = key
    return found


_checked: set[tuple[object, ...]] = set()
"""Whose modules were checked: name, factory, inputs, and all that the factory was given."""


def _factory(model: Model) -> Callable[..., Any]:
    if callable(model.factory):
        return model.factory
    module, _, name = model.factory.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def _takes_inputs(factory: Callable[..., Any]) -> bool:
    taken = _taken_by(factory)
    return "inputs" in taken or any(p.kind == Parameter.VAR_KEYWORD for p in taken.values())


def _taken_by(factory: Callable[..., Any]) -> Mapping[str, Parameter]:
    try:
        return signature(factory).parameters
    except (TypeError, ValueError):  # a callable that hides what it takes
        return {}


def needed(model: Model) -> list[str]:
    """The hyperparameters of a model for which its factory has no default."""
    taken = _taken_by(_factory(model))
    own = [name for name in default_space(model) if name in taken]
    return [name for name in own if taken[name].default is Parameter.empty]
