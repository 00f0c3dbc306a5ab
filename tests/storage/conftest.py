"""Fixtures of the storage's tests."""

import optuna
import pytest

from study.storage import open_study


@pytest.fixture(autouse=True)
def _quiet():
    """Optuna's log says nothing."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def path(tmp_path):
    """Where a storage may be made."""
    return tmp_path / "study.db"


@pytest.fixture
def study(path):
    """A fresh study called linear, at ``path``."""
    return open_study(str(path), "linear")
