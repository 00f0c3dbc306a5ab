import shutil
from pathlib import Path

import pytest

from study.training.protocol import Protocol
from study.training.registry import MODELS
from tests.helpers import plans
from tests.helpers.plans import space_of

SHORT = Protocol(steps=300)


def searched(storage, model, *, name=None, protocol=SHORT, n_trials=6, **changes):
    """Search for real, shortly; a target, a sampler and so on may be named."""
    kind = MODELS[model]
    space = space_of((1e-3, 0.5), (8, 32) if kind.size_parameters else None)
    fields = {"space": space, "target": kind.target, "generation_size": 3, "cohort_size": 3}
    plan = plans.plan(model, protocol=protocol, **fields | changes)
    plans.search(storage, name or model, n_trials, plan)
    return storage


def copied(storage, folder) -> Path:
    """A copy of a storage, weights included."""
    shutil.copytree(storage.parent, folder)
    return folder / storage.name


@pytest.fixture(scope="session")
def original(once):
    """Two short searches, which no test may change."""

    def make(folder):
        for model in ("linear", "mlp"):
            searched(folder / "study.db", model)

    return once("to report", make)[0] / "study.db"


@pytest.fixture(scope="session")
def confirmed(original, once):
    """The same, confirmed shortly."""
    sizes = {"seeds": 5, "splits": 3, "n_trials": 3, "finalists": 2}

    def make(folder):
        plans.confirmed(copied(original, folder / "of"), **sizes)

    return once("to report, confirmed", make)[0] / "of" / "study.db"


@pytest.fixture(scope="session")
def first_report(original, once):
    """The folder of the report of the two searches, and the pictures that it drew."""
    from study.report import write
    from study.report.drawn import Drawn

    def make(folder):
        drawn = Drawn()
        write(str(original), folder, drawn=drawn)
        return drawn

    return once("first report", make)


@pytest.fixture(scope="session")
def drawn(first_report):
    """These pictures, which the reports of the same searches need not draw again."""
    return first_report[1]


@pytest.fixture(scope="session")
def report(confirmed, once):
    """The folder of the report of the confirmed ones, all of whose pictures are drawn for it."""
    from study.report import write

    return once("report", lambda folder: write(str(confirmed), folder))[0]


@pytest.fixture(scope="session")
def rendered(original, once):
    """The page of the two searches, without files beside it."""
    from study.report import render

    return once("rendered", lambda _: render(str(original)))[1]


SIX = {
    "linear": "linear",
    "mlp": "mlp",
    "linear, another seed and a name that is long": "linear",
    "mlp-16": "mlp",
    "mlp with sixty-four units": "mlp",
    "a": "linear",
}  # study → its kind of model


@pytest.fixture(scope="session")
def six(once):
    """Six short searches, confirmed as shortly as can be."""

    def make(folder):
        for seed, (name, model) in enumerate(SIX.items()):
            searched(folder / "study.db", model, name=name, seed=seed)
        plans.confirmed(folder / "study.db", names=tuple(SIX), splits=3)

    return once("six models", make)[0] / "study.db"


@pytest.fixture(scope="session")
def six_report(six, once):
    """The folder of their report."""
    from study.report import write

    options = {"names": tuple(SIX), "formats": ("svg",)}
    return once("report of six", lambda folder: write(str(six), folder, **options))[0]


@pytest.fixture
def storage(original, tmp_path) -> Path:
    """A copy of the searches, to do something to."""
    return copied(original, tmp_path / "copy")
