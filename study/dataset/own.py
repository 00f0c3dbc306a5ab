"""A person's own images in MNIST's format, under a data root: ``--dataset own``.

Nobody knows their digests, so every field of their headers and every label is checked, and
the digest of what was read is stored with a study, as that of any data is.
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
        images, labels = _find(root)
        count = idx.declared(images)
        if not 2 <= count <= MOST:
            raise StudyError(
                f"{images}: number of images is {count:,}: must be from 2 to {MOST:,}"
            )
        layouts = {images: idx.images(count), labels: idx.labels(count)}
        first, second = (
            idx.values(idx.read(path, layout), layout) for path, layout in layouts.items()
        )
        return first, second


def wanted(root: Path) -> str:
    """Name the two files, for a message."""
    return f"{' and '.join(official.FILES)} (or their .gz) into {root}"


def _find(root: Path) -> tuple[Path, Path]:
    if found := official.find_in(root):
        return found[0], found[1]
    raise StudyError(f"{root}: training files are missing: put {wanted(root)}")
