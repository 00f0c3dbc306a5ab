"""The two wide products of a cohort, by the engine that the study names.

Letters in the shape comments: B images of a batch, D columns of an image, H columns of the
weights.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from study.errors import StudyError


class Products(Protocol):
    """A matrix library; :func:`products` gives the one of a name."""

    multiple: int
    """Of what the weights' columns are filled up to, with zeros that no gradient reaches."""

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """(B, D) and (D, H) → x W, (B, H)."""

    def hidden(self, x: Tensor, weight: Tensor) -> Tensor:
        """(B, D) and (D, H) → relu(x W), (B, H)."""

    def update(self, weight: Tensor, x: Tensor, back: Tensor, share: float) -> None:
        """Add share · xᵀ back, of (B, D) and (B, H), to the weight (D, H) in place."""


class _Torch:
    """``torch.mm`` and its like: on any device."""

    def __init__(self, multiple: int = 1) -> None:
        self.multiple = multiple

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return x @ weight

    def hidden(self, x: Tensor, weight: Tensor) -> Tensor:
        return (x @ weight).relu_()

    def update(self, weight: Tensor, x: Tensor, back: Tensor, share: float) -> None:
        weight.addmm_(x.T, back, alpha=share)


class _OneDnn:
    """The operator that ``torch.compile`` emits for a linear layer on a CPU.

    It computes x wᵀ. It is not part of torch's documented interface, so :func:`products` looks
    whether it is there, and a test compares it with ``torch.mm``.
    """

    multiple = 16

    def __init__(self) -> None:
        self.linear = torch.ops.mkldnn._linear_pointwise

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        product: Tensor = self.linear(x, weight.T, None, "none", [], "")
        return product

    def hidden(self, x: Tensor, weight: Tensor) -> Tensor:
        product: Tensor = self.linear(x, weight.T, None, "relu", [], "")
        return product

    def update(self, weight: Tensor, x: Tensor, back: Tensor, share: float) -> None:
        weight.add_(self.linear(x.T, back.T, None, "none", [], ""), alpha=share)


def products(engine: str) -> Products:
    """The library of this name.

    Raises:
        StudyError: It is not here.
    """
    if engine in ("torch", "torch-padded"):
        return _Torch(1 if engine == "torch" else 16)
    if engine == "onednn" and has_onednn():
        return _OneDnn()
    raise StudyError(
        f"engine {engine!r}: is not on this machine: search a new study with --engine torch, "
        "whose trials may differ in the last bits"
    )


def filled(tensor: Tensor, multiple: int, value: float = 0) -> Tensor:
    """(…, H) → (…, H'): columns of a value up to a multiple; one column alone stays alone."""
    width = tensor.shape[-1]
    more = -width % multiple if width > 1 else 0
    return nn.functional.pad(tensor, (0, more), value=value).contiguous()


def has_onednn() -> bool:
    """Whether torch has oneDNN's operator for float32 here; Arm's builds have none."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")
