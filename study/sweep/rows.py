"""What was found of a data set: a row of the sweep's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study import formats
from study.errors import StudyError
from study.sweep.data_sets import DataSet


@dataclass(frozen=True)
class Side:
    """One model's search on a data set."""

    errors: int  # the lowest that it saw, of the n_val images or rows
    complete: int  # trials that were trained to the end
    trials: int  # all of them, pruned ones too
    target_met: bool = False
    sha256: str = ""  # of the trials' digests, as the report's summary.json has it
    settings: Mapping[str, object] = field(default_factory=dict)  # of the manifest, a name each


@dataclass(frozen=True)
class Row:
    """One data set."""

    data: DataSet
    sides: Mapping[str, Side]  # by model, in the order of the sweep
    n_val: int  # images or rows that validate
    n_train: int = 0
    columns: int = 0  # that a model sees; of an image its pixels
    classes: tuple[int | str, ...] = ()  # the two
    comparison: Mapping[str, Any] | None = None  # as the report's summary.json has it
    verdict: str = ""  # its headline; empty where it is not confirmed
    note: str = ""  # why it is not counted with the others; empty where it is

    @property
    def leaders(self) -> list[str]:
        """The models with the fewest errors."""
        fewest = min(side.errors for side in self.sides.values())
        return [model for model, side in self.sides.items() if side.errors == fewest]

    @property
    def winner(self) -> str:
        """The model with the fewest errors, or ``tie``."""
        return self.leaders[0] if len(self.leaders) == 1 else "tie"

    @property
    def gap(self) -> float:
        """By how much the winner errs less than the next model, a fraction; 0 of a tie."""
        first, second = sorted(side.errors for side in self.sides.values())[:2]
        return (second - first) / self.n_val

    @property
    def target_met(self) -> bool:
        """By all models."""
        return all(side.target_met for side in self.sides.values())

    def error(self, model: str) -> str:
        """A model's lowest error: ``2.40 % (43 of 1,791)``."""
        return formats.error(self.sides[model].errors, self.n_val)

    def __str__(self) -> str:
        errors = ", ".join(f"{model} {self.error(model)}" for model in self.sides)
        more = "".join(f"; {text}" for text in (self.verdict, self.note) if text)
        return f"{self.data.name}: {errors}{more}"


Found = dict[DataSet, Row | StudyError]
"""The data sets that all models were searched on: what was found, or why it can't be read."""


@dataclass(frozen=True)
class Content:
    """All that the page and the table show."""

    rows: Sequence[Row]  # marked
    models: tuple[str, ...]  # two or more
    dataset: str = "mnist"  # whose classes the pairs are of
    only_pairs: bool = True  # no data of a person's own
    damaged: Sequence[str] = ()  # the data sets that can't be read, and why, a line each

    @property
    def is_matrix(self) -> bool:
        """Pairs and two models, as a matrix shows them whole."""
        return self.only_pairs and len(self.models) == 2

    @property
    def noun(self) -> str:
        """What one row is called."""
        return "pair" if self.only_pairs else "data set"
