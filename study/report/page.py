"""Sections to HTML: one document that needs no network, and no script to be read."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from markupsafe import Markup
from PIL import Image

from study.report import headline, pictures
from study.report.content import Section, Table
from study.report.drawn import Drawn
from study.report.figures.images import SHOWN
from study.report.record import Record
from study.report.rendering import Chart
from study.report.template import csp_hash, script_of, source_of, template

NARROW = 10  # letters
WIDE = 56  # of a picture's longer side, in pixels of the page
ROWS = 100  # of a figure's numbers on the page; the CSV has all
MANY = 24  # figures, from which on a page is long: it has fewer rows, and shorter figures
FEWER_ROWS = 25
SCRIPTS = ("theme.js", "tables.js")


@dataclass(frozen=True)
class Picture:
    """One small image with a few words."""

    src: str  # a data URI
    alt: str
    lines: Sequence[str]
    size: tuple[int, int]  # wide and high, in pixels of the page


@dataclass(frozen=True)
class Group:
    """Captioned pictures under a heading."""

    title: str
    pictures: Sequence[Picture]
    note: str
    is_narrow: bool  # its words take no more room than its pictures


def charts_of(sections: Sequence[Section]) -> list[Chart]:
    """All figures of a page."""
    return [chart for section in sections for chart in section.charts]


def svg_kind(sections: Sequence[Section]) -> str:
    """Of the figures on a page, one of ``rendering.SAVED``."""
    return "short_svg" if len(charts_of(sections)) > MANY else "svg"


def to_html(record: Record, sections: Sequence[Section], drawn: Drawn) -> str:
    """The whole page, whose style and script are the only ones that it allows to be applied.

    To be called under ``rendering.theme``.
    """
    own = {"css": source_of("page.css"), "js": script_of(*SCRIPTS)}
    if len(record.searches) > 2:
        own["css"] += source_of("many.css")
    first, *others = sections
    charts, kind = charts_of(sections), svg_kind(sections)
    rows = FEWER_ROWS if len(charts) > MANY else ROWS
    helpers = {"numbers": partial(numbers, rows=rows), "groups": groups, "rows": rows}
    return template("page.html.j2", **helpers).render(
        title=headline.answer(record),
        first=first,
        sections=others,
        src={chart.name: _uri(drawn, chart, kind) for chart in charts},
        narrow={c.name: _uri(drawn, c, kind, c.narrow) for c in charts if c.narrow},
        own={name: Markup(text) for name, text in own.items()},
        digests={name: csp_hash(text) for name, text in own.items()},
    )


def _uri(drawn: Drawn, chart: Chart, kind: str, size: tuple[float, float] | None = None) -> str:
    [svg] = drawn.files(chart, kind, size=size)
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def numbers(chart: Chart, rows: int = ROWS) -> Table:
    """The first rows of what a figure shows, as words."""
    frame = chart.frame.head(rows)
    cells = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return Table("", [name.replace("_", " ") for name in frame.columns], cells, sortable=True)


def _cell(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def groups(sheet: Chart) -> Iterator[Group]:
    """The pictures of a sheet (see ``tables.images``), of each group the first ``SHOWN``."""
    for title, frame in sheet.frame.groupby("group", sort=False):
        left = len(frame) - SHOWN
        note = f"The first {SHOWN}; all are in tables/{sheet.name}.csv." if left > 0 else ""
        shown = [
            _picture(str(row["pixels"]), str(row["alt"]), str(row["label"]))
            for row in frame.head(SHOWN).to_dict("records")
        ]
        widest = max(len(line) for picture in shown for line in picture.lines)
        yield Group(str(title), shown, note, is_narrow=widest <= NARROW)


def _picture(text: str, alt: str, label: str) -> Picture:
    """The picture of a text of ``study.report.pictures``, with its words."""
    image, buffer = pictures.shown(text), io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    src = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    high, wide = (max(1, round(WIDE * side / max(image.shape[:2]))) for side in image.shape[:2])
    return Picture(src, alt, label.split("; "), (wide, high))
