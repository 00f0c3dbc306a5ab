"""Small real searches and their confirmation, made once."""

from typing import NamedTuple

import pytest

from study.confirm.comparison import compare
from study.confirm.plan import read_searched
from tests.helpers.commands import Result
from tests.helpers.plans import search, space_of
from tests.helpers.storages import copied

from .helpers import OPTIONS, PAIR, plan, run
from .oracle import Evidence


class Confirmed(NamedTuple):
    """A confirmed storage and how its command ended."""

    path: object
    result: Result


@pytest.fixture(scope="session")
def searched(once):
    """Both models searched; the linear one again under another seed, the MLP in another range.

    The seeds are such that the recommended trial of either model is not its best one.
    """

    def make(folder):
        path = folder / "study.db"
        search(path, "linear", 16, plan("linear", seed=0))
        search(path, "linear-2", 16, plan("linear", seed=1))
        search(path, "mlp", 8, plan("mlp", seed=5))
        search(path, "mlp-wide", 8, plan("mlp", seed=11, space=space_of(hidden_units=(16, 24))))

    return once("to confirm", make)[0] / "study.db"


@pytest.fixture(scope="session")
def confirmed(searched, once):
    """Both models, confirmed by the real command on one worker."""
    folder, result = once(
        "confirmed",
        lambda folder: run("study.confirm", copied(searched, folder), *OPTIONS, "--jobs", 1),
    )
    return Confirmed(folder / "study.db", result)


@pytest.fixture(scope="session")
def comparison(confirmed):
    """What the package makes of it."""
    return compare(str(confirmed.path), PAIR)


@pytest.fixture(scope="session")
def evidence(confirmed):
    """The same, from the SQLite file alone."""
    return Evidence.of(confirmed.path, *PAIR)


@pytest.fixture(scope="session")
def searches(searched):
    """Name → the study, as it was read to be confirmed."""
    return {name: read_searched(str(searched), name) for name in ("linear", "linear-2", "mlp")}


@pytest.fixture
def fresh(searched, tmp_path):
    """A copy of the searches, to confirm otherwise."""
    return copied(searched, tmp_path)


@pytest.fixture
def again(confirmed, tmp_path):
    """A copy of the confirmed storage, to do something to."""
    return copied(confirmed.path, tmp_path)
