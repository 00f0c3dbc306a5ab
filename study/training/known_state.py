"""Set torch, NumPy and Python to a known state, and give the caller's settings back after it."""

from __future__ import annotations

import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch.backends import cuda, cudnn, mkldnn

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
_DEFAULT = tuple(_PRECISIONS.values()), "highest", True
_DEVICES = ("cpu", "cuda", "mps")
_ERRORS: Any = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}

# torch 2.9 to 2.14 have no public way to set all of these: what sets
# torch.backends.mkldnn.fp32_precision sets the generic one.
_get_precision = torch._C._get_fp32_precision_getter
_set_precision = torch._C._set_fp32_precision_setter


def _precisions() -> tuple[Any, ...]:
    """The values of ``_PRECISIONS`` and of the two older flags, as the caller set them.

    A precision that is not set reads as its parent's. So each is unset before its children are
    read: where this is not ``_DEFAULT``, they must be set after it.
    """
    seen = tuple(_get_precision(*key) for key in _PRECISIONS)
    if tuple("none" if value == "ieee" else value for value in seen) == _DEFAULT[0]:
        return _DEFAULT
    own = []
    for key in _PRECISIONS:
        own.append(_get_precision(*key))
        _set_precision(*key, "none")
    allow_tf32 = partial(getattr, cudnn, "allow_tf32")
    return tuple(own), _older(torch.get_float32_matmul_precision), _older(allow_tf32)


def _older(read: Callable[[], Any]) -> object:
    """An older flag, which torch reads only where the newer precisions agree with it."""
    with warnings.catch_warnings(action="ignore"):  # the older flags are deprecated
        for cuda_precision, mkldnn_precision in (
            ("none", "none"),
            ("tf32", "tf32"),
            ("tf32", "bf16"),
        ):
            for operation in ("matmul", "conv", "rnn"):
                _set_precision("cuda", operation, cuda_precision)
            _set_precision("mkldnn", "matmul", mkldnn_precision)
            with suppress(RuntimeError):
                return read()
    return None


def _set_precisions(value: tuple[Any, ...]) -> None:
    own, matmul, tf32 = value
    for key in _PRECISIONS:
        _set_precision(*key, "none")
    with warnings.catch_warnings(action="ignore"):
        torch.set_float32_matmul_precision(matmul or "highest")
        cudnn.allow_tf32 = True if tf32 is None else tf32
    for key, precision in zip(_PRECISIONS, own, strict=True):
        _set_precision(*key, precision)


def _flag(module: object, name: str, known: bool) -> Setting:
    return partial(getattr, module, name), partial(setattr, module, name), known


_OF_THE_PROCESS: list[Setting] = [
    (torch.get_num_threads, torch.set_num_threads, 1),  # float32 sums depend on it
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (_precisions, _set_precisions, _DEFAULT),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, 0),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
    _flag(mkldnn, "enabled", True),
    _flag(mkldnn, "deterministic", False),
    (torch._C._get_nnpack_enabled, torch._C._set_nnpack_enabled, True),  # no public reader
    _flag(cudnn, "enabled", True),
    _flag(cudnn, "benchmark", False),
    _flag(cudnn, "deterministic", False),
    (cuda.flash_sdp_enabled, cuda.enable_flash_sdp, True),  # how attention is computed
    (cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp, True),
    (cuda.math_sdp_enabled, cuda.enable_math_sdp, True),
    (cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp, True),
]


def _apply(values: Sequence[Any]) -> list[Any]:
    """Give the process's settings these values; returns the values that they had."""
    before = []
    for (read, write, _), value in zip(_OF_THE_PROCESS, values, strict=True):
        before.append(read())
        if before[-1] != value:
            write(value)
    return before


class _KnownState:
    """Sets whatever can change the bits of a result, and counts the threads inside.

    Most of the settings belong to the whole process: the first thread to enter saves them, and
    the last one to leave restores them. What a model's own code sets inside is undone at the next
    entry or exit.
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
    """The settings that each thread has for itself; inside, gradients are on (torch's default).

    Denormals are flushed to zero: saturated sigmoids leave many, and arithmetic on them is slow.
    """
    default = vars(torch._GLOBAL_DEVICE_CONTEXT)
    device, modes = dict(default), _without_modes()
    autocast = {name: torch.is_autocast_enabled(name) for name in _DEVICES}
    flushed = sys.float_info.min / 2 == 0
    for name in _DEVICES:
        torch.set_autocast_enabled(name, False)
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode(False), _without_dispatch_modes(), np.errstate(**_ERRORS):
            yield
    finally:
        torch.set_flush_denormal(flushed)
        for name, enabled in autocast.items():
            torch.set_autocast_enabled(name, enabled)
        _without_modes()
        for mode in reversed(modes):
            torch._C._push_on_torch_function_stack(mode)
        default.clear()
        default.update(device)


def _without_modes() -> list[Any]:
    """Remove the thread's modes, the default device among them; returns them, the last first."""
    there = torch._C._len_torch_function_stack()
    return [torch._C._pop_torch_function_stack() for _ in range(there)]


def _without_dispatch_modes() -> AbstractContextManager[None]:
    if not torch._C._len_torch_dispatch_stack():
        return nullcontext()  # the import below takes long
    from torch.utils._python_dispatch import _disable_current_modes

    return cast("AbstractContextManager[None]", _disable_current_modes())


_drawing = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The known state, with the global random generators seeded; they are restored after it.

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
