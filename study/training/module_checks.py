"""What a module must be for a cohort of it to be trained; the error says in one line what is not.

A module that a person wrote is built twice when it is first used. Both are called on a few made-up
images, alone and as a cohort. So no search begins with a module that can't be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.parameter import is_lazy

from study.errors import StudyError, is_memory
from study.training.module_cohorts import ModuleCohort
from study.training.module_errors import (
    Unsuitable,
    error_of_call,
    layer_name,
    one_line,
    unsuitable,
)
from study.training.sgd import Sgd

_IMAGES = 4
T = TypeVar("T")


def built(name: str, factory: Callable[[], Any]) -> nn.Module:
    """What a model's factory returns.

    Args:
        name: The model's.
        factory: Draws a module with its initial weights.

    Raises:
        StudyError: The factory fails, or returns no module.
    """
    try:
        found = factory()
    except Exception as error:
        if isinstance(error, StudyError) or is_memory(error):
            raise
        raise StudyError(
            f"model {name!r}: its factory fails with {one_line(error)}: must take generator= "
            "and its model's parameters by name, and return a torch.nn.Module"
        ) from error
    if not isinstance(found, nn.Module):
        kind = type(found).__name__
        raise StudyError(
            f"model {name!r}: its factory returns a {kind}: must return a torch.nn.Module"
        )
    return found


def check(name: str, factory: Callable[[], Any], inputs: int = 784) -> None:
    """Refuse a model whose modules would train differently in a cohort than alone.

    Args:
        name: The model's.
        factory: Draws a module with its initial weights.
        inputs: Columns of the data, D.

    Raises:
        StudyError: The message names the layer, and what is wrong with it.
    """
    module, twin = built(name, factory), built(name, factory)
    if module is twin or type(module) is not type(twin):
        each = "the same module" if module is twin else "a module of another class"
        raise StudyError(
            f"model {name!r}: its factory returns {each} each time, a {type(module).__name__}: "
            "must make a new module of one class, which is defined outside the factory"
        )
    x = torch.linspace(-1, 2, _IMAGES * inputs).view(_IMAGES, inputs).sin()
    try:
        _require_plain_layers(module)
        _require_weights(module)
        _require_same_start(module, twin)
        _require_one_answer(module, twin, x)
        _require_gradients(module, x)
        _require_cohort(module, twin, x)
    except Unsuitable as error:
        raise StudyError(f"model {name!r}: {error}") from error.__cause__


def _require_plain_layers(module: nn.Module) -> None:
    for path, layer in module.named_modules():
        if any(map(is_lazy, [*layer.parameters(False), *layer.buffers(False)])):
            raise Unsuitable(
                f"{layer_name(path, layer)} has no sizes yet: must be given its sizes"
            )
        tracks = isinstance(layer, _NormBase) and layer.track_running_stats
        if isinstance(layer, _BatchNorm) or tracks:
            raise Unsuitable(
                f"{layer_name(path, layer)} answers differently in training: must be a layer that "
                "treats every image alone, such as LayerNorm or GroupNorm"
            )
        p = layer.p if isinstance(layer, _DropoutNd) else 0
        p = layer.dropout if isinstance(layer, nn.RNNBase | nn.MultiheadAttention) else p
        if isinstance(layer, nn.RReLU) or p > 0:
            raise Unsuitable(f"{layer_name(path, layer)} is random in training: must be left out")


def _require_weights(module: nn.Module) -> None:
    named = list(module.named_parameters())
    if not any(weight.requires_grad for _, weight in named):
        raise unsuitable(module, "has no weight to train: must have one")
    for name, tensor in module.state_dict().items():
        if not isinstance(tensor, Tensor):
            words = f"has a state {name!r} that is no tensor: must be left out"
        elif tensor.device.type != "cpu" or tensor.layout != torch.strided:
            where = f"on {tensor.device}, {tensor.layout}"
            words = f"has its {name!r} {where}: must be dense and on the cpu"
        elif tensor.is_floating_point() and not tensor.isfinite().all():
            words = f"starts with a {name!r} that is not finite: must be finite"
        else:
            continue
        raise unsuitable(module, words, name)
    for name, tensor in [*named, *module.named_buffers()]:
        floating = tensor.is_floating_point() or tensor.is_complex()
        if tensor.dtype != torch.float32 and (floating or isinstance(tensor, nn.Parameter)):
            words = f"has its {name!r} in {_dtype(tensor)}: must be float32"
            raise unsuitable(module, words, name)


def _require_same_start(module: nn.Module, twin: nn.Module) -> None:
    if name := _different_state(module, twin):
        words = f"draws another {name!r} each time: must draw it from the generator that the "
        raise unsuitable(module, words + "factory is given", name)


def _require_one_answer(module: nn.Module, twin: nn.Module, x: Tensor) -> None:
    """The module is a function of its weights and one image, (B, D) → (B, 1)."""
    with torch.no_grad():
        answers = _called(module, lambda: module(x))
        _require_logits(module, answers)
        if name := _different_state(module, twin):
            words = f"changes its {name!r} when it is called: must not keep state"
            raise unsuitable(module, words, name)
        again = {
            "the second time": _called(module, lambda: module(x)),
            "beside other images": _called(module, lambda: module(x[:2])),
            "in evaluation": _called(twin.eval(), lambda: twin(x)),
        }
        twin.train()
    for when, other in again.items():
        if not _close(other, answers[: len(other)]):
            words = f"answers differently {when}: must depend on its weights and the image alone"
            raise unsuitable(module, words)


def _require_logits(module: nn.Module, answers: object) -> None:
    if not isinstance(answers, Tensor):
        kind = type(answers).__name__
        raise unsuitable(module, f"returns a {kind}: must be a tensor (B, 1)")
    if answers.shape != (_IMAGES, 1) or answers.dtype != torch.float32:
        found = f"{tuple(answers.shape)} {_dtype(answers)}"
        words = f"returns {found} for {_IMAGES} images: must be ({_IMAGES}, 1) float32"
        raise unsuitable(module, words)


def _require_gradients(module: nn.Module, x: Tensor) -> None:
    weights = {n: w for n, w in module.named_parameters() if w.requires_grad}

    def gradients() -> Sequence[Tensor | None]:
        return torch.autograd.grad(module(x).sum(), list(weights.values()), allow_unused=True)

    for name, gradient in zip(weights, _called(module, gradients), strict=True):
        if gradient is None:
            words = f"does not use its {name!r}: must use it, or not train it"
            raise unsuitable(module, words, name)


def _require_cohort(module: nn.Module, twin: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        alone = module(x)
        images = cast(Any, SimpleNamespace(plain=x))
        cohort = ModuleCohort([module, twin], Sgd.of([0.0, 0.0]), images)
        labels = torch.zeros(len(x), 1)
        for answers in (cohort.step(x, labels), cohort.logits(x)):
            if not _close(answers, alone.expand_as(answers)):
                raise unsuitable(module, "answers differently in a cohort: must not")


def _different_state(module: nn.Module, twin: nn.Module) -> str | None:
    """The first parameter or buffer of ``module`` that is not equal in ``twin``."""
    second = twin.state_dict()
    for name, tensor in module.state_dict().items():
        if name not in second or not torch.equal(tensor, second[name]):
            return name
    return None


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)


def _called(module: nn.Module, call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:
        raise error_of_call(module, error) from error


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
