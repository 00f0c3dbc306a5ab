"""The page as a document: self-contained, escaped, the same bytes everywhere."""

import os
import re
import subprocess
import sys

import pytest

from study.report import render, write
from tests.report.conftest import searched
from tests.report.helpers import Page, digests

HOSTILE = "=1+1 <script>alert('x')</script> $\\frac{ & \"quoted\""


def python(*arguments, **kwargs):
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


def run(storage, out, **kwargs):
    where = ("--storage", str(storage), "--out", str(out), "--format", "png", "svg", "pdf")
    return python("-W", "error", "-m", "study.report", *where, **kwargs)


@pytest.fixture(scope="module")
def html(original):
    return render(str(original))


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


def test_the_same_storage_gives_the_same_bytes_anywhere(original, tmp_path):
    """Another time zone, locale, folder, hash seed and matplotlibrc change no byte."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "matplotlibrc").write_text(
        "axes.linewidth: 5\nxtick.major.size: 9\n"
    )
    places = {
        "a": {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        "b": {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
    }
    for name, changed in places.items():
        folder = tmp_path if name == "a" else tmp_path / "elsewhere"
        result = run(original, tmp_path / name, cwd=folder, env=os.environ | changed)
        assert result.returncode == 0, result.stderr

    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    for path in (tmp_path / "a" / "figures").glob("*.pdf"):
        assert b"Date" not in path.read_bytes()


def test_the_storage_is_only_read(original, tmp_path):
    """Not a byte of the database or beside it changes, and no file is added."""
    before = digests(original.parent)

    write(str(original), tmp_path)

    assert digests(original.parent) == before


@pytest.mark.matrix("F12")
def test_a_hostile_name_is_only_text(tmp_path):
    """A study's name is escaped in the page, left alone by figures, harmless in tables."""
    storage = searched(tmp_path / "study.db", "linear", name=HOSTILE, n_trials=2)

    write(str(storage), tmp_path / "out", linear=HOSTILE)

    page = Page((tmp_path / "out" / "index.html").read_text())
    assert HOSTILE in page.text
    assert page.all("script") == [{}]
    csv = (tmp_path / "out" / "tables" / "trials.csv").read_text()
    assert "'=1+1" in csv
    assert not re.search(r'(?m)(^|,)"?=', csv)


def test_a_second_report_leaves_nothing_of_the_first(original, tmp_path):
    """Figures and tables that the new report does not have go; other files stay."""
    write(str(original), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")

    write(str(original), tmp_path, linear="linear")

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


def test_the_command_needs_no_torch(original, tmp_path):
    """A report of the bundled digits imports neither torch nor torchvision."""
    code = (
        "import sys; from pathlib import Path; from study.report import write\n"
        f"write({str(original)!r}, Path({str(tmp_path)!r}))\n"
        "print([n for n in ('torch', 'torchvision') if n in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert result.stdout.strip() == "[]", result.stderr
