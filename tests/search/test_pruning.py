"""Pruners stop trials early, and what was stopped never competes."""

import pytest

from study import trials as stored
from study.search import Settings, search
from study.search.checkpoints import weights_path
from study.training.protocol import Protocol
from tests.helpers.plans import plan
from tests.helpers.storages import trials


@pytest.fixture(scope="module", params=["median", "halving", "hyperband"])
def pruned(request, tmp_path_factory):
    """A search with a pruner: its storage, and its trials as Optuna reads them."""
    path = tmp_path_factory.mktemp(request.param) / "study.db"
    protocol = Protocol(steps=400, val_every=20)
    searched = plan(pruner=request.param, generation_size=16, cohort_size=16, protocol=protocol)
    search(searched, Settings(str(path), "linear", 48))
    return path, trials(path, "linear")


def states(found, name):
    """The trials of that state."""
    return [trial for trial in found if trial.state.name == name]


def test_a_pruner_stops_some_trials_and_leaves_others(pruned):
    """Both states are there, and no third."""
    _, found = pruned

    assert states(found, "PRUNED")
    assert states(found, "COMPLETE")
    assert len(states(found, "PRUNED")) + len(states(found, "COMPLETE")) == len(found)


def test_a_pruned_trial_is_stored_as_optuna_stores_one(pruned):
    """Its value is the last error that it reported, and its curve ends there."""
    for trial in states(pruned[1], "PRUNED"):
        last = max(trial.intermediate_values)

        assert trial.user_attrs["curve"]["step"][-1] == last < 380
        assert trial.value == trial.intermediate_values[last]
        assert trial.user_attrs["outcome"] in ("pruned", "diverged")


def test_a_complete_trial_was_trained_to_the_end(pruned):
    """Its curve has every validation, and its value is the lowest."""
    for trial in states(pruned[1], "COMPLETE"):
        curve = trial.user_attrs["curve"]

        assert curve["step"] == list(range(0, 400, 20))
        assert trial.value == min(curve["val_errors"]) / trial.user_attrs["n_val"]


def test_pruned_trials_leave_no_weights(pruned):
    """The weights that are kept are those of the five best complete trials."""
    path, found = pruned
    complete = sorted(
        (t.user_attrs["val_errors"], t.user_attrs["val_loss"], t.number)
        for t in states(found, "COMPLETE")
    )
    kept = [t.number for t in found if weights_path(str(path), "linear", t.number).exists()]

    assert kept == sorted(number for *_, number in complete[:5])


def test_the_best_trial_is_a_complete_one(pruned):
    """Even where every pruned trial's lowest error is lower."""
    found = [stored.StoredTrial.of(trial) for trial in pruned[1]]
    for trial in found:
        if trial.state == "PRUNED":
            object.__setattr__(trial, "val_errors", 0)

    best = stored.best_of(found)

    assert best.state == "COMPLETE"
    assert best.val_errors == min(t.val_errors for t in found if t.state == "COMPLETE")


def test_a_pruned_trials_digest_recomputes(pruned):
    """What is stored of a pruned trial is sealed as that of any other."""
    for trial in pruned[1]:
        assert stored.digest(trial.user_attrs, trial.value) == trial.user_attrs["digest"]
