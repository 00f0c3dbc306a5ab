"""How a confirmation divides the data: what trains, validates and is held out in each split."""

from __future__ import annotations

import numpy as np

from study.dataset import Data, stratified
from study.seeds import generator

FOLDS = 7
"""Parts that the data are divided into.

A seventh of 11,791 images is nearly as many as validate a search, and seven searches of 16 trials
take a minute on two cores. ``nox -s calibrate`` compares other numbers of parts with it."""


def sizes(n: int, n_train: int, *, number: int, folds: int) -> tuple[int, int, int]:
    """How many images train, validate and are held out in a split.

    Args:
        n: Images in all.
        n_train: Of them, how many train in the study itself.
        number: Which split.
        folds: Parts that the images are divided into; 0 for random splits, whose holdout is as
            large as the study's validation set.
    """
    if not folds:
        return 2 * n_train - n, n - n_train, n - n_train
    held_out = _fold_sizes(n, folds)
    n_fit = round((n - max(held_out)) * n_train / n)  # the same in all splits
    n_holdout = held_out[number % folds]
    return n_fit, n - n_holdout - n_fit, n_holdout


def _fold_sizes(n: int, folds: int) -> list[int]:
    return [(n + k) // folds for k in range(folds)]


def split_order(data: Data, *, seed: int, number: int, folds: int) -> np.ndarray:
    """A random order of all images: the first train, then come validation and holdout, (N,).

    Split k holds out part k of the images; after the last part they are divided anew. The
    parts, training and validation images all have the classes' shares. Random splits, which
    confirmations of version 0.1 have, have them for data that the study shuffled by class.

    Args:
        data: The images, in the study's order.
        seed: The confirmation's.
        number: Which split.
        folds: Parts; 0 for random splits.
    """
    n, random = len(data.raw), generator(seed, "splits", number)
    counts = sizes(n, data.n_train, number=number, folds=folds)
    if not folds:
        return (
            random.permutation(n)
            if data.order is None
            else stratified(data.labels, counts, random)
        )
    turn, part = divmod(number, folds)
    held_out = _fold_sizes(n, folds)
    order = stratified(data.labels, held_out, generator(seed, "folds", turn))
    parts = np.split(order, np.cumsum(held_out)[:-1])
    holdout = parts.pop(part)
    rest = np.concatenate(parts)
    inner = stratified(data.labels[rest], counts[:2], random)
    return np.concatenate([rest[inner], holdout])


def divide(data: Data, *, seed: int, number: int, folds: int) -> tuple[Data, Data]:
    """The images to search on, and those that are held out.

    Args: as :func:`split_order`'s.

    Raises:
        StudyError: A class is missing in one of the three parts.
    """
    n_fit, _, n_holdout = sizes(len(data.raw), data.n_train, number=number, folds=folds)
    order = split_order(data, seed=seed, number=number, folds=folds)
    inner = data.taking(order[:-n_holdout], n_fit)
    holdout = data.taking(order[-n_holdout:], 1, like=inner)
    inner.require_classes(f"split {number}")
    holdout.require_both(holdout.labels, f"are the holdout of split {number}")
    return inner, holdout
