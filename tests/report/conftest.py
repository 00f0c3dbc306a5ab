import shutil
from pathlib import Path

import pytest

from study.search import Plan, Settings, search
from study.training.protocol import Protocol
from study.training.registry import MODELS
from study.training.space import SearchSpace

SHORT = Protocol(steps=300)


def searched(storage, model, *, name=None, protocol=SHORT, n_trials=6, **changes):
    """Search for real, shortly; a target, a sampler and so on may be named."""
    kind = MODELS[model]
    space = SearchSpace((1e-3, 0.5), (8, 32) if kind.has_hidden_units else None)
    fields = {"space": space, "target": kind.target, "generation_size": 3, "cohort_size": 3}
    plan = Plan(model=model, protocol=protocol, **fields | changes)
    search(plan, Settings(str(storage), name or model, n_trials=n_trials))
    return storage


def copied(storage, folder) -> Path:
    """A copy of a storage, weights included."""
    shutil.copytree(storage.parent, folder)
    return folder / storage.name


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """Two short searches, which no test may change."""
    storage = tmp_path_factory.mktemp("searched") / "study.db"
    searched(storage, "linear")
    return searched(storage, "mlp")


@pytest.fixture(scope="session")
def confirmed(original, tmp_path_factory):
    """The same, confirmed shortly."""
    from study.confirm.loop import Settings as Confirmation
    from study.confirm.loop import confirm

    storage = copied(original, tmp_path_factory.mktemp("confirmed") / "of")
    sizes = {"seeds": 5, "splits": 3, "n_trials": 3, "finalists": 2}
    confirm(Confirmation(str(storage), ("linear", "mlp"), **sizes))
    return storage


@pytest.fixture(scope="session")
def report(confirmed, tmp_path_factory):
    """The folder of its report."""
    from study.report import write

    folder = tmp_path_factory.mktemp("report")
    write(str(confirmed), folder)
    return folder


@pytest.fixture
def storage(original, tmp_path) -> Path:
    """A copy of the searches, to do something to."""
    return copied(original, tmp_path / "copy")
