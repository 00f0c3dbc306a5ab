"""The mini-batches of a training, drawn from the study's seed."""

import numpy as np
import torch
from torch import Tensor

from study.caching import cached_once
from study.seeds import generator
from study.training.known_state import known_state
from study.training.protocol import Protocol


@cached_once(maxsize=4)
def draw_batches(protocol: Protocol, *, seed: int) -> Tensor:
    """The training images of every step, (steps, batch_size), each row without repeats.

    Args:
        protocol: Gives the number of steps, of images a step, and of training images.
        seed: The study's; all members of a cohort and both models see the same batches.
    """
    random = generator(seed, "batches")
    rows = [
        random.choice(protocol.n_train, protocol.batch_size, replace=False, shuffle=False)
        for _ in range(protocol.steps)
    ]
    with known_state():
        return torch.from_numpy(np.stack(rows))
