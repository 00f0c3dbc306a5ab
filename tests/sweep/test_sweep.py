"""A sweep's storage, overview and table say the same, and it goes on where it was."""

import re
from datetime import UTC
from html.parser import HTMLParser

import numpy as np
import optuna
import pytest

from study.confirm.plan import PARTS
from study.storage import load_study, study_names
from study.sweep.data_sets import ALL, DataSet, of_pair, pairs
from study.sweep.options import parser, settings_of
from study.sweep.table import read

from .helpers import PAIRS, TINY, table


@pytest.fixture(scope="module")
def page(swept):
    """The overview."""
    return (swept[0] / "reports/index.html").read_text()


def test_every_pair_has_its_two_studies_in_one_storage(swept):
    """Named after data set, pair and model, each as large as was asked for."""
    folder, result = swept
    names = {f"kmnist-{pair}/{model}" for pair in PAIRS for model in ("linear", "mlp")}

    assert (result.status, result.stderr) == (0, "")
    assert set(study_names(str(folder / "sweep.db"))) == names
    for name in names:
        assert len(load_study(str(folder / "sweep.db"), name).trials) == 4


def test_every_pair_has_another_seed(swept):
    """Derived from the stated one and the pair; its models share it, so they see its batches."""
    seeds = seeds_of(swept[0])

    assert seeds == {pair: {of_pair("kmnist", pairs(pair)[0]).seed(0)} for pair in PAIRS}
    assert len(set.union(*seeds.values())) == 2


def seeds_of(folder, parts=("",), pairs=PAIRS):
    """The seeds of each pair's studies, or of what confirms them."""
    storage = str(folder / "sweep.db")
    return {
        pair: {
            load_study(storage, f"kmnist-{pair}/{model}{part}").user_attrs["manifest"]["seed"]
            for model in ("linear", "mlp")
            for part in parts
        }
        for pair in pairs
    }


def test_a_sweep_with_one_seed_for_all_goes_on_with_it(bare, here, monkeypatch):
    """As earlier versions began it, also where a pair was searched in part, or confirmed."""
    with monkeypatch.context() as former:
        former.setattr(DataSet, "seed", lambda data, stated: stated)
        assert here(bare, *TINY, "--no-reports", pairs=["0-1"])[0] == 0
        assert here(bare, "--no-reports", pairs=["8-9"])[0] == 0
    optuna.delete_study(study_name="kmnist-8-9/mlp", storage=f"sqlite:///{bare}/sweep.db")

    confirmed = here(bare, *TINY, "--seeds", 3, "--no-reports", pairs=["0-1"])
    completed = here(bare, "--no-reports", pairs=["8-9"])

    assert [confirmed[::2], completed[::2]] == 2 * [(0, "")]
    assert seeds_of(bare) == {pair: {0} for pair in PAIRS}
    assert seeds_of(bare, PARTS, pairs=["0-1"]) == {"0-1": {0}}


def test_a_confirmation_of_it_has_its_pairs_own_seed(confirmed):
    """As the search has."""
    assert seeds_of(confirmed, PARTS, pairs=["0-1"]) == seeds_of(confirmed, pairs=["0-1"])


def test_the_table_has_each_pairs_lowest_errors(swept):
    """As Optuna's own best values say."""
    folder, _ = swept

    assert list(table(folder)) == list(PAIRS)
    for pair, row in table(folder).items():
        for model in ("linear", "mlp"):
            assert row[f"{model}_complete"] == row[f"{model}_trials"] == "4"
            best = load_study(str(folder / "sweep.db"), f"kmnist-{pair}/{model}").best_value
            assert float(row[f"{model}_error"]) == best
        gap = float(row["linear_error"]) - float(row["mlp_error"])
        assert float(row["gap_points"]) == pytest.approx(100 * gap)
        assert float(row["lower_points"]) <= 100 * gap <= float(row["upper_points"])


def test_the_page_says_what_made_the_sweep(swept, page):
    """Protocol, versions, machine, and the day of the newest trial, as they were recorded."""
    studies = [load_study(str(swept[0] / "sweep.db"), f"kmnist-{pair}/mlp") for pair in PAIRS]
    machine, versions = (studies[0].user_attrs[name] for name in ("machine", "manifest"))
    ends = [trial.datetime_complete.astimezone(UTC) for s in studies for trial in s.trials]

    for name, text in {
        "Protocol": "120 images train, 40 steps of 10, validated every 20, trials by qmc",
        "Seed": "2 different ones, in column seed of sweep.csv",
        "Versions": f"study {versions['versions']['study']}, numpy {np.__version__}, ",
        "Machine": f"{machine['processor']}, ",
        "Newest trial": f"{max(ends).date()} (UTC)",
    }.items():
        assert f'<th scope="row">{name}</th><td>{text}' in page


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
    """From both of a pair's places in the matrix, and from the table, which is a file too."""
    links = Cells(page).links

    reports = 3 * [f"{pair}/index.html" for pair in PAIRS]
    assert sorted(links) == sorted([*reports, "sweep.csv"])
    assert (swept[0] / "reports/sweep.csv").exists()
    for link in reports:
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


def test_the_progress_says_what_the_table_does(swept):
    """A line a pair, with the counts of errors, and where the overview is."""
    folder, result = swept
    *lines, last = result.stdout.splitlines()

    assert last == "reports/index.html (2 pairs)"
    for line in lines:
        row = table(folder)[line[:3]]
        counts = re.findall(r"\((\d+) of (\d+)\)", line)
        assert counts == [(row[f"{m}_errors"], row["n_val"]) for m in ("linear", "mlp")]


@pytest.mark.parametrize("wrong", ["4", "4-4", "4-10", "a-b", "4-9-3", "ALL", ""])
def test_what_is_no_pair_is_refused(wrong, capsys):
    """In one line."""
    with pytest.raises(SystemExit):
        parser().parse_args(["--digits", wrong])

    assert f"{wrong!r} is neither 'all' nor a pair such as 4-9" in capsys.readouterr().err


def test_by_default_all_pairs_are_searched():
    """Forty-five, none twice."""
    pairs = [each.pair for each in settings_of(parser().parse_args([])).data]

    assert tuple(pairs) == ALL
    assert len(pairs) == len({frozenset(pair) for pair in pairs}) == 45


@pytest.mark.parametrize("named", [["9-4"], ["4-9", "9-4"]])
def test_a_pair_has_no_order(named):
    """The smaller class comes first, as in the table, and the pair is searched once."""
    pairs = parser().parse_args(["--digits", *named]).digits

    assert {pair for some in pairs for pair in some} == {(4, 9)}


def test_the_files_are_read_once_and_a_pairs_images_made_once(bare, here, monkeypatch):
    """However many pairs are searched at once in a process, and whatever their cohorts."""
    from study import dataset
    from study.training import images

    calls = []
    for module, name in ((dataset, "read"), (images, "images_of")):
        monkeypatch.setattr(module, name, counted(calls, getattr(module, name)))

    options = ("--no-reports", "--jobs", 3, "--n-trials", 24, "--backend", "threading")
    here(bare, *options, pairs=("0-1", "2-3", "4-5"))

    assert sorted(calls) == [*3 * ["images_of"], "read"]


def counted(calls, function):
    """The function, whose name is noted whenever it is called."""

    def call(*args, **options):
        calls.append(function.__name__)
        return function(*args, **options)

    return call


def test_a_storage_without_such_pairs_gives_no_rows(swept):
    """As one of another data set's."""
    pairs = [of_pair("mnist", pair) for pair in ALL]

    assert read(str(swept[0] / "sweep.db"), pairs, ("linear", "mlp")) == {}
