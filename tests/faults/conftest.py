"""What the tests of faults share: the calm search that every other must equal."""

import optuna
import pytest

from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.search import Settings
from study.search import search as search_here
from study.training.protocol import Protocol
from tests.search.helpers import plan

from .helpers import search


@pytest.fixture(autouse=True, scope="session")
def _quiet():
    """Optuna's log says nothing."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(scope="session")
def calm(tmp_path_factory):
    """The storage of a search that nothing happened to. The images are in memory after it."""
    path = tmp_path_factory.mktemp("calm") / "study.db"
    search(path)
    return path


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    """Both models, searched and confirmed: everything that a report can show."""
    path = tmp_path_factory.mktemp("golden") / "study.db"
    protocol = Protocol(steps=100, val_every=20)
    for model in ("linear", "mlp"):
        search_here(plan(model, protocol=protocol), Settings(str(path), model, 4))
    sizes = {"seeds": 2, "splits": 2, "n_trials": 2, "finalists": 1}
    confirm(ConfirmSettings(str(path), ("linear", "mlp"), **sizes))
    return path
