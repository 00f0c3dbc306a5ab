"""Which rows train and which validate: how many, and in which order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.errors import StudyError
from study.seeds import generator

TRAIN_SHARE = 0.85  # of the images or rows of one's own


def default_n_train(n: int) -> int:
    """How many of n rows train: 85 %; one of each class can validate."""
    return max(1, min(round(TRAIN_SHARE * n), n - 2))


def shuffled(labels: NDArray[np.uint8], n_train: int, seed: int) -> NDArray[np.intp]:
    """A random order of all rows, (N,), whose first ``n_train`` have the classes' shares.

    Raises:
        StudyError: The seed is no number from 0 on.
    """
    if not isinstance(seed, int) or seed < 0:
        raise StudyError(f"order {seed!r}: must be 'file', or a seed: a whole number from 0 on")
    return stratified(labels, (n_train, len(labels) - n_train), generator(seed, "order"))


def stratified(
    labels: NDArray[np.uint8], sizes: Sequence[int], random: np.random.Generator
) -> NDArray[np.intp]:
    """A random order of all rows whose parts, one after another, have the classes' shares.

    A part with two or more rows has both classes, where there are enough of them.

    Args:
        labels: (N,) 0 or 1.
        sizes: How many rows each part has; N together.
        random: Draws the order.

    Returns:
        The rows' places, (N,).
    """
    pools = [random.permutation(np.flatnonzero(labels == label)) for label in (0, 1)]
    parts = []
    for later, size in zip(range(len(sizes) - 1, -1, -1), sizes, strict=True):
        zeros, ones = (len(pool) for pool in pools)
        take = round(size * ones / max(zeros + ones, 1))  # ones
        low, high = max(0, size - zeros), min(size, ones)  # there are no more of either
        least, most = max(1, size - zeros + later), min(size - 1, ones - later)  # one for each
        take = min(max(take, least), most) if low <= least <= most <= high else take
        take = min(max(take, low), high)
        chosen = np.concatenate([pools[0][: size - take], pools[1][:take]])
        parts.append(random.permutation(chosen))
        pools = [pools[0][size - take :], pools[1][take:]]
    return np.concatenate(parts)
