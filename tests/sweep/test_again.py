"""A sweep that is run again goes on where it was, and shows what the storage has now."""

import json
import re

import pytest

from tests.helpers import commands
from tests.helpers.commands import end, kill, wait_for
from tests.helpers.storages import assert_same

from .helpers import PAIRS, SHORT, begin, links, sweep, table, undated, with_images_of

THREE = (*PAIRS, "2-3")


def pages(folder):
    """When each pair's report was written."""
    return {pair: (folder / f"reports/{pair}/index.html").stat().st_mtime_ns for pair in PAIRS}


def test_a_second_sweep_adds_nothing_and_writes_the_same_page(copy, here):
    """What is there is neither searched nor drawn again."""
    before, written = (copy / "reports/index.html").read_bytes(), pages(copy)

    status, _, stderr = here(copy)

    assert (status, stderr) == (0, "")
    assert (copy / "reports/index.html").read_bytes() == before
    assert pages(copy) == written


@pytest.mark.slow
def test_reports_that_processes_draw_are_drawn_in_silence(copy):
    """Of both pairs at once, each by a process that has its own log."""
    for pair in PAIRS:
        (copy / f"reports/{pair}/index.html").unlink()

    result = sweep(copy, "--jobs", 2)

    assert (result.status, result.stderr) == (0, "")
    assert links(copy) == [f"{pair}/index.html" for pair in PAIRS]


def test_a_sweep_of_another_pair_keeps_those_there_are(copy, here):
    """The overview has all of them; without a report, a cell leads nowhere."""
    _, stdout, _ = here(copy, "--no-reports", "--jobs", 1, pairs=["0-2"])

    page = (copy / "reports/index.html").read_text()
    assert stdout.splitlines()[-1] == "reports/index.html (3 pairs)"
    assert links(copy) == [f"{pair}/index.html" for pair in PAIRS]
    assert "0 against 2: linear" in page


def test_without_any_report_the_page_promises_none(bare, here):
    """Neither by a link nor in words."""
    here(bare, "--no-reports", pairs=["0-1"])

    assert links(bare) == []
    assert "leads to its report" not in (bare / "reports/index.html").read_text()


def test_a_report_of_what_was_there_before_is_drawn_again(copy_of_confirmed, here):
    """More trials and a confirmation make it stale: nothing leads there until it is new."""
    copy = copy_of_confirmed
    between, written = links(copy), pages(copy)
    status, _, stderr = here(copy)
    summary = json.loads((copy / "reports/0-1/summary.json").read_text())

    assert between == ["8-9/index.html"]
    assert links(copy) == ["0-1/index.html", "8-9/index.html"]
    assert (status, stderr) == (0, "")
    assert {pair for pair in PAIRS if pages(copy)[pair] != written[pair]} == {"0-1"}
    assert summary["models"]["mlp"]["trials"] == 6
    assert summary["comparison"]["judged"]["n_splits"] == 2


def test_a_confirmation_is_in_the_table_and_on_the_page(confirmed):
    """As the headline of the pairs that have one."""
    page = (confirmed / "reports/index.html").read_text()
    rows = table(confirmed)

    verdict = rows["0-1"]["verdict"]
    assert verdict.startswith(("The linear model ", "The MLP "))
    assert [row["evidence"] for row in rows.values()] == ["confirmation", "validation"]
    assert rows["8-9"]["verdict"] == ""
    assert re.findall(r"Confirmed: ([^<]*)</td>", page) == [verdict]


def test_the_margin_is_that_of_the_verdict(copy_of_confirmed, here):
    """Of a whole error any two models are equivalent, unless one is better; it is not stored."""
    copy = copy_of_confirmed
    before = table(copy)["0-1"]["verdict"]
    here(copy, "--margin", "100pp", "--no-reports", pairs=["0-1"])
    after = table(copy)["0-1"]["verdict"]

    assert after != before
    assert "equivalent in practice" in after or "less than the margin" in after


@pytest.fixture(scope="module")
def calm(official, tmp_path_factory):
    """A sweep of three pairs, one after another, that nothing happened to."""
    folder = with_images_of(official, tmp_path_factory.mktemp("calm"))
    options = (*SHORT, "--digits", *THREE, "--no-reports", "--jobs", 1)
    assert commands.here("study.sweep", *options, folder=folder).status == 0
    return folder


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.faults), 2])
def test_a_kill_changes_nothing_in_the_end(calm, bare, here, jobs):
    """After the first pair its line is in the log and on the page; then all as without a kill."""
    log = bare / "log"
    with log.open("w") as stdout:
        process = begin(bare, "--no-reports", "--jobs", jobs, pairs=THREE, stdout=stdout)
        wait_for(log.read_text, process)
        kill(process)
        end(process)
    lines, shown = log.read_text().splitlines(), set(table(bare))
    status, _, stderr = here(bare, "--no-reports", pairs=THREE)

    assert process.returncode == -9
    assert {line[:3] for line in lines} <= shown < set(THREE)
    assert (status, stderr) == (0, "")
    for pair in THREE:
        for model in ("linear", "mlp"):
            assert_same(bare / "sweep.db", calm / "sweep.db", f"kmnist-{pair}/{model}")
    for name in ("index.html", "sweep.csv"):
        assert undated(bare, name) == undated(calm, name)
