"""The page of all submissions, and their table."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from study import formats
from study.collect import sentences
from study.collect.content import Content, frame
from study.report import ownership
from study.report.spreadsheet import to_csv
from study.report.template import csp_hash, style_of, template
from study.sweep.sentences import heading, trials

TABLE = "tables/submissions.csv"


def write(out: Path, content: Content, *, replace: bool = False) -> Path:
    """Write ``index.html`` and the table to a folder; the page.

    Raises:
        StudyError: A file of these names is there that no report wrote; nothing is written then.
        ResourceError: The folder can't be written.
    """
    files = {TABLE: to_csv(frame(content.entries)), ownership.PAGE: to_html(content).encode()}
    ownership.write(out, files, replace=replace)
    return out / ownership.PAGE


def to_html(content: Content) -> str:
    """The page, which allows no other style than its own, and no script."""
    style = style_of("page.css", "sweep_table.css", "collect.css")
    return template("collect.html.j2").render(
        style=Markup(style),
        digest=csp_hash(style),
        content=content,
        say=sentences,
        heading=heading,
        trials=trials,
        formats=formats,
        table=TABLE,
        confirmed=any(entry.row.verdict for entry in content.entries),
    )
