"""Sections to HTML: one document that needs no network, and no script to be read."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup
from PIL import Image

from study.report import pictures, sharing
from study.report.content import Section, Table, with_details
from study.report.drawn import Drawn
from study.report.figures.images import SHOWN
from study.report.record import Record
from study.report.rendering import Chart
from study.report.template import csp_hash, script_of, style_of, template

NARROW = 10  # letters
WIDE = 56  # of a picture's longer side, in pixels of the page
ROWS = 100  # of a figure's numbers on the page; the CSV has all
MANY = 24  # figures, from which on a page is long and has fewer rows
FEWER_ROWS = 25
SHEETS = ("figures.css", "page.css", "trials.css")
SCRIPTS = ("theme.js", "tables.js", "figures.js", "trials.js", "contents.js")
FIRST = 8  # pictures of a group that are seen at once; the others are details


@dataclass(frozen=True)
class Picture:
    """One small image with a few words."""

    src: str  # a data URI
    alt: str
    lines: Sequence[str]  # below it
    size: tuple[int, int]  # wide and high, in pixels of the page
    is_ink: bool  # black on white, as digits are


@dataclass(frozen=True)
class Group:
    """Captioned pictures under a heading."""

    title: str
    pictures: Sequence[Picture]  # the first ones
    others: Sequence[Picture]
    left: int  # how many others there are, shown or not
    note: str
    is_narrow: bool  # its words take no more room than its pictures


def charts_of(sections: Sequence[Section]) -> list[Chart]:
    """All figures of a page."""
    return [chart for section in with_details(sections) for chart in section.charts]


def to_html(
    record: Record, sections: Sequence[Section], drawn: Drawn, files: Sequence[str] = ()
) -> str:
    """The whole page, whose style and script are the only ones that it allows to be applied.

    To be called under ``rendering.theme``. ``files`` are those that are written beside the page,
    which links to them.
    """
    many = ("many.css",) if len(record.searches) > 2 else ()
    own = {"css": style_of(*SHEETS, *many), "js": script_of(*SCRIPTS)}
    first, *others = sections
    rows = FEWER_ROWS if len(charts_of(sections)) > MANY else ROWS
    helpers = {
        "numbers": partial(numbers, rows=rows),
        "groups": groups,
        "rows": rows,
        "inline": partial(_inline, drawn),
        "links": partial(links, files),
    }
    return template("page.html.j2", **helpers).render(
        title=sharing.title(record),
        description=sharing.description(record),
        first=first,
        sections=others,
        own={name: Markup(text) for name, text in own.items()},
        digests={name: csp_hash(text) for name, text in own.items()},
    )


def links(files: Sequence[str], name: str = "") -> list[tuple[str, str]]:
    """What the page calls each file and where it lies: of a figure, or of the whole report."""
    if not name:
        return [(file, quote(file)) for file in files]
    own = [path for path in map(PurePosixPath, files) if path.stem == name]
    return [(path.suffix[1:].upper(), quote(str(path))) for path in own]


def _inline(drawn: Drawn, chart: Chart, size: tuple[float, float] | None = None) -> Markup:
    """What stands between a chart's ``<svg>`` and its end."""
    [shapes] = drawn.files(chart, "inline", size=size)
    return Markup(shapes.decode())


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
        first, others = shown[:FIRST], shown[FIRST:]
        yield Group(str(title), first, others, len(frame) - FIRST, note, widest <= NARROW)


def _picture(text: str, alt: str, label: str) -> Picture:
    """The picture of a text of ``study.report.pictures``, with the words that ``alt`` lacks."""
    image, buffer = pictures.shown(text), io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    src = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    high, wide = (max(1, round(WIDE * side / max(image.shape[:2]))) for side in image.shape[:2])
    lines = [line for line in label.split("; ") if line not in alt]
    return Picture(src, alt, lines, (wide, high), ":" not in text)
