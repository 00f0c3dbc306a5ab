"""The models that can be searched, by name, and how one is built.

Torch is imported where a model is built, so that commands answer ``--help`` at once.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.training.space import DEFAULT_HIDDEN_UNITS, Configuration, SearchSpace

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Model:
    """A model that can be searched.

    The default sizes of a generation and of a cohort are those that ``benchmarks/widths.py``
    measures as fastest on two cores while the sampler still learns between generations.
    """

    name: str
    title: str
    factory: str | Callable[..., nn.Module]  # a class (or its "module:class"): (B, 784) → (B, 1)
    target: float  # validation error, a fraction
    has_hidden_units: bool  # then they are the factory's first argument
    generation: int = 16  # default generation_size: trials planned together
    cohort: int = 8  # default cohort_size: trials trained as one wide model
    label: str = ""  # what a sentence calls it, after "the"; by default its name
    source_sha256: str = ""  # of the file that registered it; empty: it is the package's own


MODELS = {
    model.name: model
    for model in (
        Model(
            name="linear",
            title="logistic regression (784 → 1)",
            factory="study.training.models:SimpleLinear",
            target=0.035,
            has_hidden_units=False,
            generation=64,
            cohort=32,
            label="linear model",
        ),
        Model(
            name="mlp",
            title="multilayer perceptron (784 → hidden → 1)",
            factory="study.training.models:SimpleMLP",
            target=0.02,
            has_hidden_units=True,
            label="MLP",
        ),
    )
}


def register(model: Model) -> None:
    """Make a model known by its name to every command and function, for this process.

    Raises:
        StudyError: The name is taken by another model, or is no name for a study.
    """
    if model.name in MODELS and MODELS[model.name] != model:
        raise StudyError(f"model {model.name!r}: is registered already: choose another name")
    if not model.name.strip() or "/" in model.name:
        raise StudyError(f"model {model.name!r}: is no name: use letters, digits and dashes")
    MODELS[model.name] = model


def model_named(name: str) -> Model:
    """The model of this name.

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
    with seeded(0):  # what the file sets is undone, and what it draws is always the same
        spec.loader.exec_module(module)


def build(model: Model, configuration: Configuration, *, seed: int) -> nn.Module:
    """A plain model with its initial weights.

    Args:
        model: What is built.
        configuration: Gives the hidden units, if the model has them.
        seed: Of this trial's weights, from ``derive(study's seed, "weights", number)``. The
            global generators have it too, for factories that ignore the one they are given.

    Raises:
        StudyError: The factory fails, or its modules can't be trained as a cohort.
    """
    import torch

    from study.training.cohorts import COHORTS
    from study.training.known_state import seeded
    from study.training.module_checks import built, check

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
"""The models, by name, factory and hidden units, whose modules were checked."""


def default_space(model: Model) -> SearchSpace:
    """The default ranges of a model."""
    return SearchSpace(hidden_units=DEFAULT_HIDDEN_UNITS if model.has_hidden_units else None)
