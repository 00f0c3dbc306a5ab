"""Two classes of images, their split, and their normalisation.

Letters: N images, D = 784 pixels.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from study.errors import StudyError

_BLOCK = 256  # images normalised at a time: 1.6 MB of float64, which stays in a core's cache


@dataclass(frozen=True, eq=False)
class DigitPair:
    """The images of two classes, in file order, of which the first ``n_train`` train.

    Raises:
        StudyError: if the split leaves no image to train on, or none to validate on.
    """

    dataset: str
    classes: tuple[int, int]  # the classes labelled 0 and 1
    raw: NDArray[np.uint8]  # (N, 28, 28)
    labels: NDArray[np.uint8]  # (N,), 0 or 1
    n_train: int  # images; the other N - n_train validate

    def __post_init__(self) -> None:
        if not 1 <= self.n_train < len(self.raw):
            raise StudyError(
                f"n_train {self.n_train}: {self.dataset} has {len(self.raw)} images of classes "
                f"{self.classes[0]} and {self.classes[1]}: must be from 1 to {len(self.raw) - 1}"
            )

    @classmethod
    def select(
        cls,
        dataset: str,
        classes: tuple[int, int],
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        n_train: int,
    ) -> Self:
        """Keep two classes of a whole training set: (M, 28, 28) images, (M,) labels 0 to 9.

        Raises:
            StudyError: The split leaves a part without images, or without those of a class.
        """
        kept = np.isin(labels, classes)
        second = (labels[kept] == classes[1]).astype(np.uint8)
        pair = cls(dataset, classes, images[kept], second, n_train)
        pair.require_classes()
        return pair

    def require_classes(self, split: str = "") -> None:
        """Refuse a pair that lacks a class where it trains or where it validates.

        Args:
            split: What the images are drawn for, such as ``split 3``; by default a search.

        Raises:
            StudyError: The message names the class and the part.
        """
        of = split and f" in {split}"
        self.require_both(self.labels[: self.n_train], f"train{of}")
        self.require_both(self.labels[self.n_train :], f"validate{of}")

    def require_both(self, labels: NDArray[np.uint8], part: str) -> None:
        """Refuse labels, some of the pair's, that are all the same.

        Raises:
            StudyError: The message names the class that is missing and the ``part``.
        """
        for label, name in enumerate(self.classes):
            if label not in labels:
                raise StudyError(
                    f"class {name} of {self.dataset}: none of the {len(labels)} images that "
                    f"{part} is of it: must be one or more: change n_train, the images' order, "
                    "or add some"
                )

    def taking(self, order: NDArray[np.intp], n_train: int) -> Self:
        """The images at these places, in this order, with a split of their own."""
        return replace(self, raw=self.raw[order], labels=self.labels[order], n_train=n_train)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the raw pixels followed by the labels."""
        return hashlib.sha256(self.raw.tobytes() + self.labels.tobytes()).hexdigest()

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """The normalised images, (N, D) float32."""
        return normalise(self.raw)


def normalise(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Centre and scale each image by its own mean and population standard deviation.

    With D pixels x, their sum S and their sum of squares Q, all of them integers,

        (x - mean) / std  =  (D·x - S) / √(D·Q - S²),

    whose integers are exact in float64: only the root, the division and the final float32
    round. Equals ``(x - x.mean(1)) / x.std(1)``, and a constant image becomes zeros.

    Args:
        raw: (N, 28, 28) uint8, or any (N, …).

    Returns:
        (N, D) float32.
    """
    d = math.prod(raw.shape[1:])
    pixels = raw.reshape(len(raw), d)  # (N, D), N = 0 too
    normalised = np.empty(pixels.shape, np.float32)
    for start in range(0, len(pixels), _BLOCK):
        x = pixels[start : start + _BLOCK].astype(np.float64)
        s = x.sum(1, keepdims=True)
        q = (x * x).sum(1, keepdims=True)
        root = np.sqrt(d * q - s * s)
        root[root == 0] = 1  # a constant image: its numerators are 0 already
        normalised[start : start + _BLOCK] = (d * x - s) / root
    return normalised
