"""What the tests of faults share: the calm search that every other must equal."""

import pytest

from study.training.protocol import Protocol
from tests.helpers.plans import confirmed, searched

from .helpers import NAME, search


@pytest.fixture(scope="session")
def calm(once):
    """The storage of a search that nothing happened to. The images are in memory after it."""
    from study.dataset import load

    load()
    return once("calm", lambda folder: search(folder / "study.db"))[0] / "study.db"


@pytest.fixture(scope="session")
def reported(calm, once):
    """A report of the calm search, which no test may change."""
    from study.report import write

    return once("report of calm", lambda folder: write(str(calm), folder, linear=NAME))[0]


@pytest.fixture(scope="session")
def golden(once):
    """Both models, searched and confirmed: everything that a report can show."""

    def make(folder):
        for model in ("linear", "mlp"):
            protocol = Protocol(steps=100, val_every=20)
            searched(folder / "study.db", model, 4, protocol=protocol)
        confirmed(folder / "study.db")

    return once("golden", make)[0] / "study.db"
