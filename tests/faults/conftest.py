"""What the tests of faults share: the calm search that every other must equal."""

import optuna
import pytest

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
