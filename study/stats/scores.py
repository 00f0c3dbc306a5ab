"""How good probabilities of two classes are, whatever threshold turns them into answers."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def roc_auc(second: ArrayLike, p: ArrayLike) -> float:
    """The area under the ROC curve.

    The probability that an image of the second class has a higher ``p`` than one of the first,
    where a tie counts half: the Mann-Whitney U statistic over its largest value (Hanley and
    McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    Args:
        second: Which images are of the second class, (N,) booleans.
        p: The probability that a model gives to the second class, (N,).

    Raises:
        ValueError: All images are of one class.
    """
    of_second = np.asarray(second, bool)
    n = int(of_second.sum())
    if n in (0, len(of_second)):
        raise ValueError("images of one class: both must be there")
    ranks = rankdata(np.asarray(p, float))[of_second].sum() - n * (n + 1) / 2
    return float(ranks / (n * (len(of_second) - n)))


def brier(second: ArrayLike, p: ArrayLike) -> float:
    """The mean squared distance of the probabilities from 1 or 0, whichever is right.

    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Args:
        second: Which images are of the second class, (N,) booleans.
        p: The probability that a model gives to the second class, (N,).
    """
    return float(np.mean((np.asarray(p, float) - np.asarray(second, bool)) ** 2))
