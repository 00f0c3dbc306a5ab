"""What a module must be for a cohort of it to be trained; said in one line where it is not.

A module of a person's own is built twice where it is first met, and one of the two answers a
few made-up images, alone and as a cohort; so no search begins with what can't be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from traceback import walk_tb
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.parameter import is_lazy

from study.errors import StudyError, is_memory

_IMAGES = 4
T = TypeVar("T")


class Unsuitable(StudyError):
    """A module that can't be trained as a cohort."""


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
            f"model {name!r}: its factory fails with {_told(error)}: must take generator=, "
            "the hidden units first if it has_hidden_units, and return a torch.nn.Module"
        ) from error
    if not isinstance(found, nn.Module):
        raise StudyError(
            f"model {name!r}: its factory returns {_kind(found)}: must return a torch.nn.Module"
        )
    return found


def check(name: str, factory: Callable[[], Any]) -> None:
    """Refuse a model whose modules no cohort can train as one trains alone.

    Raises:
        StudyError: The message names the layer, and what is wrong with it.
    """
    module, twin = built(name, factory), built(name, factory)
    if module is twin or type(module) is not type(twin):
        each = "the same module" if module is twin else "a module of another class"
        raise StudyError(
            f"model {name!r}: its factory returns {each} each time, {_kind(module)}: must make a "
            "new module of one class, which is defined outside the factory"
        )
    x = torch.linspace(-1, 2, _IMAGES * 784).view(_IMAGES, 784).sin()
    try:
        _require_plain_layers(module)
        _require_weights(module)
        _require_reproducible(module, twin)
        _require_one_answer(module, twin, x)
        _require_gradients(module, x)
        _require_cohort(module, twin, x)
    except Unsuitable as error:
        raise StudyError(f"model {name!r}: {error}") from error.__cause__


def _require_plain_layers(module: nn.Module) -> None:
    for path, layer in module.named_modules():
        if any(map(is_lazy, [*layer.parameters(False), *layer.buffers(False)])):
            raise Unsuitable(f"{_layer(path, layer)} has no sizes yet: must be given its sizes")
        tracks = isinstance(layer, _NormBase) and layer.track_running_stats
        if isinstance(layer, _BatchNorm) or tracks:
            raise Unsuitable(
                f"{_layer(path, layer)} answers otherwise in training: must be a layer that "
                "treats every image alone, such as LayerNorm or GroupNorm"
            )
        p = layer.p if isinstance(layer, _DropoutNd) else 0
        p = layer.dropout if isinstance(layer, nn.RNNBase | nn.MultiheadAttention) else p
        if isinstance(layer, nn.RReLU) or p > 0:
            raise Unsuitable(f"{_layer(path, layer)} is random in training: must be left out")


def _require_weights(module: nn.Module) -> None:
    named = list(module.named_parameters())
    if not any(weight.requires_grad for _, weight in named):
        raise Unsuitable(f"{_layer('', module)} has no weight to train: must have one")
    for name, tensor in module.state_dict().items():
        owner = _owner(module, name)
        if not isinstance(tensor, Tensor):
            raise Unsuitable(f"{owner} has a state {name!r} that is no tensor: must be left out")
        if tensor.device.type != "cpu" or tensor.layout != torch.strided:
            where = f"on {tensor.device}, {tensor.layout}"
            raise Unsuitable(f"{owner} has its {name!r} {where}: must be dense and on the cpu")
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise Unsuitable(f"{owner} starts with a {name!r} that is not finite: must be finite")
    for name, tensor in [*named, *module.named_buffers()]:
        floating = tensor.is_floating_point() or tensor.is_complex()
        if tensor.dtype != torch.float32 and (floating or isinstance(tensor, nn.Parameter)):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise Unsuitable(f"{_owner(module, name)} has its {name!r} in {kind}: must be float32")


def _require_reproducible(module: nn.Module, twin: nn.Module) -> None:
    second = twin.state_dict()
    for name, tensor in module.state_dict().items():
        if name not in second or not torch.equal(tensor, second[name]):
            raise Unsuitable(
                f"{_owner(module, name)} draws another {name!r} each time: must draw it from the "
                "generator that the factory is given"
            )


def _require_one_answer(module: nn.Module, twin: nn.Module, x: Tensor) -> None:
    """The module is a function of its weights and one image, (B, 784) → (B, 1)."""
    with torch.no_grad():
        answers = _called(module, lambda: module(x))
        if not isinstance(answers, Tensor):
            raise Unsuitable(
                f"{_layer('', module)} returns {_kind(answers)}: must be a tensor (B, 1)"
            )
        if answers.shape != (_IMAGES, 1) or answers.dtype != torch.float32:
            kind = f"{tuple(answers.shape)} {str(answers.dtype).removeprefix('torch.')}"
            raise Unsuitable(
                f"{_layer('', module)} returns {kind} for {_IMAGES} images: must be "
                f"({_IMAGES}, 1) float32"
            )
        before = twin.state_dict()
        for name, tensor in module.state_dict().items():
            if not torch.equal(tensor, before[name]):
                owner = _owner(module, name)
                raise Unsuitable(
                    f"{owner} changes its {name!r} when it is called: must not keep state"
                )
        again = _called(module, lambda: module(x))
        fewer = _called(module, lambda: module(x[:2]))
        evaluated = _called(twin.eval(), lambda: twin(x))
        twin.train()
    for other, when in (
        (again, "the second time"),
        (fewer, "beside other images"),
        (evaluated, "in evaluation"),
    ):
        if not _close(other, answers[: len(other)]):
            raise Unsuitable(
                f"{_layer('', module)} answers otherwise {when}: must depend on its weights and "
                "the image alone"
            )


def _require_gradients(module: nn.Module, x: Tensor) -> None:
    weights = {n: w for n, w in module.named_parameters() if w.requires_grad}

    def gradients() -> Sequence[Tensor | None]:
        return torch.autograd.grad(module(x).sum(), list(weights.values()), allow_unused=True)

    for name, gradient in zip(weights, _called(module, gradients), strict=True):
        if gradient is None:
            raise Unsuitable(
                f"{_owner(module, name)} does not use its {name!r}: must use it, or not train it"
            )


def _require_cohort(module: nn.Module, twin: nn.Module, x: Tensor) -> None:
    from study.training.module_cohorts import ModuleCohort

    with torch.no_grad():
        alone = module(x)
        images = cast(Any, SimpleNamespace(plain=x))
        cohort = ModuleCohort([module, twin], torch.zeros(2), images)
        labels = torch.zeros(len(x), 1)
        for answers in (cohort.step(x, labels), cohort.logits(x)):
            if not _close(answers, alone.expand_as(answers)):
                raise Unsuitable(f"{_layer('', module)} answers otherwise in a cohort: must not")


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)


def _called(module: nn.Module, call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:
        raise unsuitable(module, error) from error


def unsuitable(module: nn.Module, error: Exception) -> Exception:
    """The one-line error for what a module's own code raised; ``error`` itself if it is known."""
    if isinstance(error, StudyError | OSError) or is_memory(error):
        return error
    return Unsuitable(
        f"{_deepest(module, error)} fails with {_told(error)}: must be a function of float32 "
        "tensors, (B, 784) → (B, 1), that torch.func can take"
    )


def _deepest(module: nn.Module, error: Exception) -> str:
    """The innermost layer whose code the error was raised in."""
    paths = {id(layer): path for path, layer in module.named_modules()}
    found = module
    for frame, _ in walk_tb(error.__traceback__):
        layer = frame.f_locals.get("self")
        found = layer if id(layer) in paths and isinstance(layer, nn.Module) else found
    return _layer(paths[id(found)], found)


def _owner(module: nn.Module, name: str) -> str:
    """The layer that a parameter or buffer of this name belongs to."""
    path = name.rpartition(".")[0]
    layer = dict(module.named_modules()).get(path, module)
    return _layer(path, layer)


def _layer(path: str, layer: nn.Module) -> str:
    kind = type(layer).__name__
    return f"layer {path} ({kind})" if path else f"module {kind}"


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _told(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__} ({words[:200]})"
