"""Fixtures of the search's tests."""

from typing import NamedTuple

import optuna
import pytest

from study.training.registry import MODELS

from .helpers import Result, concurrently, search


class Whole(NamedTuple):
    """Both short searches, never interrupted, on one worker."""

    path: dict  # model → its storage
    result: dict[str, Result]  # model → how its command ended


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """What every other run of the short searches must equal."""
    folders = {model: tmp_path_factory.mktemp(model) for model in MODELS}
    results = concurrently(lambda model: search(model, folders[model], "--jobs", 1), MODELS)
    paths = {model: folder / "study.db" for model, folder in folders.items()}
    return Whole(paths, dict(zip(MODELS, results, strict=True)))


@pytest.fixture(autouse=True, scope="session")
def _quiet():
    """Optuna's log says nothing."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)
