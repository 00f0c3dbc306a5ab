"""The overview of a sweep: a matrix of pairs, a table, and a link to every report."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from study import formats
from study.report import ownership, words
from study.report.spreadsheet import to_csv
from study.report.template import csp_hash, style_of, template
from study.sweep import sentences
from study.sweep.frame import frame, frame_of_pairs
from study.sweep.matrix import STEPS, matrix
from study.sweep.origin import origins
from study.sweep.rows import Content, Row


def write(out: Path, content: Content, *, replace: bool = False) -> Path:
    """Write ``index.html`` and ``sweep.csv`` to a folder; the page.

    Args:
        out: The folder.
        content: What they show.
        replace: Overwrite files of these names that no sweep or report wrote.

    Raises:
        StudyError: There are such files; nothing is written then.
        ResourceError: The folder can't be written.
    """
    table = (frame_of_pairs if content.is_matrix else frame)(content.rows)
    files = {
        ownership.SWEEP: to_csv(table),
        ownership.PAGE: to_html(out, content).encode(),
    }
    ownership.write(out, files, replace=replace)
    return out / ownership.PAGE


def to_html(out: Path, content: Content) -> str:
    """The page, which allows no other style than its own, and no script."""
    sheets = ("page.css", "sweep.css", *(() if content.is_matrix else ("sweep_table.css",)))
    style = style_of(*sheets)
    links = {row.data: _link(out, row) for row in content.rows}
    has_matrix = len(content.models) == 2 and (
        content.only_pairs or any(row.data.pair for row in content.rows)
    )
    return template("sweep.html.j2").render(
        style=Markup(style),
        digest=csp_hash(style),
        content=content,
        say=sentences,
        names=[words.class_name(content.dataset, label) for label in range(10)],
        matrix=matrix(content.rows, links) if has_matrix else None,
        rows=[(row, links[row.data]) for row in content.rows],
        origins=origins(content),
        formats=formats,
        linked=any(links.values()),
        confirmed=any(row.held_out for row in content.rows),
        unconfirmed=any(not row.held_out for row in content.rows),
        noted=[row for row in content.rows if row.note],
        steps=STEPS,
    )


def _link(out: Path, row: Row) -> str | None:
    return f"{quote(row.data.name)}/index.html" if is_current(out, row) else None


def is_current(out: Path, row: Row) -> bool:
    """Whether a data set's report is there and of what the storage has now.

    The page is written last, and removed before a new report is drawn
    (:func:`study.sweep.reports.write_reports`), so page and summary are of one report, unless
    the folder's record says that a report was being replaced.
    """
    place = out / row.data.name
    if not ownership.is_complete(place):
        return False
    try:
        summary = json.loads((place / "summary.json").read_bytes())
        written = {name: model["trials_sha256"] for name, model in summary["models"].items()}
        confirmed = summary["comparison"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    sides = {name: side.sha256 for name, side in row.sides.items()}
    return written == sides and bool(confirmed == row.comparison)
