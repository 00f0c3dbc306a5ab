"""A sweep's storage, overview and table say the same, and it goes on where it was."""

import csv
import re
import shutil
from html.parser import HTMLParser

import pytest

from study.storage import load_study, study_names
from study.sweep.__main__ import parser
from study.sweep.page import answer
from study.sweep.pairs import ALL
from study.sweep.table import Row, rows

from .conftest import PAIRS, sweep


@pytest.fixture(scope="module")
def page(swept):
    """The overview."""
    return (swept[0] / "reports/index.html").read_text()


def test_every_pair_has_its_two_studies_in_one_storage(swept):
    """Named after data set, pair and model, each as large as was asked for."""
    folder, result = swept
    names = {f"kmnist-{pair}/{model}" for pair in PAIRS for model in ("linear", "mlp")}

    assert (result.returncode, result.stderr) == (0, "")
    assert set(study_names(str(folder / "sweep.db"))) == names
    for name in names:
        assert len(load_study(str(folder / "sweep.db"), name).trials) == 4


def test_the_table_has_each_pairs_lowest_errors(swept):
    """As Optuna's own best values say."""
    folder, _ = swept
    with (folder / "reports/sweep.csv").open() as file:
        table = list(csv.DictReader(file))

    assert [f"{row['first']}-{row['second']}" for row in table] == list(PAIRS)
    for row, pair in zip(table, PAIRS, strict=True):
        for model in ("linear", "mlp"):
            best = load_study(str(folder / "sweep.db"), f"kmnist-{pair}/{model}").best_value
            assert float(row[f"{model}_error"]) == best
        gap = float(row["linear_error"]) - float(row["mlp_error"])
        assert float(row["gap_points"]) == pytest.approx(100 * gap, abs=1e-4)


class Cells(HTMLParser):
    """The matrix's links, and what they lead to."""

    def __init__(self, html):
        super().__init__()
        self.links = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs)["href"])


def test_the_overview_leads_to_every_pairs_report(swept, page):
    """From both of a pair's places in the matrix, and from the table."""
    links = Cells(page).links

    assert sorted(links) == sorted(3 * [f"{pair}/index.html" for pair in PAIRS])
    for link in links:
        assert "<!DOCTYPE html>" in (swept[0] / "reports" / link).read_text()


def test_the_overview_needs_nothing_from_outside(page):
    """No script, no style but its own, which the page's policy names by its digest."""
    from base64 import b64encode
    from hashlib import sha256

    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"<script|style=|url\(|https?://", page)


def test_a_second_sweep_adds_nothing_and_writes_the_same_page(swept, tmp_path):
    """What is there is neither searched nor drawn again."""
    copy = shutil.copytree(swept[0], tmp_path / "copy")
    reports = {pair: (copy / f"reports/{pair}/index.html").stat().st_mtime_ns for pair in PAIRS}
    before = (copy / "reports/index.html").read_bytes()

    result = sweep(copy)

    assert (result.returncode, result.stderr) == (0, "")
    assert (copy / "reports/index.html").read_bytes() == before
    for pair, written in reports.items():
        assert (copy / f"reports/{pair}/index.html").stat().st_mtime_ns == written


def test_a_sweep_of_another_pair_keeps_those_there_are(swept, tmp_path):
    """The overview has all of them; without reports, a cell leads nowhere."""
    copy = shutil.copytree(swept[0], tmp_path / "copy")

    result = sweep(copy, "--no-reports", "--jobs", "1", pairs=["0-2"])

    page = (copy / "reports/index.html").read_text()
    assert result.stdout.splitlines()[-1] == "reports/index.html (3 pairs)"
    assert "0-2/index.html" not in page
    assert "0 against 2: linear" in page


@pytest.mark.parametrize("wrong", ["4", "4-4", "4-10", "a-b", "4-9-3", "ALL", ""])
def test_what_is_no_pair_is_refused(wrong, capsys):
    """In one line."""
    with pytest.raises(SystemExit):
        parser().parse_args(["--digits", wrong])

    assert f"{wrong!r} is neither 'all' nor a pair such as 4-9" in capsys.readouterr().err


def test_by_default_all_pairs_are_searched():
    """Forty-five, none twice."""
    [pairs] = parser().parse_args([]).digits

    assert pairs == ALL
    assert len(pairs) == len({frozenset(pair) for pair in pairs}) == 45


@pytest.mark.parametrize(
    ("errors", "winner", "gap"),
    [((50, 20), "mlp", 0.03), ((7, 9), "linear", -0.002), ((3, 3), "tie", 0)],
)
def test_the_winner_errs_less(errors, winner, gap):
    """By the gap of the two errors, linear less MLP."""
    row = Row(4, 9, 1000, *errors, "")

    assert row.winner == winner
    assert row.gap == pytest.approx(gap)


def test_the_sentence_counts_winners():
    """And names the pair that the models differ most on."""
    found = [Row(0, 1, 100, 5, 4, ""), Row(2, 3, 100, 9, 4, ""), Row(4, 5, 100, 2, 2, "")]

    assert answer(found) == (
        "At its best the MLP erred less on 2 of 3 pairs, the linear model on 0, with 1 tie; they "
        "differ most on 2 against 3, by 5.00 percentage points."
    )


def test_a_storage_without_such_pairs_gives_no_rows(swept):
    """As one of another data set's."""
    assert rows(str(swept[0] / "sweep.db"), "mnist") == []
