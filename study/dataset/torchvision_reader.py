"""torchvision's readers and downloaders, limited to the two training files.

This module imports torch and torchvision: import it only where a data root is read.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torchvision import datasets  # type: ignore[import-untyped]


class TrainingFiles:
    """What is changed in torchvision's classes: the files lie in the root itself.

    torchvision's older cache, ``processed/training.pt`` with its ``test.pt``, is ignored: it
    holds the test set, and its digest is not known.
    """

    root: str
    raw_folder = property(lambda self: self.root)

    def _check_legacy_exist(self) -> bool:
        return False


def _reader(original: type) -> type:
    training = {"resources": original.resources[:2]}  # type: ignore[attr-defined]
    return type(original.__name__, (TrainingFiles, original), training)


READERS = {
    original.__name__: _reader(original)
    for original in (datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST)
}


def read(name: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the (60000, 28, 28) images and (60000,) labels that lie unpacked in a folder."""
    files = READERS[name](folder)
    return files.data.numpy(), files.targets.numpy().astype(np.uint8)


def download(name: str, folder: Path) -> None:
    """Download the two training files to a folder, and unpack them there."""
    READERS[name](folder, download=True)
