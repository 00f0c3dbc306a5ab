"""What a page is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from study.report.rendering import Chart


def with_legend(models: int, wide: float, high: float) -> tuple[float, float]:
    """A chart's size in inches, higher for a longer legend from the third model on."""
    return wide, high + 0.17 * max(0, models - 2)


@dataclass(frozen=True)
class Table:
    """A small table of words; numbers are right-aligned from the second column on."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    sortable: bool = False
    kind: str = ""  # a class of its own, beside that of its section, and its LaTeX file's name


@dataclass(frozen=True)
class TrialRow:
    """One trial, with the learning curves that the page draws where a reader chooses it."""

    cells: Sequence[str]
    study: int  # its place among the studies of the page
    is_best: bool  # of its study
    errors: str  # validation errors, counts, and losses: one a drawn step, "" where there is none
    losses: str


@dataclass(frozen=True)
class TrialTable:
    """Every trial of a page, to sort, to filter and to choose from."""

    summary: str
    note: str
    header: Sequence[str]
    rows: Sequence[TrialRow]
    models: Sequence[str]  # what to filter by
    outcomes: Sequence[str]
    facts: str  # JSON: the drawn steps, n_val, and of each study its target and its colour's place


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page."""

    id: str
    title: str
    text: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    sheets: Sequence[Chart] = ()  # captioned pictures, which the page shows as lists
    trials: TrialTable | None = None
    commands: Sequence[str] = ()
    frames: Sequence[tuple[str, pd.DataFrame]] = ()  # further CSVs, by name
    more: Sequence[Section] = ()  # details, closed until a reader opens them


def with_details(sections: Sequence[Section]) -> Iterator[Section]:
    """All sections, each before its details."""
    for section in sections:
        yield section
        yield from with_details(section.more)
