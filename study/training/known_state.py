"""Torch, NumPy and Python in a known state, whatever the caller set, and as they were after it."""

from __future__ import annotations

import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import numpy as np
import torch

Setting = tuple[Callable[[], Any], Callable[[Any], object], Any]
"""(reads it, sets it, its known value)."""

_PRECISIONS = {  # (backend, operation): torch's default; a parent stands before its children
    ("generic", "all"): "none",
    ("cuda", "all"): "none",
    ("cuda", "matmul"): "none",
    ("cuda", "conv"): "tf32",
    ("cuda", "rnn"): "tf32",
    ("mkldnn", "all"): "none",
    ("mkldnn", "matmul"): "none",
    ("mkldnn", "conv"): "none",
    ("mkldnn", "rnn"): "none",
}
_MATMUL, _CUDNN = (("cuda", "matmul"), ("mkldnn", "matmul")), (("cuda", "conv"), ("cuda", "rnn"))
Pairs = Sequence[tuple[str, str]]
_DEVICES = ("cpu", "cuda", "mps")
_ERRORS: Any = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


def _set(keys: Pairs, values: Sequence[str]) -> None:
    for (backend, operation), value in zip(keys, values, strict=True):
        torch._C._set_fp32_precision_setter(backend, operation, value)


def _older(
    read: Callable[[], object], keys: Sequence[tuple[str, str]], values: Sequence[tuple[str, str]]
) -> object:
    """An older flag, which torch reads only where the newer ones agree with it."""
    for pair in values:
        _set(keys, pair)
        try:
            return read()
        except RuntimeError:
            continue
    return None


def _precisions() -> tuple[Any, ...]:
    """The values of ``_PRECISIONS`` and the two older flags, as somebody set them.

    What is not set reads as its parent, so each is unset before its children are read: where
    this is not ``_DEFAULT``, they must be set after it.
    """
    get = torch._C._get_fp32_precision_getter
    seen = tuple(get(*key) for key in _PRECISIONS)
    plain = tuple("none" if value == "ieee" else value for value in seen)
    if plain == tuple(_PRECISIONS.values()):
        return _DEFAULT
    own = []
    for key in _PRECISIONS:
        own.append(get(*key))
        _set([key], ["none"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older flags are deprecated
        matmul = torch.get_float32_matmul_precision
        pairs = [("none", "none"), ("tf32", "tf32"), ("tf32", "bf16")]
        cudnn = torch._C._get_cudnn_allow_tf32
        older = _older(matmul, _MATMUL, pairs), _older(cudnn, _CUDNN, [pairs[0], pairs[1]])
    return tuple(own), *older


def _set_precisions(value: tuple[Any, ...]) -> None:
    values, matmul, cudnn = value
    _set(list(_PRECISIONS), ["none"] * len(_PRECISIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.set_float32_matmul_precision(matmul or "highest")
        torch._C._set_cudnn_allow_tf32(True if cudnn is None else cudnn)
    _set(list(_PRECISIONS), values)


_DEFAULT = tuple(_PRECISIONS.values()), "highest", True


def _determinism() -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_determinism(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _flag(name: str, known: bool) -> Setting:
    return getattr(torch._C, f"_get_{name}"), getattr(torch._C, f"_set_{name}"), known


def _sdp(name: str) -> Setting:
    """A way to compute attention."""
    return (
        getattr(torch._C, f"_get_{name}_sdp_enabled"),
        getattr(torch._C, f"_set_sdp_use_{name}"),
        True,
    )


_OF_THE_PROCESS: list[Setting] = [
    (torch.get_num_threads, torch.set_num_threads, 1),  # float32 sums depend on it
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (_precisions, _set_precisions, _DEFAULT),
    (_determinism, _set_determinism, (False, False)),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
    _flag("mkldnn_enabled", True),
    _flag("mkldnn_deterministic", False),
    _flag("nnpack_enabled", True),
    _flag("cudnn_enabled", True),
    _flag("cudnn_benchmark", False),
    _flag("cudnn_deterministic", False),
    *map(_sdp, ("flash", "mem_efficient", "math", "cudnn")),
]


def _apply(values: Sequence[Any]) -> list[Any]:
    """Set the process's settings where they are otherwise; what they were."""
    before = []
    for (read, write, _), value in zip(_OF_THE_PROCESS, values, strict=True):
        before.append(read())
        if before[-1] != value:
            write(value)
    return before


class _KnownState:
    """Sets what can change a result's bits, and counts who is inside.

    Much of it is the whole process's: the first to enter remembers it, and the last to leave
    restores it. What a model's own code changes inside is undone at the next entry or exit.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.before: list[Any] = []
        self.known = [known for _, _, known in _OF_THE_PROCESS]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with _this_thread():
            with self.lock:
                found = _apply(self.known)
                if self.inside == 0:
                    self.before = found
                self.inside += 1
            try:
                yield
            finally:
                with self.lock:
                    self.inside -= 1
                    _apply(self.known if self.inside else self.before)


known_state = _KnownState()


@contextmanager
def _this_thread() -> Iterator[None]:
    """What each thread has for itself; gradients are on inside, as torch has them at first.

    Denormals are flushed to zero: saturated sigmoids leave many, and arithmetic on them is slow.
    """
    default = vars(torch._GLOBAL_DEVICE_CONTEXT)
    device, modes = dict(default), _without_modes()
    autocast = {name: torch.is_autocast_enabled(name) for name in _DEVICES}
    flushed = sys.float_info.min / 2 == 0
    _set_autocast(dict.fromkeys(_DEVICES, False))
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode(False), _without_dispatch_modes(), np.errstate(**_ERRORS):
            yield
    finally:
        torch.set_flush_denormal(flushed)
        _set_autocast(autocast)
        _without_modes()
        for mode in reversed(modes):
            torch._C._push_on_torch_function_stack(mode)
        default.clear()
        default.update(device)


def _without_modes() -> list[Any]:
    """Take the thread's modes off, the default device among them; the last one first."""
    there = torch._C._len_torch_function_stack()
    return [torch._C._pop_torch_function_stack() for _ in range(there)]


def _without_dispatch_modes() -> AbstractContextManager[None]:
    if not torch._C._len_torch_dispatch_stack():
        return nullcontext()  # the import below takes long
    from torch.utils._python_dispatch import _disable_current_modes

    return cast("AbstractContextManager[None]", _disable_current_modes())


def _set_autocast(enabled: dict[str, bool]) -> None:
    for name, value in enabled.items():
        torch.set_autocast_enabled(name, value)


_drawing = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """In the known state, with the global random generators seeded; they are restored after it.

    Args:
        seed: Of torch's generator (the CPU's), NumPy's and Python's; 32 bits.
    """
    with _drawing, known_state():
        before = torch.default_generator.get_state(), np.random.get_state(), random.getstate()
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            torch.default_generator.set_state(before[0])
            np.random.set_state(before[1])
            random.setstate(before[2])
