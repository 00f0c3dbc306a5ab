"""The two classes: which images or rows, in which order, with which labels and split.

Begin with :func:`load`. The default pair, the 4s and 9s of MNIST's training set, is inside the
package (:mod:`study.dataset.bundle`). Any other pair is read from the official training files
(:mod:`study.dataset.official`), from files of your own in their format
(:mod:`study.dataset.own`), or from your own table or folder of images
(:mod:`study.dataset.files`). Test sets are neither opened nor downloaded.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.dataset import arrays, bundle, files, official, own
from study.dataset.bundle import make_bundle
from study.dataset.files import Choice, Order, name_of, select
from study.dataset.normalisation import IMAGE, normalise
from study.dataset.official import DATASETS
from study.dataset.pair import Data, DigitPair, Label
from study.dataset.split import shuffled, stratified
from study.dataset.telling import summary, warn
from study.errors import StudyError
from study.text import did_you_mean

__all__ = [
    "DATASETS",
    "Choice",
    "Data",
    "DigitPair",
    "Label",
    "Order",
    "check_request",
    "in_order",
    "is_official",
    "load",
    "make_bundle",
    "name_of",
    "normalise",
    "option",
    "read",
    "select",
    "stratified",
    "summary",
    "warn",
]


def load(
    dataset: str = "mnist",
    classes: tuple[Label, Label] | None = None,
    *,
    data_root: Path | None = None,
    n_train: int | None = None,
    X: Any = None,  # noqa: ANN401 (all that NumPy takes)
    y: Any = None,  # noqa: ANN401
    columns: Sequence[str] = (),
    data: Path | str | None = None,
    label: str = "",
    normalisation: str | None = None,
    order: Order | None = None,
) -> Data:
    """Return the images of two classes, in the order of the official training file.

    With ``X`` and ``y``, or with ``data``, return your own images or rows instead. What may be
    a mistake in them is logged as a warning.

    Args:
        dataset: one of :data:`DATASETS`, or ``own``: your own files in the same format.
        classes: the class labelled 0 and the class labelled 1, each from 0 to 9; by default 4
            and 9. Of your own data any two labels; by default the two that there are, the
            smaller first.
        data_root: a torchvision data root (``DIR/MNIST/raw/…``), or a folder in which the
            training files lie directly. Missing files are downloaded to it.
            None: the bundled pair, without torchvision, network or other files.
            For ``own`` data, the folder in which the two training files lie.
        n_train: how many images or rows train, the first ones; the rest validate. By default
            10,000; of your own data 85 %.
        X: (N, D) numbers of a table, or (N, H, W) or (N, H, W, 3) images of whole numbers from
            0 to 255.
        y: (N,) labels, whole numbers or text.
        columns: the D names of a table's columns; a data frame brings its own.
        data: a ``.npz``, ``.csv`` or ``.parquet`` file, or a folder ``DIR/class/*.png``.
        label: the column of a file that has the labels; by default the last.
        normalisation: ``image``: each image by itself; ``columns``: each column by the mean and
            the standard deviation of the training part; ``none``. By default ``columns`` for a
            table, else ``image``.
        order: ``file``: as it is; or the seed of a shuffle that gives both parts the same shares
            of the classes. By default ``file``; of your own data 0.

    Raises:
        StudyError: a class pair, split, file or download that can't be used.
        ResourceError: a file that may not be read or written, or a full disk.
    """
    if X is None and data is None:
        return _official(
            dataset, classes, data_root, n_train=n_train, normalisation=normalisation, order=order
        )
    if data is None:
        rows, name = arrays.rows_of(X, y, columns), "X and y"
    else:
        rows, name = files.read(Path(data), label), name_of(Path(data))
    chosen, where = select(rows, Choice.of(rows, classes, n_train, normalisation, order), name)
    warn(chosen, where)
    return chosen


def _official(
    dataset: str,
    classes: tuple[Label, Label] | None,
    data_root: Path | None,
    *,
    n_train: int | None,
    normalisation: str | None,
    order: Order | None,
) -> Data:
    first, second = bundle.CLASSES if classes is None else classes
    check_request(dataset, (first, second), bundled=data_root is None)
    found, digits = read(dataset, data_root), (int(first), int(second))  # also of NumPy or a float
    pair = Data.select(dataset, digits, *found, 10_000 if n_train is None else n_train)
    return in_order(pair, normalisation or IMAGE, None if order == "file" else order)


def in_order(pair: Data, normalisation: str, order: int | None) -> Data:
    """The pair, which is in file order, with this normalisation and order.

    Args:
        pair: All images of two classes, in file order.
        normalisation: ``image``, ``columns`` or ``none``.
        order: None for the file's, else the seed of a stratified shuffle.
    """
    if order is not None:
        pair = pair.taking(shuffled(pair.labels, pair.n_train, order), pair.n_train)
    return replace(pair, normalisation=normalisation, order=order)


def read(dataset: str, data_root: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images and labels of all classes: see :func:`load`."""
    if data_root is None:
        return bundle.read()
    if dataset == own.NAME:
        return own.read(Path(data_root))
    return official.read(dataset, Path(data_root))


def is_official(dataset: str) -> bool:
    """Whether a data set is in the official training files' format, not a table or folder."""
    return dataset in (*DATASETS, own.NAME)


def option(dataset: str) -> str:
    """The command-line option that says where a data set lies."""
    return "--data-root" if is_official(dataset) else "--data"


def check_request(dataset: str, classes: tuple[Label, Label], *, bundled: bool) -> None:
    """Refuse a request that no file can meet, before any file is opened.

    Raises:
        StudyError: The message says what can be asked for.
    """
    if not is_official(dataset):
        known = (*DATASETS, own.NAME)
        right = did_you_mean(dataset, known, f"must be one of {', '.join(known)}")
        raise StudyError(f"dataset {dataset!r}: not known: {right}")
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
