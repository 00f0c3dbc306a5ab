import shutil
from pathlib import Path

import pytest

from study.objective import MODELS, SearchSpace
from study.protocol import Protocol
from study.search import Plan, Settings, search

SHORT = Protocol(steps=300)
RATES = {"linear": (1e-3, 0.5), "mlp": (1e-3, 0.5)}


def searched(storage, model, *, name=None, protocol=SHORT, n_trials=6, target=None):
    """Search for real, shortly; a target may be named."""
    plan = Plan(
        model=model,
        space=SearchSpace(RATES[model], (8, 32) if model == "mlp" else None),
        protocol=protocol,
        target=MODELS[model].target if target is None else target,
        generation=3,
        cohort=3,
    )
    search(plan, Settings(str(storage), name or model, n_trials=n_trials))
    return storage


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """Two short searches, which no test may change."""
    storage = tmp_path_factory.mktemp("searched") / "study.db"
    searched(storage, "linear")
    return searched(storage, "mlp")


@pytest.fixture
def storage(original, tmp_path) -> Path:
    """A copy of them, weights included."""
    shutil.copytree(original.parent, tmp_path / "copy")
    return tmp_path / "copy" / original.name
