r"""Tables of a page as LaTeX: a ``tabular`` in booktabs form, to be ``\input`` in a paper.

A study may be called anything, so nothing in a table's words is a command of LaTeX. All that is
written is ASCII, and needs no package but booktabs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from study.report.content import Table
from study.text import visible

_SPECIAL = {
    **{letter: rf"\{letter}" for letter in "&%$#_{}"},
    **{letter: f"{{{letter}}}" for letter in "[]*`'-"},  # no option, no ligature
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\char34{}"},
    **{"–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''", "…": r"\dots{}"},
    **{"·": r"$\cdot$", "×": r"$\times$", "−": "$-$", "½": r"$\frac{1}{2}$"},
}
_ACCENTS = dict(
    zip(
        "\u0300\u0301\u0302\u0303\u0304\u0307\u0308\u030a\u030b\u030c\u0327",
        "`'^~=.\"rHvc",
        strict=True,
    )
)
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PART = re.compile(r"(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(?P<minus>(?<!\w)-(?=\d))|(?P<percent> %)|.", re.S)


def to_tex(table: Table) -> bytes:
    """The table, its caption in a comment above it; lines of a cell stand below each other."""
    columns = "l" + "r" * (len(table.header) - 1)
    lines = [
        rf"% \usepackage{{booktabs}} % {escaped(table.caption)}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row(table.header),
        r"\midrule",
        *map(_row, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode("ascii")


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    return " & ".join([_cell(first, "l"), *(_cell(cell, "r") for cell in others)]) + r" \\"


def _cell(text: str, side: str) -> str:
    lines = r" \\ ".join(escaped(line) for line in text.split("\n"))
    return rf"\shortstack[{side}]{{{lines}}}" if "\n" in text else lines


def escaped(text: str) -> str:
    """A line of text as LaTeX that prints it; a letter that its fonts lack as its number."""
    return _PART.sub(_part, visible(text))


def _part(found: re.Match[str]) -> str:
    text = found[0]
    if found["power"]:
        return f"$^{{{text.translate(_DIGITS)}}}$"
    if found["minus"]:
        return "$-$"
    return r"\,\%" if found["percent"] else _SPECIAL.get(text) or _letter(text)


def _letter(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter.isspace():
        return "~"
    base, *accents = list(unicodedata.normalize("NFD", letter))
    if base.isascii() and len(accents) == 1 and accents[0] in _ACCENTS:
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return rf"\texttt{{U+{ord(letter):04X}}}"
