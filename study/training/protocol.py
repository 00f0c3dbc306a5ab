"""The data and the training of a trial, the same for both models.

The defaults are the course notebook's. A study stores these settings.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from study.dataset import Data

_LATER = ("normalisation", "order", "label")  # fields that version 0.1 did not have


@dataclass(frozen=True)
class Protocol:
    """The data and the training of every trial, for both models alike."""

    dataset: str = "mnist"
    classes: tuple[int | str, int | str] = (4, 9)  # labels 0 and 1
    n_train: int = 10_000  # the first images or rows train, the rest validate
    steps: int = 5_000  # SGD updates
    batch_size: int = 100  # images a step, drawn without replacement
    val_every: int = 50  # steps from one validation to the next
    normalisation: str = "image"  # of each image by itself; or "columns", or "none"
    order: int | None = None  # None: the file's; else the seed of a stratified shuffle
    label: str = ""  # the name of a table's column of labels

    @classmethod
    def of(cls, data: Data, **training: int) -> "Protocol":
        """The settings for this data: batches of 100, or of a tenth of the training rows.

        Args:
            data: Images or rows with their split, normalisation and order.
            training: ``steps``, ``batch_size`` and ``val_every`` other than the defaults.
        """
        batch_size = min(cls.batch_size, max(1, data.n_train // 10))
        return cls(
            data.dataset,
            data.classes,
            data.n_train,
            normalisation=data.normalisation,
            order=data.order,
            label=data.label,
            **{"batch_size": batch_size} | training,
        )

    def to_manifest(self) -> dict[str, Any]:
        """The settings as a study stores them.

        Fields that version 0.1 did not have are left out while they have their default, so that
        its studies and today's default ones have the same manifest.
        """
        default = Protocol()
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in _LATER or value != getattr(default, name)
        }

    @classmethod
    def from_manifest(cls, stored: Mapping[str, Any]) -> "Protocol":
        """The settings that a study stored.

        Raises:
            TypeError, ValueError, KeyError: They are none.
        """
        first, second = stored["classes"]
        return cls(**{**stored, "classes": (first, second)})

    @property
    def items(self) -> str:
        """What a sentence calls the data: ``images``, or ``rows`` where none is one by itself."""
        return "images" if self.normalisation == "image" else "rows"

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
