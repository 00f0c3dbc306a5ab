"""The data and the training of a trial, the same for both models.

The defaults are the course notebook's. A study stores these settings.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Protocol:
    """The data and the training of every trial, for both models alike."""

    dataset: str = "mnist"
    classes: tuple[int, int] = (4, 9)  # labels 0 and 1
    n_train: int = 10_000  # the first images train, the rest validate
    steps: int = 5_000  # SGD updates
    batch_size: int = 100  # images a step, drawn without replacement
    val_every: int = 50  # steps from one validation to the next

    @property
    def validation_steps(self) -> range:
        """The steps after whose update the model is validated: 0, val_every, 2 val_every, …."""
        return range(0, self.steps, self.val_every)


@lru_cache
def report_steps(protocol: Protocol, count: int = 10) -> tuple[int, ...]:
    """About ten validated steps on a log scale, the first and last included, for dashboards."""
    validations = len(protocol.validation_steps)
    rows = np.unique(np.geomspace(1, validations, count).round().astype(int)) - 1
    return tuple(protocol.validation_steps[row] for row in rows)
