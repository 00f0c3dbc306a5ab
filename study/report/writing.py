"""Render the page to a string, or write it with its figures, tables and summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from study.report.settings import usual_settings

if TYPE_CHECKING:
    import pandas as pd

    from study.report.parts import Section


@usual_settings()
def render(
    storage: str,
    *,
    linear: str | None = None,
    mlp: str | None = None,
    data_root: Path | None = None,
) -> str:
    """The report's page, one self-contained HTML document.

    Args:
        storage: A path or a URL; it is only read.
        linear: The first study, of any model. Where neither is named, one of each kind of
            model is taken: that called after it (``linear``, ``mlp``), or else the only one.
        mlp: The second study.
        data_root: Where the official training files lie, for images outside the package.

    Raises:
        StudyError: A study is missing, was not searched by this package, or the two differ
            in data or protocol.
    """
    from study.report import drawing, page, sections
    from study.report.record import collect

    record = collect(storage, linear=linear, mlp=mlp, data_root=data_root)
    with drawing.theme():
        return page.to_html(record, page.draw(sections.compose(record)))


@usual_settings()
def write(
    storage: str,
    out: Path,
    *,
    linear: str | None = None,
    mlp: str | None = None,
    data_root: Path | None = None,
) -> list[Path]:
    """Write ``index.html``, ``summary.json``, ``figures/*.png`` and ``tables/*.csv`` to a folder.

    Each file is replaced whole, the page last; what an earlier report left in the two
    folders and this one does not have is removed. The other arguments are :func:`render`'s.

    Returns:
        The files, the page first.

    Raises:
        StudyError: See :func:`render`; nothing is written then.
        ResourceError: The folder can't be written.
    """
    from study.report import drawing, page, sections, summary
    from study.report.record import collect

    record = collect(storage, linear=linear, mlp=mlp, data_root=data_root)
    composed = sections.compose(record)
    with drawing.theme():
        drawn = page.draw(composed)
        sheets = {s.name: drawing.figure(s) for part in composed for s in part.sheets}
        figures = drawn.figures | sheets
        content = {Path(f"figures/{name}.png"): drawing.png(f) for name, f in figures.items()}
        html = page.to_html(record, drawn).encode()
    content |= {Path(f"tables/{name}.csv"): _csv(frame) for name, frame in _frames(composed)}
    content |= {
        Path("summary.json"): summary.to_json(record).encode(),
        Path("index.html"): html,
    }
    return _replace(out, content)


def _frames(composed: list[Section]) -> list[tuple[str, pd.DataFrame]]:
    """Every table of the report by its file's name: one a figure, and the others."""
    drawn = [chart for part in composed for chart in (*part.charts, *part.sheets)]
    return [(chart.name, chart.frame) for chart in drawn] + [
        pair for part in composed for pair in part.frames
    ]


def _csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a header; text that a spreadsheet would run as a formula gets an apostrophe."""
    texts = frame.select_dtypes(include=["object", "string", "category"]).columns
    safe = frame.assign(**{name: frame[name].astype(object).map(_harmless) for name in texts})
    return str(safe.to_csv(index=False, lineterminator="\n")).encode()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r")) else cell


def _replace(out: Path, content: dict[Path, bytes]) -> list[Path]:
    from study.storage import explain, write_atomically

    try:
        for name, whole in content.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(out / name, whole)
        for stale in {*out.glob("figures/*.png"), *out.glob("tables/*.csv")}:
            if stale.relative_to(out) not in content:
                stale.unlink()
    except OSError as error:
        raise (explain(error, str(out)) or error) from error
    return [out / name for name in reversed(content)]
