"""The tables of a paper: booktabs, with every character of a name escaped."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.report.content import Table
from study.report.latex import escaped, to_tex

NASTY = '\\input{/etc/passwd} 100 % & $x_1^2$ #1 ~{}[*] "q" `\'--<>|Jürgen Łukasz 四 \u202e\x07'
COMMANDS = re.compile(
    r"\\[&%$#_{},]|\\(textbackslash|textascii(tilde|circum)|text(less|greater|bar)|dots)\{\}"
    r"|\\char34\{\}|\\[`'^~=.\"rHvc]\{[A-Za-z]\}|\\texttt\{U\+[0-9A-F]{4,6}\}|\{[]\[*`'-]\}"
    r"|\$(-|\^\{[-\d]+\}|\\cdot|\\times|\\frac\{1\}\{2\})\$"
)


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("2.57 % (46 of 1,791)", r"2.57\,\% (46 of 1,791)"),
        ("2.5·10⁻⁵", r"2.5$\cdot$10$^{-5}$"),
        ("-0.25 to +2.60, mlp-16", "$-$0.25 to +2.60, mlp{-}16"),
        ("Jürgen’s a_b & c\\d", r"J\"{u}rgen's a\_b \& c\textbackslash{}d"),
        ("四", r"\texttt{U+56DB}"),
        ("a\u202eb", r"a\textbackslash{}u202eb"),
    ],
)
def test_words_are_printed_as_they_are(text, tex):
    """Numbers as papers write them, letters with their accents, the unknown by its number."""
    assert escaped(text) == tex


@given(st.text(st.characters(codec="utf-8")))
def test_no_text_is_a_command(text):
    """Without what an escape writes, nothing is left that means anything to LaTeX."""
    left = COMMANDS.sub("", escaped(text))

    assert left.isascii()
    assert left.isprintable()
    assert not set(left) - {"~"} & set('\\{}$&#^_%"<>|')


def nasty_table():
    """A hostile name in each place, a cell of two lines, rows that begin like options."""
    rows = [[NASTY, "2.57 %\n1.9 % to 3.4 %"], ["[2em] begins", "*"], ["", NASTY]]
    return Table(f"{NASTY}\nof two lines", [NASTY, "Error\n95 % interval"], rows)


def test_a_table_has_rules_and_its_rows():
    """A booktabs tabular, a line a row, so that it can be put into any paper."""
    lines = to_tex(nasty_table()).decode().splitlines()

    assert lines[1:3] == [r"\begin{tabular}{lr}", r"\toprule"]
    assert lines[4] == r"\midrule"
    assert lines[5].endswith(r"& \shortstack[r]{2.57\,\% \\ 1.9\,\% to 3.4\,\%} \\")
    assert lines[6].startswith("{[}2em{]} begins & {*}")
    assert lines[8:] == [r"\bottomrule", r"\end{tabular}"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_prints_it(tmp_path):
    """With no package but booktabs, and without a complaint."""
    document = (
        r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{t}\end{document}"
    )
    (tmp_path / "paper.tex").write_text(document)
    (tmp_path / "t.tex").write_bytes(to_tex(nasty_table()))

    command = [
        "pdflatex",
        "-no-shell-escape",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "paper",
    ]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout
    assert "Missing character" not in (tmp_path / "paper.log").read_text()
