"""How objects show themselves in a notebook: a small HTML table, escaped."""

from collections.abc import Sequence
from html import escape


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column names the rows."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(_row(row) for row in rows)
    return (
        f'<table><caption style="text-align: left">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
    return f"<tr><th>{escape(first)}</th>{cells}</tr>"
