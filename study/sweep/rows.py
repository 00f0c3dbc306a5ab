"""What was found of a data set: a row of the sweep's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study import formats
from study.errors import StudyError
from study.sweep.data_sets import DataSet
from study.sweep.differences import Difference

NO_DIFFERENCE = "no clear difference"  # of two models
NO_WINNER = "no clear winner"  # of more
NOT_COUNTED = "not counted"


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
class Origin:
    """What a data set's searches were made from, in words; of several, each once."""

    seed: str = ""
    protocol: str = ""
    data_sha256: str = ""
    versions: str = ""
    machine: str = ""
    date: str = ""  # of the newest trial, in UTC: 2026-11-28


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
    held_out: Mapping[str, float] = field(default_factory=dict)  # each model's error, confirmed
    differences: Sequence[Difference] = ()  # each model with each later one
    origin: Origin = field(default_factory=Origin)
    note: str = ""  # why it is not counted with the others; empty where it is

    @property
    def is_counted(self) -> bool:
        """Whether it is held against the other rows."""
        return not self.note

    @property
    def leader(self) -> str:
        """The model that errs least where it is judged; of several the first."""
        errors = self.held_out or {model: side.errors for model, side in self.sides.items()}
        return min(self.sides, key=errors.__getitem__)

    @property
    def leads(self) -> list[Difference]:
        """Every other model's error less the leader's, in the order of the models."""
        leader = self.leader
        return [each.over(leader) for each in self.differences if leader in (each.more, each.less)]

    @property
    def closest(self) -> Difference:
        """The lead over the model from which the leader is told apart least surely."""
        return max(self.leads, key=lambda lead: lead.p)

    @property
    def winner(self) -> str | None:
        """The model that errs clearly less than every other; None where none does."""
        return self.leader if all(lead.is_clear for lead in self.leads) else None

    @property
    def level(self) -> list[str]:
        """The leader, and the models that do not err clearly more."""
        worse = [lead.more for lead in self.leads if lead.is_clear]
        return [model for model in self.sides if model not in worse]

    @property
    def kind(self) -> str:
        """The winner, or why there is none: the class that the row is counted in."""
        if not self.is_counted:
            return NOT_COUNTED
        return self.winner or (NO_DIFFERENCE if len(self.sides) == 2 else NO_WINNER)

    @property
    def gap(self) -> float:
        """By how much the leader errs less than the closest model, a fraction."""
        return self.closest.mean

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

    rows: Sequence[Row]  # marked, and judged together
    models: tuple[str, ...]  # two or more
    dataset: str = "mnist"  # whose classes the pairs are of
    only_pairs: bool = True  # no data of a person's own
    damaged: Sequence[str] = ()  # the data sets that can't be read, and why, a line each

    @property
    def counted(self) -> list[Row]:
        """The rows that can be held against each other."""
        return [row for row in self.rows if row.is_counted]

    @property
    def is_matrix(self) -> bool:
        """Pairs and two models, as a matrix shows them whole."""
        return self.only_pairs and len(self.models) == 2

    @property
    def noun(self) -> str:
        """What one row is called."""
        return "pair" if self.only_pairs else "data set"
