"""Two classes of images or of a table's rows, their split, and what a model sees of them.

Letters: N images or rows, D columns (of an image: its pixels, of all colours).
"""

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from study.dataset.normalisation import COLUMNS, IMAGE, KINDS, NONE, Scaling, normalise
from study.errors import StudyError
from study.text import did_you_mean

Label = int | str
_MNIST = (28, 28)


@dataclass(frozen=True, eq=False)
class Data:
    """Images, or rows of a table, of two classes, of which the first ``n_train`` train.

    Raises:
        StudyError: if the split leaves nothing to train on, or nothing to validate on.
    """

    dataset: str
    classes: tuple[Label, Label]  # the classes labelled 0 and 1
    raw: NDArray[Any]  # (N, H, W) or (N, H, W, 3) uint8; of a table (N, D) float64
    labels: NDArray[np.uint8]  # (N,), 0 or 1
    n_train: int  # images or rows; the other N - n_train validate
    columns: tuple[str, ...] = ()  # D names, of a table
    normalisation: str = IMAGE  # of each image by itself; or "columns", or "none"
    order: int | None = None  # None: the file's; else the seed of a stratified shuffle
    label: str = ""  # the name of a table's column of labels
    fixed_scaling: Scaling | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_split(self.dataset, self.classes, len(self.raw), self.n_train, self.items)
        if self.normalisation not in KINDS:
            right = did_you_mean(self.normalisation, KINDS, f"must be one of {', '.join(KINDS)}")
            raise StudyError(f"normalisation {self.normalisation!r}: not known: {right}")

    @classmethod
    def select(
        cls,
        dataset: str,
        classes: tuple[Label, Label],
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
                    f"class {name} of {self.dataset}: none of the {len(labels)} {self.items} that "
                    f"{part} is of it: must be one or more: change n_train, the {self.items}' "
                    "order, or add some"
                )

    def taking(self, order: NDArray[np.intp], n_train: int, like: Self | None = None) -> Self:
        """The images at these places, in this order, with a split of their own.

        Args:
            order: Their places, (n,).
            n_train: How many of them train, the first ones.
            like: Normalise columns as these do; by default as their own training part says.
        """
        found = replace(
            self,
            raw=self.raw[order],
            labels=self.labels[order],
            n_train=n_train,
            fixed_scaling=None if like is None else like.scaling,
        )
        if self.normalisation != COLUMNS and "images" in vars(self):
            vars(found)["images"] = self.images[order]  # each by itself: so they are the same
        return found

    @property
    def is_table(self) -> bool:
        """Rows of a table, not images."""
        return self.raw.ndim == 2

    @property
    def items(self) -> str:
        """What they are called, in a message."""
        return "rows" if self.is_table else "images"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, (H, W) or (H, W, 3), or of one row, (D,)."""
        return self.raw.shape[1:]

    @property
    def inputs(self) -> int:
        """D: how many numbers of one image or row a model sees."""
        return math.prod(self.shape)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the raw values followed by the labels.

        Where they are not images of 28 × 28, their shape and the columns' names follow.
        """
        content = hashlib.sha256(np.ascontiguousarray(self.raw).data)
        content.update(np.ascontiguousarray(self.labels).data)
        if self.shape != _MNIST:
            content.update(json.dumps([self.shape, self.columns]).encode())
        return content.hexdigest()

    @cached_property
    def scaling(self) -> Scaling | None:
        """How the columns are normalised; None where they are not."""
        if self.normalisation != COLUMNS:
            return None
        return self.fixed_scaling or Scaling.of(self.raw[: self.n_train])

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """What a model sees of the images or rows: normalised, (N, D) float32."""
        return self.normalised(self.raw)

    def normalised(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """What a model sees of some of the raw images or rows, (n, …) → (n, D) float32."""
        if self.normalisation == NONE:
            return raw.reshape(len(raw), self.inputs).astype(np.float32)
        return self.scaling.apply(raw) if self.scaling else normalise(raw)


def require_split(
    dataset: str, classes: tuple[Label, Label], n: int, n_train: int, items: str
) -> None:
    """Refuse a split that leaves nothing to train on, or nothing to validate on.

    Args:
        dataset: The data's name, for the message.
        classes: The two.
        n: How many images or rows there are.
        n_train: How many are to train.
        items: What they are called.

    Raises:
        StudyError: The message says what can be asked for.
    """
    if not 1 <= n_train < n:
        first, second = classes
        raise StudyError(
            f"n_train {n_train}: {dataset} has {n} {items} of classes {first} and {second}: must "
            f"be from 1 to {n - 1}"
        )


DigitPair = Data  # its name in version 0.1
