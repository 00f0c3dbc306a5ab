"""A sweep's rows do not depend on where its pairs were trained, or kept."""

import sys
from pathlib import Path

import pytest

from study.sweep import loop
from study.sweep.options import parser, settings_of
from tests.helpers.commands import run, until
from tests.sweep.helpers import (
    PAIRS,
    sweep,
    swept_once,
    undated,
    with_images_of,
    write_files,
)

from .helpers import rows


@pytest.fixture(scope="module")
def alone(once):
    """The sweep on threads of one process, with SQLite; that of the tests of sweeps."""
    return swept_once(once)[0]


@pytest.fixture
def bare(alone, tmp_path):
    """A folder with the training files alone."""
    return with_images_of(alone, tmp_path)


@pytest.mark.parametrize("kept", [pytest.param("SQLite", marks=pytest.mark.slow), "PostgreSQL"])
def test_a_cluster_gives_the_same_rows(alone, bare, cluster, kept, request):
    """Bit for bit, on two workers that share the pairs."""
    storage = str(bare / "sweep.db")
    if kept == "PostgreSQL":
        storage = request.getfixturevalue("server").database()

    result = sweep(bare, "--no-reports", "--dask", cluster.address, "--storage", storage)

    assert (result.status, result.stderr) == (0, "")
    assert undated(bare, "sweep.csv") == undated(alone, "sweep.csv")
    for pair in PAIRS:
        for model in ("linear", "mlp"):
            name = f"kmnist-{pair}/{model}"
            assert rows(storage, name) == rows(alone / "sweep.db", name)


def test_a_cluster_gives_the_same_rows_of_a_persons_data(cluster, tmp_path):
    """Each worker reads the file; a model that both commands load from a file is trained too."""
    models = ("linear", "two-hidden-layers")
    example = Path(__file__).parents[2] / "examples/two_hidden_layers.py"
    options = ("--steps", "20", "--val-every", "10", "--n-trials", "2", "--no-reports")
    options += ("--data", "cancer.csv", "digits.npz", "--models", *models)
    options += ("--model-file", str(example))
    write_files(tmp_path)
    for place in ((), ("--dask", cluster.address)):
        storage = ("--storage", f"{len(place)}.db")
        command = [sys.executable, "-m", "study.sweep", *options, *storage, *place]
        result = run(command, tmp_path)
        assert (result.status, result.stderr) == (0, "")

    for name in (f"{data}/{model}" for data in ("cancer.csv", "digits.npz") for model in models):
        assert rows(tmp_path / "2.db", name) == rows(tmp_path / "0.db", name)


@pytest.mark.faults
def test_a_scheduler_that_is_not_there_is_told_once(bare):
    """Before any pair is begun."""
    status, stdout, stderr = sweep(bare, "--dask", "tcp://127.0.0.1:1")

    assert (status, stdout) == (5, "")
    assert stderr.startswith("study: --dask tcp://127.0.0.1:1: no scheduler answers")
    assert stderr.count("\n") == 1


def test_by_default_a_pair_is_searched_for_every_thread_of_the_cluster(cluster, monkeypatch):
    """But no fewer than cores here; and as many as are asked for."""
    monkeypatch.setattr("study.system.available_cores", lambda: 1)

    def at_once(*options):
        args = parser().parse_args(["--dask", cluster.address, *options])
        return loop.at_once(settings_of(args))

    until(lambda: at_once() == 2, "both workers")
    assert at_once("--jobs", "5") == 5
