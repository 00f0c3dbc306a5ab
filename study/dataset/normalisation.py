"""How images and rows are normalised before a model sees them.

Letters: N images or rows, D columns (of an image: its pixels, of all colours).
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

IMAGE, COLUMNS, NONE = "image", "columns", "none"
KINDS = (IMAGE, COLUMNS, NONE)
_BLOCK = 256  # images normalised at a time: 1.6 MB of float64, which stays in a core's cache


def normalise(raw: NDArray[Any]) -> NDArray[np.float32]:
    """Centre and scale each image by its own mean and population standard deviation.

    With D pixels x, their sum S and their sum of squares Q, all of them integers,

        (x - mean) / std  =  (D·x - S) / √(D·Q - S²),

    whose integers are exact in float64: only the root, the division and the final float32
    round. Equals ``(x - x.mean(1)) / x.std(1)``, and a constant image becomes zeros.

    Args:
        raw: (N, 28, 28) uint8, or any (N, …). Rows of float64 are taken by the plain formula.

    Returns:
        (N, D) float32.
    """
    d = math.prod(raw.shape[1:])
    pixels = raw.reshape(len(raw), d)  # (N, D), N = 0 too
    own = _bytes if raw.dtype == np.uint8 else _floats
    normalised = np.empty(pixels.shape, np.float32)
    for start in range(0, len(pixels), _BLOCK):
        normalised[start : start + _BLOCK] = own(pixels[start : start + _BLOCK])
    return normalised


def _bytes(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    d, x = pixels.shape[1], pixels.astype(np.float64)
    s = x.sum(1, keepdims=True)
    q = (x * x).sum(1, keepdims=True)
    root = np.sqrt(d * q - s * s)
    root[root == 0] = 1  # a constant image: its numerators are 0 already
    quotient: NDArray[np.float64] = (d * x - s) / root
    return quotient


def _floats(x: NDArray[np.float64]) -> NDArray[np.float64]:
    same = x.max(1, keepdims=True) == x.min(1, keepdims=True)  # a sum would round
    spread = np.where(same, np.inf, x.std(1, keepdims=True))
    scaled: NDArray[np.float64] = (x - x.mean(1, keepdims=True)) / spread
    return scaled


@dataclass(frozen=True, eq=False)
class Scaling:
    """The mean and the population standard deviation of each column of the training part.

    A column with one value throughout the training part teaches a model nothing, so it becomes
    0 in every row, also in those that validate.
    """

    mean: NDArray[np.float64]  # (D,)
    spread: NDArray[np.float64]  # (D,); infinite where the column is constant

    @classmethod
    def of(cls, training: NDArray[Any]) -> Self:
        """Of the training part: (N, …), N at least 1."""
        rows = training.reshape(len(training), -1)
        same = rows.max(0) == rows.min(0)  # a sum would round
        mean, square = rows.mean(0, dtype=np.float64), np.zeros(rows.shape[1])
        for start in range(0, len(rows), _BLOCK):
            square += ((rows[start : start + _BLOCK] - mean) ** 2).sum(0)
        return cls(mean, np.where(same, np.inf, np.sqrt(square / len(rows))))

    @property
    def constant(self) -> NDArray[np.intp]:
        """The places of the columns that are constant in the training part."""
        return np.flatnonzero(np.isinf(self.spread))

    def apply(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """(N, …) → (N, D) float32: each column less its mean, over its standard deviation."""
        rows = raw.reshape(len(raw), len(self.mean))
        scaled = np.empty(rows.shape, np.float32)
        for start in range(0, len(rows), _BLOCK):
            scaled[start : start + _BLOCK] = (
                rows[start : start + _BLOCK] - self.mean
            ) / self.spread
        return scaled
