"""What is searched on a data set: a plan a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from study.options import OwnData, require_batch
from study.sweep.data_sets import DataSet
from study.training.plan import Plan


@dataclass(frozen=True)
class Plans:
    """The plans of all data sets, a model each, as far as they do not depend on the data."""

    of_pairs: Sequence[Plan]  # each pair has its own classes instead
    of_own: Sequence[Plan]  # a person's own data has its own protocol instead, and no target
    own: OwnData

    @property
    def models(self) -> tuple[str, ...]:
        """The models' names."""
        return tuple(plan.model for plan in self.of_pairs)

    @property
    def dataset(self) -> str:
        """Whose classes the pairs are of."""
        return self.of_pairs[0].protocol.dataset

    def of(self, data: DataSet) -> tuple[list[Plan], str]:
        """The plans of a data set, and what to tell of a person's own.

        Raises:
            StudyError: A person's own data can't be used.
            ResourceError: It can't be read.
        """
        if data.pair:
            protocol = replace(self.of_pairs[0].protocol, classes=data.pair)
            return [replace(plan, protocol=protocol) for plan in self.of_pairs], ""
        assert data.root is not None
        protocol, words = self.own.protocol(data.root)
        require_batch(protocol)
        return [replace(plan, protocol=protocol) for plan in self.of_own], words
