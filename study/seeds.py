"""Every random stream of the study, derived from its seed; none is global."""

from typing import Literal, get_args

import numpy as np

Stream = Literal[
    "batches",
    "weights",
    "sampler",
    "replicates",
    "splits",
    "study",
    "order",
    "data set",
    "folds",
]
_KEYS = {stream: key for key, stream in enumerate(get_args(Stream))}  # their order fixes all seeds


def derive(seed: int, stream: Stream, number: int = 0) -> int:
    """A 32-bit seed for one stream and number, independent of all others.

    Args:
        seed: The study's seed, 0 or more.
        stream: What the random numbers are for.
        number: Which of that stream: a trial's number, a generation's index, a split.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(_KEYS[stream], number))
    return int(sequence.generate_state(1)[0])


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """A NumPy generator on that stream; the arguments are :func:`derive`'s."""
    return np.random.default_rng(derive(seed, stream, number))
