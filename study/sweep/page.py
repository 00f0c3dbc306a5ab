"""The overview of a sweep: one matrix, one table, and a link to every pair's report."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from study.report import words
from study.storage import explain, write_atomically
from study.sweep.pairs import Pair, folder
from study.sweep.table import Row, frame

STEPS = (0.1, 0.5, 1.0, 2.0)  # percentage points: where a cell's colour changes
NAMES = {"linear": "linear", "mlp": "MLP", "tie": "tie"}


@dataclass(frozen=True)
class Cell:
    """A pair's place in the matrix."""

    text: str
    title: str  # the two errors
    kind: str  # the classes that colour it
    link: str | None  # to the pair's report, if there is one


def write(out: Path, dataset: str, found: Sequence[Row]) -> list[Path]:
    """Write ``index.html`` and ``sweep.csv`` to a folder; the two files, the page first.

    Raises:
        ResourceError: The folder can't be written.
    """
    csv = str(frame(found).to_csv(index=False, lineterminator="\n"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "sweep.csv", csv.encode())
        write_atomically(out / "index.html", to_html(out, dataset, found).encode())
    except OSError as error:
        raise (explain(error, str(out)) or error) from error
    return [out / "index.html", out / "sweep.csv"]


def to_html(out: Path, dataset: str, found: Sequence[Row]) -> str:
    """The page, which allows no other style than its own, and no script."""
    environment = Environment(
        loader=PackageLoader("study.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = "".join(_source(environment, name) for name in ("page.css", "sweep.css"))
    return environment.get_template("sweep.html.j2").render(
        style=Markup(style),
        digest="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        source=words.SOURCES.get(dataset, dataset),
        answer=answer(found),
        names=[words.class_name(dataset, label) for label in range(10)],
        matrix=matrix(out, found),
        rows=[(row, _link(out, row.pair), words, NAMES[row.winner]) for row in found],
        confirmed=any(row.verdict for row in found),
        steps=STEPS,
    )


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def answer(found: Sequence[Row]) -> str:
    """What the matrix comes to, in one sentence."""
    if not found:
        return "No pair has been searched yet."
    wins = {who: sum(row.winner == who for row in found) for who in ("mlp", "linear", "tie")}
    widest = max(found, key=lambda row: (abs(row.gap), -row.first, -row.second))
    return (
        f"At its best the MLP erred less on {wins['mlp']} of {words.plural(len(found), 'pair')}, "
        f"the linear model on {wins['linear']}, with {words.plural(wins['tie'], 'tie')}; they "
        f"differ most on {widest.first} against {widest.second}, by "
        f"{100 * abs(widest.gap):.2f} percentage points."
    )


def matrix(out: Path, found: Sequence[Row]) -> list[list[Cell | None]]:
    """Ten rows of ten cells: a pair stands at both of its places."""
    cells = {place: _cell(out, row) for row in found for place in (row.pair, row.pair[::-1])}
    return [[cells.get((first, second)) for second in range(10)] for first in range(10)]


def _cell(out: Path, row: Row) -> Cell:
    errors = (words.error(n, row.n_val) for n in (row.linear_errors, row.mlp_errors))
    title = "{} against {}: linear {}, MLP {}".format(*row.pair, *errors)
    step = sum(100 * abs(row.gap) >= edge for edge in STEPS)
    gap = f"{100 * abs(row.gap):.2f}"
    kind = "tie" if row.winner == "tie" else f"{row.winner} step{step}"
    return Cell(f"{NAMES[row.winner]} {gap}", title, kind, _link(out, row.pair))


def _link(out: Path, pair: Pair) -> str | None:
    page = Path(folder(pair), "index.html")
    return page.as_posix() if (out / page).is_file() else None
