"""``python -m study``: one pool for all that trains, and a first report of the searches alone."""

import json

import pytest

import study.command as whole
from study.workers import Workers
from tests.helpers.commands import here
from tests.helpers.sql import studies
from tests.report.helpers import Undrawn

TINY = ("--steps", 20, "--val-every", 10, "--n-trials", 4)
CONFIRMED = ("--seeds", 2, "--splits", 2, "--finalists", 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A whole study; the pools that it opened, the reports' summaries, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    opened, summaries = [], []
    open_, report = Workers.open, whole.run_report

    def opening(*args, **options):
        opened.append(args)
        return open_(*args, **options)

    def reporting(settings, **options):
        status = report(settings, **options)
        summaries.append(json.loads((settings.out / "summary.json").read_text()))
        return status

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workers, "open", opening)
        patch.setattr(whole, "run_report", reporting)
        patch.setattr(whole, "Drawn", Undrawn)
        how = ("--jobs", 2, "--out", folder / "reports", "-q")
        assert here("study", "--storage", folder / "study.db", *TINY, *CONFIRMED, *how).status == 0
    return opened, summaries, folder


def test_all_that_trains_shares_one_pool(run):
    """Both searches, the splits and the replicates: no server is started twice."""
    opened, _, folder = run

    assert len(opened) == 1
    parts = {f"{name}{part}" for name in ("linear", "mlp") for part in ("/replicates", "/splits")}
    assert set(studies(folder / "study.db")) == {"linear", "mlp", *parts}


def test_the_first_report_tells_the_searches_alone(run):
    """It is read before the confirmation records anything, so it never depends on time."""
    _, (first, second), _ = run

    assert first["comparison"] is None
    assert second["comparison"]["judged"]["n_splits"] == 2
    assert first["models"] == second["models"]


def test_searches_side_by_side_give_the_trials_of_each_alone(run, tmp_path):
    """Whatever the other one does at the same time."""
    _, _, folder = run
    for model in ("linear", "mlp"):
        here("study.search", "--storage", tmp_path / "alone.db", "--model", model, *TINY, "-q")

    paths = (folder / "study.db", tmp_path / "alone.db")
    for model in ("linear", "mlp"):
        ours, alone = (digests(path, model) for path in paths)
        assert len(ours) == 4
        assert ours == alone


def digests(path, model):
    """Those of a study's trials, in order."""
    from study.storage.searched import Searched

    return [trial.user_attrs["digest"] for trial in Searched.read(str(path), model).frozen]
