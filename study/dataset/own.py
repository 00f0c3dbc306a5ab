"""Your own images in MNIST's format, under a data root: ``--dataset own``.

Their digests are not known beforehand, so every field of their headers and every label is
checked. A study stores the digest of what was read, as for any data.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.dataset import idx, official
from study.errors import StudyError

NAME = "own"
MOST = 1_000_000  # images: 784 MB


def read(root: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a training set whole: (N, 28, 28) images and (N,) labels 0 to 9.

    Args:
        root: the folder of ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, or
            their ``.gz``.

    Raises:
        StudyError: a file that is missing or damaged, or two that do not belong together.
        ResourceError: a file that may not be read.
    """
    with official.one_line(root):
        found = official.find_in(root)
        if not found:
            raise StudyError(f"{root}: training files are missing: put {wanted(root)}")
        images, labels = found
        count = idx.declared(images)
        if not 2 <= count <= MOST:
            raise StudyError(
                f"{images}: number of images is {count:,}: must be from 2 to {MOST:,}"
            )
        return (
            idx.read_array(images, idx.images(count)),
            idx.read_array(labels, idx.labels(count)),
        )


def wanted(root: Path) -> str:
    """Name the two files, for a message."""
    return f"{' and '.join(official.FILES)} (or their .gz) into {root}"
