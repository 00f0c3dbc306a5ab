"""The two classes: which images, in which order, with which labels and split.

Begin with :func:`load`. The default pair, the 4s and 9s of MNIST's training set, is inside the
package (:mod:`study.dataset.bundle`). Any other pair is read from the official training files
(:mod:`study.dataset.official`), or from your own files in their format
(:mod:`study.dataset.own`). Test sets are neither opened nor downloaded.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.dataset import bundle, official, own
from study.dataset.bundle import make_bundle
from study.dataset.normalisation import normalise
from study.dataset.official import DATASETS
from study.dataset.pair import Data, DigitPair, Label
from study.errors import StudyError

__all__ = [
    "DATASETS",
    "Data",
    "DigitPair",
    "Label",
    "check_request",
    "load",
    "make_bundle",
    "normalise",
    "read",
]


def load(
    dataset: str = "mnist",
    classes: tuple[Label, Label] = (4, 9),
    *,
    data_root: Path | None = None,
    n_train: int = 10_000,
) -> Data:
    """Return the images of two classes, in the order of the official training file.

    Args:
        dataset: one of :data:`DATASETS`, or ``own``: your own files in the same format.
        classes: the class labelled 0 and the class labelled 1, each from 0 to 9.
        data_root: a torchvision data root (``DIR/MNIST/raw/…``), or a folder in which the
            training files lie directly. Missing files are downloaded to it.
            None: the bundled pair, without torchvision, network or other files.
            For ``own`` data, the folder in which the two training files lie.
        n_train: how many images train, the first ones; the rest validate.

    Raises:
        StudyError: a class pair, split, file or download that can't be used.
        ResourceError: a file that may not be read or written, or a full disk.
    """
    check_request(dataset, classes, bundled=data_root is None)
    return Data.select(dataset, classes, *read(dataset, data_root), n_train)


def read(dataset: str, data_root: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images and labels of all classes: see :func:`load`."""
    if data_root is None:
        return bundle.read()
    if dataset == own.NAME:
        return own.read(Path(data_root))
    return official.read(dataset, Path(data_root))


def check_request(dataset: str, classes: tuple[Label, Label], *, bundled: bool) -> None:
    """Refuse a request that no file can meet, before any file is opened.

    Raises:
        StudyError: The message says what can be asked for.
    """
    known = (*DATASETS, own.NAME)
    if dataset not in known:
        raise StudyError(f"dataset {dataset!r}: not known: must be one of {', '.join(known)}")
    first, second = classes
    named = f"classes {first} and {second} of {dataset}"
    if not {first, second} <= set(range(10)):
        raise StudyError(f"{named}: no such classes: must be two of 0 to 9")
    if first == second:
        raise StudyError(f"{named}: the same class twice: must be two different ones of 0 to 9")
    if bundled and dataset == own.NAME:
        raise StudyError(
            f"{named}: no folder is named: pass --data-root DIR and put {own.wanted(Path('DIR'))}"
        )
    if bundled and (dataset, {first, second}) != (bundle.DATASET, set(bundle.CLASSES)):
        raise StudyError(
            f"{named}: not in the package, which has {bundle.DATASET} 4 and 9: "
            "pass --data-root DIR, for a download or after putting "
            f"{official.wanted(dataset, Path('DIR'))}"
        )
