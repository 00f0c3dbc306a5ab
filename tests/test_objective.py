"""The search space, the models that are built, and the objective under plain Optuna."""

import json
from dataclasses import replace

import numpy as np
import optuna
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FixedTrial, TrialState

from study.search.objective import Objective
from study.search.planner import Planner
from study.seeds import derive, generator
from study.training.models import SimpleLinear, SimpleMLP
from study.training.plan import Plan
from study.training.protocol import report_steps
from study.training.registry import MODELS, build, default_space
from study.training.space import configuration, sampled, suggest
from study.training.task import Task
from study.training.work import train_on
from study.trials import StoredTrial, digest
from tests.helpers.plans import configuration_of, space_of

SPACES = {
    "linear": space_of((1e-3, 0.1)),
    "mlp": space_of((1e-3, 0.1), (8, 32)),
}
every_model = pytest.mark.parametrize("model", MODELS)


def optimised(objective, params, pruner=None):
    """An in-memory study of these parameters under plain ``study.optimize``."""
    study = optuna.create_study(pruner=pruner or optuna.pruners.NopPruner())
    for point in params:
        study.enqueue_trial(point)
    study.optimize(objective, n_trials=len(params))
    return study


# --- seeds ----------------------------------------------------------------------------------


def test_derived_seeds_are_those_of_stored_studies():
    """SeedSequence's first word under (stream, number): a change would break resuming."""
    expected = np.random.SeedSequence(7, spawn_key=(1, 3)).generate_state(1)[0]

    assert derive(7, "weights", 3) == int(expected)
    assert derive(0, "batches") == int(
        np.random.SeedSequence(0, spawn_key=(0, 0)).generate_state(1)[0]
    )


def test_streams_numbers_and_seeds_are_all_different():
    """No two of 1,200 derived seeds are equal."""
    streams = ("batches", "weights", "sampler", "splits")
    seeds = {derive(s, stream, n) for s in range(3) for stream in streams for n in range(100)}

    assert len(seeds) == 1_200
    assert generator(1, "splits", 2).random() == generator(1, "splits", 2).random()


# --- the space ------------------------------------------------------------------------------


def test_the_default_ranges_are_the_designs():
    """1e-5 to 1 for both; 16 to 128 hidden units, all on log scales."""
    linear = default_space(MODELS["linear"])
    mlp = default_space(MODELS["mlp"])

    assert linear == {"learning_rate": optuna.distributions.FloatDistribution(1e-5, 1, log=True)}
    assert mlp == linear | {
        "hidden_units": optuna.distributions.IntDistribution(16, 128, log=True)
    }


@given(
    rates=st.tuples(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9)).map(sorted),
    units=st.none() | st.tuples(st.integers(1, 4096), st.integers(1, 4096)).map(sorted),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_optuna_suggests_lies_in_the_ranges(rates, units, seed):
    """For any ranges: low ≤ value ≤ high, integers for hidden units, none for a model without."""
    space = space_of(tuple(rates), units and tuple(units))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()

    found = suggest(space, trial)

    assert rates[0] <= found["learning_rate"] <= rates[1]
    assert found == configuration(space, trial.params)
    assert found.keys() == space.keys()
    if units is not None:
        assert isinstance(found["hidden_units"], int)
        assert units[0] <= found["hidden_units"] <= units[1]
    assert trial.distributions == sampled(space)


def test_equal_ends_fix_the_hidden_units():
    """Then the learning rate alone is searched, and every trial has that width."""
    space = space_of((1e-3, 0.1), (50, 50))

    assert list(sampled(space)) == ["learning_rate"]
    assert suggest(space, FixedTrial({"learning_rate": 0.01})) == configuration_of(0.01, 50)


# --- building -------------------------------------------------------------------------------


def test_a_built_model_has_the_weights_of_its_seed():
    """Those of torch.nn.Linear under that seed, drawn without touching the global state."""
    before = torch.get_rng_state()

    linear = build(MODELS["linear"], configuration_of(0.1, None), seed=5)
    mlp = build(MODELS["mlp"], configuration_of(0.1, 9), seed=5)

    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        expected = torch.nn.Linear(784, 1).weight
        torch.manual_seed(5)
        expected_hidden = torch.nn.Linear(784, 9).weight
    assert isinstance(linear, SimpleLinear)
    assert isinstance(mlp, SimpleMLP)
    assert torch.equal(linear.linear.weight, expected)
    assert torch.equal(mlp.hidden.weight, expected_hidden)


# --- the objective --------------------------------------------------------------------------


@every_model
def test_plain_optimize_gives_the_values_of_the_search(model, pair, images, short):
    """Same seed, numbers and parameters: the same errors, to within one image."""
    plan = Plan(
        model, SPACES[model], short, seed=3, sampler="random", generation_size=4, cohort_size=4
    )
    generation = Planner(plan, []).ask(4)
    task = Task(model, generation, short, 3, "cpu", None, "")
    searched = [trained.history for trained in train_on(images, task)]

    objective = Objective(model, pair, seed=3, space=plan.space, protocol=short, device="cpu")
    study = optimised(objective, [planned.params for planned in generation])

    for trial, history, planned in zip(study.trials, searched, generation, strict=True):
        assert trial.params == planned.params
        assert trial.user_attrs["seed"] == planned.seed
        assert abs(round(trial.value * 1_791) - history.val_errors.min()) <= 1
        curve = trial.user_attrs["curve"]["val_loss"]
        np.testing.assert_allclose(curve, history.val_losses, rtol=5e-4)


@every_model
def test_an_optimised_trial_is_stored_like_a_searched_one(model, pair, short):
    """Its attributes are strict JSON, its digest holds, its curve's errors are reported."""
    objective = Objective(model, pair, seed=0, space=SPACES[model], protocol=short, device="cpu")

    [trial] = optimised(objective, [{}]).trials

    json.dumps(trial.user_attrs, allow_nan=False)
    assert digest(trial.user_attrs, trial.value) == trial.user_attrs["digest"]
    found = StoredTrial.of(trial)
    assert (found.val_error, found.outcome) == (trial.value, "finished")
    assert found.parameters.get("hidden_units") == trial.params.get("hidden_units")
    rows = [step // 20 for step in report_steps(short)]
    assert list(trial.intermediate_values) == list(report_steps(short))
    assert list(trial.intermediate_values.values()) == list(
        found.curve["val_errors"][rows] / 1_791
    )


class Above(optuna.pruners.BasePruner):
    """Prunes whoever errs more than a constant at or after a step."""

    def __init__(self, error, step):
        self.error, self.step = error, step

    def prune(self, study, trial):
        """As Optuna asks."""
        return (
            trial.last_step >= self.step
            and trial.intermediate_values[trial.last_step] > self.error
        )


def test_the_studys_pruner_stops_trials_early(pair, short):
    """A pruned trial ends at the rung where the pruner said so, with attributes up to there."""
    objective = Objective("linear", pair, seed=0, protocol=short, device="cpu")
    params = [{"learning_rate": 0.1}, {"learning_rate": 3e-4}]

    good, poor = optimised(objective, params, Above(0.15, 60)).trials

    assert (good.state, poor.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    last = next(step for step in report_steps(short) if step >= 60)
    assert max(poor.intermediate_values) == last
    assert poor.user_attrs["curve"]["step"] == list(range(0, last + 1, 20))
    assert poor.user_attrs["outcome"] == "pruned"
    assert StoredTrial.of(poor).state == "PRUNED"


def test_optunas_median_pruner_prunes_the_objective(pair, short):
    """A learning rate of 1e-5 is below the median of 0.1, 0.05 and 0.02 after a few steps."""
    objective = Objective("linear", pair, seed=0, protocol=short, device="cpu")
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=20)

    study = optimised(objective, [{"learning_rate": r} for r in (0.1, 0.05, 0.02, 1e-5)], pruner)

    assert [trial.state.name for trial in study.trials][-1] == "PRUNED"
    assert study.trials[0].state == TrialState.COMPLETE
    assert max(study.trials[-1].intermediate_values) < short.validation_steps[-1]


def test_every_setting_of_the_objective_counts(pair, short):
    """Another seed, protocol, space, target or model gives another trial."""
    usual = {"seed": 0, "protocol": short, "device": "cpu"}
    others = [
        {"seed": 1},
        {"protocol": replace(short, batch_size=50)},
        {"space": space_of((0.01, 0.01))},
        {"target": 0.5},
    ]

    trials = [
        optimised(Objective("linear", pair, **usual | other), [{"learning_rate": 0.01}]).trials[0]
        for other in [{}, {}, *others]
    ]

    digests = [trial.user_attrs["digest"] for trial in trials]
    assert digests[0] == digests[1]
    assert len(set(digests[1:3])) == 2
    assert digests[3] != digests[0]
    assert trials[4].distributions != trials[0].distributions
    assert (
        trials[5].user_attrs["first_step_at_target"]
        != trials[0].user_attrs["first_step_at_target"]
    )


def test_the_target_is_the_models_own_unless_given(pair, short):
    """3.5 % for the linear model, 2 % for the MLP; 0 is a target too."""

    def target(model, **given):
        return Objective(model, pair, seed=0, protocol=short, device="cpu", **given).target

    assert (target("linear"), target("mlp"), target("mlp", target=0.0)) == (0.035, 0.02, 0.0)
