"""Sections to HTML: one document that needs no network and no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from study.report import drawing, words
from study.report.drawing import Chart
from study.report.parts import Section, Table
from study.report.record import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = 150  # of a figure's numbers on the page; the CSV has all


@dataclass(frozen=True, eq=False)
class Drawn:
    """The sections with their figures, by the charts' names."""

    sections: list[Section]
    figures: dict[str, Figure]
    narrow: dict[str, Figure]  # for telephones, of the charts that have another size there

    def wide(self) -> Iterator[tuple[str, Figure]]:
        """Each figure that is saved to a file, with its name."""
        yield from self.figures.items()


def draw(sections: list[Section]) -> Drawn:
    """Draw every chart, under ``drawing.theme``."""
    charts = [chart for section in sections for chart in section.charts]
    return Drawn(
        sections,
        {chart.name: drawing.figure(chart) for chart in charts},
        {chart.name: drawing.figure(chart, chart.narrow) for chart in charts if chart.narrow},
    )


def to_html(record: Record, drawn: Drawn) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("study.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(numbers=numbers, rows=ROWS)
    first, *others = drawn.sections
    return environment.get_template("page.html.j2").render(
        title=words.answer(record),
        first=first,
        sections=others,
        src={name: _uri(figure) for name, figure in drawn.figures.items()},
        narrow={name: _uri(figure) for name, figure in drawn.narrow.items()},
    )


def _uri(figure: Figure) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.svg(figure).encode()).decode()


def numbers(chart: Chart) -> Table:
    """The first rows of what a figure shows, as words."""
    frame = chart.frame.head(ROWS)
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return Table("", [name.replace("_", " ") for name in frame.columns], rows)


def _cell(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
