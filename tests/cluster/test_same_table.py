"""The trial table does not depend on where cohorts are trained or trials are kept."""

from itertools import product
from pathlib import Path

import pytest

from study.training.registry import MODELS
from study.workers import Workers
from study.workers.remote import TaskRequirements, Unfit, decode_result, encode_task
from tests.helpers.commands import command, run
from tests.helpers.plans import SHORT, confirmed, searched
from tests.helpers.storages import copied

from .helpers import rows

WORKERS = {
    "two local processes": Workers(2),
    "two threads": Workers(2, backend="threading"),
    "two of loky's": Workers(2, backend="loky"),
    "two Dask workers": None,
}


STORAGES = ("SQLite", "PostgreSQL")
SHORTLY = [  # each kind of workers, each storage and each model, if not with each other
    ("SQLite", "two local processes", "mlp"),
    ("SQLite", "two threads", "linear"),
    ("SQLite", "two of loky's", "linear"),
    ("PostgreSQL", "two Dask workers", "mlp"),
]
CASES = [
    pytest.param(
        *case,
        marks=() if case in SHORTLY else pytest.mark.slow,
        id="-".join(case).replace(" ", "-"),
    )
    for case in product(STORAGES, WORKERS, MODELS)
]


@pytest.fixture
def workers(request):
    """The workers of each kind, as a command would name them."""
    found = WORKERS[request.param]
    return found or Workers(dask=request.getfixturevalue("cluster").address)


@pytest.fixture
def storage(request, tmp_path):
    """Where an empty storage may be made."""
    if request.param == "SQLite":
        return tmp_path / "study.db"
    return request.getfixturevalue("server").database()


@pytest.mark.parametrize(("storage", "workers", "model"), CASES, indirect=["storage", "workers"])
def test_a_search_gives_the_same_trials(calm, storage, workers, model):
    """Bit for bit those of one thread on SQLite."""
    searched(storage, model, workers=workers)

    assert rows(storage, model) == rows(calm, model)


def test_a_confirmation_gives_the_same_trials(calm, calmly_confirmed, cluster, tmp_path):
    """The units of a confirmation are as portable as cohorts."""
    path = confirmed(copied(calm, tmp_path), workers=Workers(dask=cluster.address))

    for model, part in product(("linear", "mlp"), ("replicates", "splits")):
        name = f"{model}/{part}"
        assert rows(path, name) == rows(calmly_confirmed, name)


OWN = Path(__file__).parents[2] / "examples/two_hidden_layers.py"


@pytest.mark.parametrize(
    "there", [(), pytest.param(("--backend", "loky"), marks=pytest.mark.slow)]
)
def test_a_model_of_ones_own_is_trained_by_other_processes_too(tmp_path, there):
    """They load its file, and give the trials of this process."""
    line = command("two-hidden-layers", *SHORT, "--steps", 40, "--model-file", OWN)
    where = {"here": ("1",), "there": ("2", *there)}
    for name, options in where.items():
        more = ("--storage", f"{name}.db", "--n-trials", 4, "--jobs", *options)
        result = run([*line, *more], tmp_path)
        assert (result.status, result.stderr) == (0, "")

    one, other = (rows(tmp_path / f"{name}.db", "two-hidden-layers") for name in where)
    assert one == other


def test_a_worker_with_another_file_is_unfit(tmp_path):
    """The worker is named with what it has."""
    path = tmp_path / "model.py"
    path.write_text("old")
    requirements = TaskRequirements.of(None, (path,))
    path.write_text("new")
    call, names = encode_task(len, "", requirements)

    with pytest.raises(Unfit, match=rf"worker pid \d+ on \S+: has {path} \w+, not \w+: install"):
        decode_result(eval(call, names))
