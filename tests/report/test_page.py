"""The page as a document: self-contained, escaped, the same bytes everywhere."""

import os
import re
import subprocess
import sys

import pytest

from study.report import write
from tests.report.conftest import searched
from tests.report.helpers import Page, Undrawn, digests

HOSTILE = "=1+1 <script>alert('x')</script> $\\frac{ & \"quoted\""


FORMATS = ("png", "svg", "pdf")
COMMAND = """
import runpy, sys
try: runpy.run_module('study.report', run_name='__main__', alter_sys=True)
finally: print([n for n in ('torch', 'torchvision') if n in sys.modules])
"""


def python(*arguments, **kwargs):
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


@pytest.fixture(scope="module")
def elsewhere(original, tmp_path_factory):
    """The folder of a report by a command of another place, and what of torch it imported."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "matplotlibrc").write_text("axes.linewidth: 5\nxtick.major.size: 9\n")
    changed = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
    options = ("--storage", str(original), "--out", "out", "--format", *FORMATS)
    place = {"cwd": folder, "env": os.environ | changed}
    result = python("-W", "error", "-c", COMMAND, *options, **place)
    assert result.returncode == 0, result.stderr
    return folder / "out", result.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def html(rendered):
    return rendered


def images(page):
    return [attrs["src"] for attrs in page.all("img")]


def test_the_page_refers_to_nothing_outside(html):
    """Every source is a data URI, every link an anchor on the page; the script is its own."""
    page = Page(html)

    assert all(uri.startswith("data:image/") for uri in images(page))
    assert all(href.startswith(("#", "data:,", "data:image/png")) for href in page.values("href"))
    assert page.all("script") == [{}]
    assert not {"iframe", "object", "embed", "form"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\((?!#)|@import|https?://", html)


def test_every_figure_is_drawn_into_the_page(html):
    """With its words for who can't see it, and no style of its own, which the policy refuses."""
    charts = [attrs for attrs in Page(html).all("svg") if "chart" in attrs.get("class", "")]

    assert len(charts) >= 12
    assert all(chart["role"] == "img" for chart in charts)
    assert all(len(chart["aria-label"].split()) >= 4 for chart in charts)
    assert not re.search(r"<[^>]* style=", html)


def test_every_picture_has_a_text(html):
    """Each image says in words what it shows."""
    texts = [attrs.get("alt", "") for attrs in Page(html).all("img")]

    assert len(texts) > 10
    assert all(len(text.split()) >= 4 for text in texts)


def test_anchors_lead_somewhere_and_ids_are_unique(html):
    """Every #link has its id, once."""
    page = Page(html)
    ids = page.values("id")

    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.values("href") if href.startswith("#")} <= set(ids)


def test_the_page_is_small(html):
    """Under 3 MB."""
    assert len(html.encode()) < 3_000_000


def test_the_same_storage_gives_the_same_bytes_anywhere(original, elsewhere, drawn, tmp_path):
    """Another time zone, locale, folder, hash seed or matplotlibrc, and pictures of before."""
    write(str(original), tmp_path, formats=FORMATS, drawn=drawn)

    assert digests(tmp_path) == digests(elsewhere[0])
    for path in (tmp_path / "figures").glob("*.pdf"):
        assert b"Date" not in path.read_bytes()


def test_the_storage_is_only_read(original, drawn, tmp_path):
    """Not a byte of the database or beside it changes, and no file is added."""
    before = digests(original.parent)

    write(str(original), tmp_path, drawn=drawn)

    assert digests(original.parent) == before


@pytest.mark.matrix("F12")
def test_a_hostile_name_is_only_text(tmp_path):
    """A study's name is escaped in the page, left alone by figures, harmless in tables."""
    storage = searched(tmp_path / "study.db", "linear", name=HOSTILE, n_trials=2)

    write(str(storage), tmp_path / "out", linear=HOSTILE, formats=("svg",))

    page = Page((tmp_path / "out" / "index.html").read_text())
    assert HOSTILE in page.text
    assert page.all("script") == [{}]
    csv = (tmp_path / "out" / "tables" / "trials.csv").read_text()
    assert "'=1+1" in csv
    assert not re.search(r'(?m)(^|,)"?=', csv)


def test_a_second_report_leaves_nothing_of_the_first(original, drawn, tmp_path):
    """Figures and tables that the new report does not have go; other files stay."""
    write(str(original), tmp_path, drawn=drawn)
    (tmp_path / "notes.txt").write_text("mine")

    write(str(original), tmp_path, linear="linear", drawn=Undrawn())

    names = {path.name for path in tmp_path.rglob("*")}
    assert not {"hidden_units.png", "hidden_units.svg", "mlp_units.csv"} & names
    assert {"notes.txt", "learning_rate.png", "learning_rate.svg"} <= names


def test_help_answers_without_the_heavy_libraries():
    """--help imports none of torch, pandas, matplotlib and seaborn."""
    code = (
        "import runpy, sys; sys.argv = ['report', '--help']\n"
        "try: runpy.run_module('study.report', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([n for n in ('torch', 'pandas', 'matplotlib', 'seaborn', 'optuna')"
        " if n in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert result.stdout.splitlines()[-1] == "[]"


def test_the_command_needs_no_torch(elsewhere):
    """A report of the bundled digits imports neither torch nor torchvision."""
    assert elsewhere[1] == "[]"
