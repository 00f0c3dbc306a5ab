"""Render the page to a string, or write it with its figures, tables and summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from study.margin import DEFAULT_MARGIN, Margin
from study.report.drawn import Drawn
from study.report.ownership import USUAL_FORMATS

if TYPE_CHECKING:
    import pandas as pd

    from study.report.content import Section, Table


def render(
    storage: str,
    *,
    names: Sequence[str] = (),
    linear: str | None = None,
    mlp: str | None = None,
    data_root: Path | None = None,
    margin: Margin = DEFAULT_MARGIN,
) -> str:
    """The report's page, one self-contained HTML document.

    Args:
        storage: A path or a URL; it is only read.
        names: One to six studies, of any models. Where none is named, one of each kind of model
            is taken: that called after it (``linear``, ``mlp``), or else the only one.
        linear: Another way to name the first of two studies, or the only one.
        mlp: The same for the second one.
        data_root: Where the official training files lie, for images outside the package.
        margin: The largest difference in error that does not matter in practice.

    Raises:
        StudyError: A study is missing, was not searched by this package, or two differ in data
            or protocol; more than six are named, or in both ways.
    """
    from study.report import page, rendering, sections
    from study.report.collect import collect

    with rendering.theme():
        record = collect(
            storage, names=names, linear=linear, mlp=mlp, data_root=data_root, margin=margin
        )
        return page.to_html(record, sections.compose(record), Drawn())


def write(
    storage: str,
    out: Path,
    *,
    names: Sequence[str] = (),
    linear: str | None = None,
    mlp: str | None = None,
    data_root: Path | None = None,
    replace: bool = False,
    margin: Margin = DEFAULT_MARGIN,
    formats: Sequence[str] = USUAL_FORMATS,
    drawn: Drawn | None = None,
    when_read: Callable[[], object] | None = None,
) -> list[Path]:
    """Write ``index.html``, ``summary.json``, ``figures/`` and ``tables/`` to a folder.

    Each figure's numbers are a CSV; the main tables are LaTeX too (see ``study.report.latex``).

    Each file is replaced whole, the page last. ``report-files.json`` names them all, and what
    the report before had and this one does not is removed (see ``study.report.ownership``).

    Args:
        storage: As names, linear, mlp, data_root and margin, see :func:`render`.
        out: The folder.
        names: The studies.
        linear: The first of two.
        mlp: The second of two.
        data_root: Of the images.
        replace: Overwrite files of these names that no report wrote, or that were changed.
        margin: Of the verdict.
        formats: Of the figures' files: ``png``, ``svg``, ``pdf``.
        drawn: The pictures of this process's reports before, which are not drawn again.
        when_read: Called when all is read from the storage, before anything is drawn.

    Returns:
        The files, the page first.

    Raises:
        StudyError: See :func:`render`, or a file that no report wrote is in the way; nothing is
            written then.
        ResourceError: The folder can't be written.
    """
    from study.report import ownership, page, rendering, sections, summary
    from study.report.collect import collect
    from study.report.latex import to_tex
    from study.report.spreadsheet import to_csv

    drawn = Drawn() if drawn is None else drawn
    with rendering.theme():
        record = collect(
            storage, names=names, linear=linear, mlp=mlp, data_root=data_root, margin=margin
        )
        if when_read:
            when_read()
        composed = sections.compose(record)
        content = dict(_figures(composed, drawn, formats))
        content |= {f"tables/{name}.csv": to_csv(frame) for name, frame in _frames(composed)}
        content |= {f"tables/{table.kind}.tex": to_tex(table) for table in _main(composed)}
        content[ownership.SUMMARY] = summary.to_json(record).encode()
        content[ownership.PAGE] = page.to_html(record, composed, drawn, [*content]).encode()
    ownership.write(out, content, replace=replace)
    return [out / name for name in reversed(content)]


def _figures(
    composed: list[Section], drawn: Drawn, formats: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Every figure of the report by its file's name, drawn for the page too."""
    from study.report import page
    from study.report.content import with_details

    for chart in page.charts_of(composed):
        files = drawn.files(chart, *formats, "inline")
        yield from _named(chart.name, formats, files[:-1])
    for sheet in (sheet for part in with_details(composed) for sheet in part.sheets):
        yield from _named(sheet.name, formats, drawn.files(sheet, *formats))


def _named(
    name: str, formats: Sequence[str], files: Sequence[bytes]
) -> Iterator[tuple[str, bytes]]:
    for kind, file in zip(formats, files, strict=True):
        yield f"figures/{name}.{kind}", file


def _frames(composed: list[Section]) -> list[tuple[str, pd.DataFrame]]:
    """Every table of the report by its file's name: one a figure, and the others."""
    from study.report.content import with_details

    parts = list(with_details(composed))
    drawn = [chart for part in parts for chart in (*part.charts, *part.sheets)]
    return [(chart.name, chart.frame) for chart in drawn] + [
        pair for part in parts for pair in part.frames
    ]


def _main(composed: list[Section]) -> Iterator[Table]:
    """The tables that a paper may want."""
    from study.report.content import with_details

    parts = with_details(composed)
    return (table for part in parts for table in part.tables if table.kind)
