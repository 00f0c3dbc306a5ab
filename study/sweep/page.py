"""The overview of a sweep: one matrix, one table, and a link to every pair's report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from study import formats
from study.report import ownership, words
from study.report.spreadsheet import to_csv
from study.report.template import csp_hash, source_of, template
from study.sweep.pairs import Pair, folder
from study.sweep.table import Row, frame

STEPS = (0.1, 0.5, 1.0, 2.0)  # percentage points: where a cell's colour changes
NAMES = {"linear": "linear", "mlp": "MLP", "tie": "tie"}


@dataclass(frozen=True)
class Cell:
    """A pair's place in the matrix."""

    text: str
    title: str  # the two errors, and on how many trials each rests
    kind: str  # the classes that colour it
    link: str | None  # to the pair's report, if there is one of what the storage has now


def write(
    out: Path,
    dataset: str,
    found: Sequence[Row],
    damaged: Sequence[str] = (),
    *,
    replace: bool = False,
) -> Path:
    """Write ``index.html`` and ``sweep.csv`` to a folder; the page.

    Args:
        out: The folder.
        dataset: Whose classes they are.
        found: The rows, marked.
        damaged: The pairs that can't be read, and why, a line each.
        replace: Overwrite files of these names that no sweep or report wrote.

    Raises:
        StudyError: There are such files; nothing is written then.
        ResourceError: The folder can't be written.
    """
    csv = to_csv(frame(found))
    html = to_html(out, dataset, found, damaged)
    content = {ownership.SWEEP: csv, ownership.PAGE: html.encode()}
    ownership.write(out, content, replace=replace)
    return out / ownership.PAGE


def to_html(out: Path, dataset: str, found: Sequence[Row], damaged: Sequence[str] = ()) -> str:
    """The page, which allows no other style than its own, and no script."""
    style = "".join(map(source_of, ("page.css", "sweep.css")))
    links = {row.pair: _link(out, row) for row in found}
    return template("sweep.html.j2").render(
        style=Markup(style),
        digest=csp_hash(style),
        source=words.SOURCES.get(dataset, dataset),
        answer=answer(found),
        apart=apart(found),
        damaged=damaged,
        names=[words.class_name(dataset, label) for label in range(10)],
        matrix=matrix(found, links),
        rows=[(row, links[row.pair], NAMES[row.winner]) for row in found],
        formats=formats,
        linked=any(links.values()),
        confirmed=any(row.verdict for row in found),
        noted=[row for row in found if row.note],
        steps=STEPS,
    )


def answer(found: Sequence[Row]) -> str:
    """How often each model erred less, in one sentence, over the rows that are counted."""
    counted = [row for row in found if not row.note]
    if not counted:
        return "No pair has been searched to its end yet."
    wins = {who: sum(row.winner == who for row in counted) for who in ("mlp", "linear", "tie")}
    widest = max(counted, key=lambda row: (abs(row.gap), -row.first, -row.second))
    pairs = formats.plural(len(counted), "pair")
    return (
        f"At its best the MLP erred less on {wins['mlp']} of {pairs}, the linear model on "
        f"{wins['linear']}, with {formats.plural(wins['tie'], 'tie')}; they differ most on "
        f"{widest.first} against {widest.second}, by "
        f"{100 * abs(widest.gap):.2f} percentage points."
    )


def apart(found: Sequence[Row]) -> str:
    """What is not counted, in one sentence; empty where all is."""
    count = sum(bool(row.note) for row in found)
    if not count:
        return ""
    return (
        f"{formats.plural(count, 'pair')} {'is' if count == 1 else 'are'} shown and not counted: "
        "searched with fewer trials than were asked for, or with other settings than most, as is "
        "listed below the table."
    )


def matrix(found: Sequence[Row], links: Mapping[Pair, str | None]) -> list[list[Cell | None]]:
    """Ten rows of ten cells: a pair stands at both of its places."""
    cells = {
        place: _cell(row, links.get(row.pair))
        for row in found
        for place in (row.pair, row.pair[::-1])
    }
    return [[cells.get((first, second)) for second in range(10)] for first in range(10)]


def _cell(row: Row, link: str | None) -> Cell:
    linear, mlp = (
        f"{formats.error(side.errors, row.n_val)}, {side.complete} of {side.trials} trials"
        for side in (row.linear, row.mlp)
    )
    title = f"{row.first} against {row.second}: linear {linear}; MLP {mlp}"
    step = sum(100 * abs(row.gap) >= edge for edge in STEPS)
    kind = "tie" if row.winner == "tie" else f"{row.winner} step{step}"
    if row.note:
        title, kind = f"{title}; not counted: {row.note}", "noted"
    return Cell(f"{NAMES[row.winner]} {100 * abs(row.gap):.2f}", title, kind, link)


def _link(out: Path, row: Row) -> str | None:
    return f"{folder(row.pair)}/index.html" if is_current(out, row) else None


def is_current(out: Path, row: Row) -> bool:
    """Whether a pair's report is there and of what the storage has now.

    The page is written last, and removed before a new report is drawn
    (:func:`study.sweep.loop.write_reports`), so page and summary are of one report, unless the
    folder's record says that a report was being replaced.
    """
    place = out / folder(row.pair)
    if not ownership.is_complete(place):
        return False
    try:
        summary = json.loads((place / "summary.json").read_bytes())
        written = [summary["models"][name]["trials_sha256"] for name in ("linear", "mlp")]
        confirmed = summary["comparison"]
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return written == [row.linear.sha256, row.mlp.sha256] and bool(confirmed == row.comparison)
