"""torchvision's own readers and downloaders, narrowed to the two training files.

Imported only when a data root is read, since it takes torch and torchvision with it.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torchvision import datasets  # type: ignore[import-untyped]


class TrainingFiles:
    """What the three have in common: the files lie in the root itself.

    torchvision's older cache, ``processed/training.pt`` with its ``test.pt``, is passed
    over: it holds the test set, and no digest vouches for it.
    """

    root: str

    @property
    def raw_folder(self) -> str:
        """Where the files are read from and downloaded to."""
        return self.root

    def _check_legacy_exist(self) -> bool:
        return False


class MNIST(TrainingFiles, datasets.MNIST):  # type: ignore[misc]
    """MNIST's training set."""

    resources = datasets.MNIST.resources[:2]


class FashionMNIST(TrainingFiles, datasets.FashionMNIST):  # type: ignore[misc]
    """Fashion-MNIST's training set."""

    resources = datasets.FashionMNIST.resources[:2]


class KMNIST(TrainingFiles, datasets.KMNIST):  # type: ignore[misc]
    """Kuzushiji-MNIST's training set."""

    resources = datasets.KMNIST.resources[:2]


READERS = {reader.__name__: reader for reader in (MNIST, FashionMNIST, KMNIST)}


def read(name: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the (60000, 28, 28) images and (60000,) labels that lie unpacked in a folder."""
    files = READERS[name](folder)
    return files.data.numpy(), files.targets.numpy().astype(np.uint8)


def download(name: str, folder: Path) -> None:
    """Download the two training files to a folder, and unpack them there."""
    READERS[name](folder, download=True)
