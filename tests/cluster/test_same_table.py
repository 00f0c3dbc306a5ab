"""The trial table does not depend on where cohorts are trained or trials are kept."""

from pathlib import Path

import pytest

from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.training.registry import MODELS
from study.workers import Workers
from study.workers.remote import TaskRequirements, Unfit, decode_result, encode_task
from tests.helpers.commands import command, run
from tests.helpers.plans import SHORT, searched

from .helpers import rows

WORKERS = {
    "two local processes": Workers(2),
    "two threads": Workers(2, backend="threading"),
    "two of loky's": Workers(2, backend="loky"),
    "two Dask workers": None,
}


@pytest.fixture(params=WORKERS, ids=lambda name: name.replace(" ", "-"))
def workers(request):
    """The workers of each kind, as a command would name them."""
    found = WORKERS[request.param]
    return found or Workers(dask=request.getfixturevalue("cluster").address)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def storage(request, tmp_path):
    """Where an empty storage may be made."""
    if request.param == "SQLite":
        return tmp_path / "study.db"
    return request.getfixturevalue("server").database()


@pytest.mark.parametrize("model", MODELS)
def test_a_search_gives_the_same_trials(calm, storage, workers, model):
    """Bit for bit those of one thread on SQLite."""
    searched(storage, model, workers=workers)

    assert rows(storage, model) == rows(calm, model)


@pytest.fixture(scope="module")
def confirmed(calm, tmp_path_factory):
    """The calm searches' confirmation on one thread."""
    return _confirmed(tmp_path_factory.mktemp("confirmed") / "study.db", Workers())


def _confirmed(path, workers):
    for model in ("linear", "mlp"):
        searched(path, model)
    sizes = {"seeds": 2, "splits": 2, "n_trials": 2, "finalists": 1}
    confirm(ConfirmSettings(str(path), ("linear", "mlp"), **sizes, workers=workers))
    return path


@pytest.mark.parametrize("part", ["/replicates", "/splits"])
def test_a_confirmation_gives_the_same_trials(confirmed, cluster, part, tmp_path):
    """The units of a confirmation are as portable as cohorts."""
    path = _confirmed(tmp_path / "study.db", Workers(dask=cluster.address))

    for model in ("linear", "mlp"):
        assert rows(path, model + part) == rows(confirmed, model + part)


OWN = Path(__file__).parents[2] / "examples/two_hidden_layers.py"


def test_a_model_of_ones_own_is_trained_by_other_processes_too(tmp_path):
    """They load its file, and give the trials of this process."""
    line = command("two-hidden-layers", *SHORT, "--steps", 40, "--model-file", OWN)
    where = {"here": ("1",), "forked": ("2",), "loky": ("2", "--backend", "loky")}
    for name, options in where.items():
        result = run([*line, "--storage", f"{name}.db", "--jobs", *options], tmp_path)
        assert (result.status, result.stderr) == (0, "")

    here, *there = (rows(tmp_path / f"{name}.db", "two-hidden-layers") for name in where)
    assert there == [here, here]


def test_a_worker_with_another_file_is_unfit(tmp_path):
    """The worker is named with what it has."""
    path = tmp_path / "model.py"
    path.write_text("old")
    requirements = TaskRequirements.of(None, (path,))
    path.write_text("new")
    call, names = encode_task(len, "", requirements)

    with pytest.raises(Unfit, match=rf"worker pid \d+ on \S+: has {path} \w+, not \w+: install"):
        decode_result(eval(call, names))
