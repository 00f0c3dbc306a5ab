"""What a page is made of."""

from __future__ import annotations

from collections.abc import Sequence
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
    kind: str = ""  # a class of its own, beside that of its section


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page."""

    id: str
    title: str
    text: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    sheets: Sequence[Chart] = ()  # captioned pictures, which the page shows as lists
    commands: Sequence[str] = ()
    frames: Sequence[tuple[str, pd.DataFrame]] = ()  # further CSVs, by name
