"""Fixtures of the search's tests."""

from typing import NamedTuple

import pytest

from study.training.registry import MODELS
from tests.helpers.commands import Result, concurrently, search


class Whole(NamedTuple):
    """Both short searches, never interrupted, on one worker."""

    path: dict  # model → its storage
    result: dict[str, Result]  # model → how its command ended


@pytest.fixture(scope="session")
def whole(once):
    """What every other run of the short searches must equal."""

    def search_in(folder, model):
        (folder / model).mkdir()
        return search(model, folder / model, "--jobs", 1)

    folder, results = once(
        "searches", lambda folder: concurrently(lambda model: search_in(folder, model), MODELS)
    )
    paths = {model: folder / model / "study.db" for model in MODELS}
    return Whole(paths, dict(zip(MODELS, results, strict=True)))
