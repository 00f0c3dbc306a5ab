"""The one writer of CSV files: spreadsheets find values in them, and nothing to run."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING

from study.text import visible

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = tuple("=+-@\t\r＝＋－＠")  # what begins one; some read full-width signs as their own


def to_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a header. Numbers stay numbers.

    Text, names of columns included, that a spreadsheet would run as a formula gets an
    apostrophe; control characters in it become visible.
    """
    texts = frame.select_dtypes(include=["object", "string", "category"]).columns
    safe = frame.assign(**{name: frame[name].astype(object).map(_harmless) for name in texts})
    safe.columns = [_harmless(name) for name in frame.columns]
    return str(safe.to_csv(index=False, lineterminator="\n")).encode()


def _harmless(cell: object) -> object:
    if cell is None or isinstance(cell, Number):  # NaN too
        return cell
    text = str(cell)
    return f"'{visible(text)}" if text.lstrip(" ").startswith(_FORMULA) else visible(text)
