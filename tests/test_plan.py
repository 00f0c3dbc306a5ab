"""The planner: the same plan after any interruption, in range, on the log scale."""

import json
import math
from collections import Counter
from dataclasses import fields, replace

import numpy as np
import optuna
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from scipy.stats import kstest, qmc

from study.errors import StudyError
from study.search.planner import Planner, split_into_cohorts
from study.seeds import derive
from study.training.plan import SAMPLERS, Plan
from study.training.protocol import Protocol
from study.training.space import contains, sampled
from study.training.task import Planned
from tests.helpers.plans import configuration_of, space_of

LINEAR = space_of()
MLP = space_of(hidden_units=(16, 128))
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS)


@pytest.fixture(autouse=True)
def _quiet():
    """Optuna's log says nothing; one thread, which is the fastest for a small GP."""
    before = optuna.logging.get_verbosity(), torch.get_num_threads()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    yield
    optuna.logging.set_verbosity(before[0])
    torch.set_num_threads(before[1])


def plan_of(sampler, space=MLP, **changes):
    usual = Plan(
        "mlp" if "hidden_units" in space else "linear", space, sampler=sampler, generation_size=6
    )
    return replace(usual, **{"grid": 20} | changes)


def finished(plan, planned, is_pruned):
    """A trial as the storage has it, its value a smooth function of its parameters."""
    rate, hidden = planned.params["learning_rate"], planned.params.get("hidden_units", 50)
    value = (math.log10(rate) + 1) ** 2 / 50 + 1 / hidden
    trial = create_trial(
        state=TrialState.PRUNED if is_pruned(planned.place) else TrialState.COMPLETE,
        value=value,
        params=planned.params,
        distributions=sampled(plan.space),
        user_attrs={"curve": [1, 2, 3]},
        intermediate_values={0: 0.5, 50 * (planned.place % 3 + 1): value},
    )
    trial.number = planned.place
    return trial


def planned_search(plan, *, sizes, rebuild, is_pruned=lambda number: False):
    """All generations up to the last of these study sizes, each asked for in its turn."""
    stored, asked, planner = [], [], Planner(plan, [])
    for size in sizes:
        while len(stored) < size:
            if rebuild:
                planner = Planner(plan, stored)
            generation = planner.ask(size)
            asked += generation
            trials = [finished(plan, planned, is_pruned) for planned in generation]
            stored += trials
            planner.tell(trials)
    return asked


# --- the same plan --------------------------------------------------------------------------


@pytest.mark.parametrize("space", [LINEAR, MLP], ids=["linear", "mlp"])
@every_sampler
def test_going_on_and_starting_again_plan_the_same(sampler, space):
    """A planner rebuilt at every generation, a cut-short one too, asks for the same trials."""
    plan = plan_of(sampler, space)
    sizes = (10, 12) if sampler == "gp" else (4, 20)

    kept = planned_search(plan, sizes=sizes, rebuild=False)
    again = planned_search(plan, sizes=sizes, rebuild=True)

    assert kept == again
    assert [planned.place for planned in kept] == list(range(sizes[-1]))


@pytest.mark.parametrize(
    "is_pruned",
    [lambda n: n % 3 == 2, lambda n: n > 0, lambda n: True],
    ids=["some", "nearly all", "all"],
)
@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_pruned_trials_plan_the_same_too(sampler, is_pruned):
    """What the sampler learns of a pruned trial is what the storage has of it."""
    plan = plan_of(sampler)

    kept = planned_search(plan, sizes=(40,), rebuild=False, is_pruned=is_pruned)

    assert kept == planned_search(plan, sizes=(40,), rebuild=True, is_pruned=is_pruned)


@every_sampler
def test_a_generation_ends_at_a_multiple_of_its_size(sampler):
    """After a size that cut a generation short, the next fills it up."""
    plan = plan_of(sampler)

    generations = [
        planned.first_of_generation
        for planned in planned_search(plan, sizes=(4, 13), rebuild=False)
    ]

    assert generations == [0] * 4 + [4] * 2 + [6] * 6 + [12]


def test_a_study_that_is_whole_gets_nothing():
    """No trial is numbered at or over the size asked for."""
    plan = plan_of("random")
    planner = Planner(plan, [])
    planner.tell([finished(plan, planned, lambda _: False) for planned in planner.ask(6)])

    assert planner.ask(6) == []


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_the_plan_does_not_depend_on_torchs_threads(sampler):
    """However many cores there are, the same trials."""
    plans = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        plans.append(planned_search(plan_of(sampler, LINEAR), sizes=(14,), rebuild=False))

    assert plans[0] == plans[1]


def test_planning_leaves_the_global_random_states_alone():
    """Every sampler has a seed of its own."""
    before = np.random.get_state()[1].copy(), torch.get_rng_state()

    for sampler in ("tpe", "random", "qmc", "grid"):
        planned_search(plan_of(sampler), sizes=(16,), rebuild=False)

    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "grid"])
def test_another_seed_is_another_plan(sampler):
    """The sampler's stream is the study's; only a grid is the same for all."""
    one, other = (
        planned_search(plan_of(sampler, seed=seed), sizes=(6,), rebuild=False) for seed in (0, 1)
    )

    assert all(a.params != b.params for a, b in zip(one, other, strict=True))


@every_sampler
def test_no_trial_is_planned_twice(sampler):
    """Each generation draws anew: no two trials of a study have the same parameters."""
    asked = planned_search(plan_of(sampler), sizes=(12,), rebuild=True)

    assert len({tuple(planned.params.items()) for planned in asked}) == 12


@every_sampler
def test_a_trials_weights_come_from_its_number(sampler):
    """Seed and configuration are those that its number and parameters give."""
    plan = plan_of(sampler, seed=9)

    for planned in planned_search(plan, sizes=(8,), rebuild=False):
        assert planned.seed == derive(9, "weights", planned.place)
        assert planned.configuration == planned.params


def test_tpe_learns_from_what_it_is_told():
    """After thirty trials it asks near the optimum, where random search does not."""

    def distance(sampler):
        plan = plan_of(sampler, LINEAR)
        late = planned_search(plan, sizes=(90,), rebuild=True)[30:]
        return np.mean([abs(math.log10(p.params["learning_rate"]) + 1) for p in late])

    assert distance("tpe") < distance("random") / 2


# --- in range, on the log scale -------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "grid"])
@given(
    rates=st.tuples(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9)).map(sorted),
    units=st.none() | st.tuples(st.integers(1, 4096), st.integers(1, 4096)).map(sorted),
    seed=st.integers(0, 2**32),
)
def test_every_sampler_stays_in_the_ranges(sampler, rates, units, seed):
    """Whatever the ranges, the ends included; hidden units are integers."""
    space = space_of(tuple(rates), units and tuple(units))
    plan = plan_of(sampler, space, seed=seed, generation_size=8, grid=8)

    for planned in planned_search(plan, sizes=(8,), rebuild=False):
        found = planned.configuration
        assert rates[0] <= found["learning_rate"] <= rates[1]
        if units:
            assert type(found["hidden_units"]) is int
            assert units[0] <= found["hidden_units"] <= units[1]
        assert found.keys() == space.keys()


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_learning_rates_and_hidden_units_are_log_uniform(sampler):
    """On the log scale, 256 draws are uniform between the ends (Kolmogorov–Smirnov)."""
    asked = planned_search(plan_of(sampler, generation_size=256), sizes=(256,), rebuild=False)
    rates = [math.log10(p.params["learning_rate"]) / 5 + 1 for p in asked]
    # an integer's middle, so that 16 and 128, which get half an integer's range, count right
    units = [math.log2(p.params["hidden_units"]) / 3 - 4 / 3 for p in asked]

    assert kstest(rates, "uniform").pvalue > 0.01
    assert kstest(units, "uniform").statistic < 0.11


@every_sampler
def test_equal_ends_fix_the_hidden_units(sampler):
    """The learning rate alone is planned, every trial has that width."""
    plan = plan_of(sampler, space_of((1e-3, 0.1), (50, 50)))

    for planned in planned_search(plan, sizes=(8,), rebuild=False):
        assert list(planned.params) == ["learning_rate"]
        assert planned.configuration["hidden_units"] == 50


@every_sampler
def test_equal_ends_fix_the_learning_rate(sampler):
    """A range of one value gives that value."""
    plan = plan_of(sampler, space_of((0.1, 0.1)), generation_size=4)

    asked = planned_search(plan, sizes=(4,), rebuild=False)

    assert [planned.configuration["learning_rate"] for planned in asked] == [0.1] * 4


def test_quasi_random_points_fill_the_range_more_evenly_than_chance():
    """Each 64th of the log range of learning rates holds one of Sobol's first 64 points."""
    asked = planned_search(plan_of("qmc", generation_size=16), sizes=(64,), rebuild=True)

    place = [math.log10(p.params["learning_rate"]) / 5 + 1 for p in asked]
    assert sorted(math.floor(at * 64) for at in place) == list(range(64))


# --- the grid -------------------------------------------------------------------------------


def test_a_grid_of_learning_rates_covers_both_ends_evenly():
    """Twenty log-spaced rates, the ends of the range the first and the last."""
    asked = planned_search(plan_of("grid", LINEAR), sizes=(20,), rebuild=False)

    rates = [planned.params["learning_rate"] for planned in asked]
    np.testing.assert_allclose(rates, np.geomspace(1e-5, 1, 20), rtol=1e-12)
    assert (min(rates), max(rates)) == (1e-5, 1.0)


def test_a_grid_of_both_covers_the_four_corners():
    """Four log-spaced widths by five log-spaced rates, every pair once."""
    asked = planned_search(plan_of("grid"), sizes=(20,), rebuild=False)

    pairs = [(p.params["learning_rate"], p.params["hidden_units"]) for p in asked]
    rates = np.geomspace(1e-5, 1, 5)
    expected = [(rate, units) for units in (16, 32, 64, 128) for rate in rates]
    np.testing.assert_allclose(pairs, expected, rtol=1e-12)
    assert {(1e-5, 16), (1e-5, 128), (1.0, 16), (1.0, 128)} <= set(pairs)


@pytest.mark.parametrize("points", [1, 2, 3, 4, 7, 18])
@pytest.mark.parametrize("space", [LINEAR, MLP], ids=["linear", "mlp"])
def test_a_grid_of_any_size_has_that_many_different_points(points, space):
    """Also one that is no multiple of the widths."""
    plan = plan_of("grid", space, grid=points)

    asked = planned_search(plan, sizes=(points,), rebuild=False)

    assert len({tuple(planned.params.values()) for planned in asked}) == points


# --- any hyperparameters --------------------------------------------------------------------

ANY = {
    "learning_rate": FloatDistribution(1e-4, 1, log=True),
    "momentum": FloatDistribution(0, 0.95),
    "hidden_units": IntDistribution(16, 128, log=True),
    "layers": IntDistribution(1, 5, step=2),
    "dropped": FloatDistribution(0, 0.5, step=0.1),
    "activation": CategoricalDistribution(("relu", "tanh", None)),
    "fixed": CategoricalDistribution((True,)),
}


@every_sampler
def test_every_sampler_takes_any_number_of_axes(sampler):
    """Every value is one that its distribution has; what is fixed is no axis."""
    count = 12 if sampler == "gp" else 24  # two generations: it fits a process in the second
    asked = planned_search(plan_of(sampler, ANY, grid=24), sizes=(count,), rebuild=True)

    for planned in asked:
        assert planned.params.keys() == ANY.keys() - {"fixed"}
        assert planned.configuration == planned.params | {"fixed": True}
        assert all(contains(found, planned.params[n]) for n, found in ANY.items() if n != "fixed")
        assert [type(planned.params[n]) for n in ("hidden_units", "layers")] == [int, int]


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_choices_and_steps_come_equally_often(sampler):
    """Each of three choices, three numbers of layers, six steps: within chance of its share."""
    asked = planned_search(plan_of(sampler, ANY, generation_size=240), sizes=(240,), rebuild=False)

    for name, count in (("activation", 3), ("layers", 3), ("dropped", 6)):
        values = Counter(planned.params[name] for planned in asked)
        assert len(values) == count
        assert max(values.values()) - min(values.values()) < 50


def sobol(plan, count):
    """The first points of the scrambled sequence that a plan's seed fixes, from SciPy."""
    return qmc.Sobol(len(sampled(plan.space)), rng=derive(plan.seed, "sampler")).random(count)


def test_quasi_random_trials_are_the_points_of_sobols_sequence():
    """The first trial is its first point, and every kind of value is taken from its own axis."""
    plan = plan_of("qmc", ANY, generation_size=16, seed=5)
    asked = planned_search(plan, sizes=(64,), rebuild=False)

    for planned, (rate, momentum, units, layers, dropped, activation) in zip(
        asked, sobol(plan, 64), strict=True
    ):
        exactly = {
            "hidden_units": round(16 * 8**units),
            "layers": (1, 3, 5)[int(3 * layers)],
            "activation": ("relu", "tanh", None)[int(3 * activation)],
        }
        nearly = {
            "learning_rate": 1e-4 ** (1 - rate),
            "momentum": 0.95 * momentum,
            "dropped": 0.1 * int(6 * dropped),
        }
        assert {name: planned.params[name] for name in exactly} == exactly
        assert {name: planned.params[name] for name in nearly} == pytest.approx(nearly)


@pytest.mark.parametrize("size", [1, 16, 100, 128])
def test_a_study_that_grows_takes_the_sequence_of_one_that_was_larger_at_once(size):
    """32 trials and then 64, in generations of any size: the same points, and all of them."""
    plan = plan_of("qmc", ANY, generation_size=size)
    grown = planned_search(plan, sizes=(3, 32, 64), rebuild=True)
    at_once = planned_search(replace(plan, generation_size=64), sizes=(64,), rebuild=False)

    assert [planned.params for planned in grown] == [planned.params for planned in at_once]


def test_quasi_random_values_of_every_kind_are_spread():
    """Of 64 trials each choice, step and quarter of a range has its share, within one or two."""
    plan = plan_of("qmc", ANY, generation_size=64)
    found = [planned.params for planned in planned_search(plan, sizes=(64,), rebuild=False)]
    places = {
        "learning_rate": [int(4 + math.log10(values["learning_rate"])) for values in found],
        "momentum": [int(4 * values["momentum"] / 0.95) for values in found],
        **{n: [values[n] for values in found] for n in ("layers", "dropped", "activation")},
    }

    for name, count in zip(places, (4, 4, 3, 6, 3), strict=True):
        values = Counter(places[name]).values()
        assert len(values) == count, name
        assert max(values) - min(values) <= 2, name


def test_a_grid_has_every_choice_and_the_ends_of_every_number():
    """Learning rates fastest; a number has four levels at most, a choice all of its own."""
    space = {n: ANY[n] for n in ("learning_rate", "activation", "momentum")}
    asked = planned_search(plan_of("grid", space, grid=60), sizes=(60,), rebuild=False)
    points = [tuple(planned.params[n] for n in space) for planned in asked]

    assert len(set(points)) == 60
    assert {a for _, a, _ in points} == {"relu", "tanh", None}
    assert sorted({m for *_, m in points}) == pytest.approx([0, 0.95 / 3, 0.95 * 2 / 3, 0.95])
    assert len({rate for rate, *_ in points}) == 5


# --- cohorts --------------------------------------------------------------------------------


def wide(cohort_size):
    return Plan("mlp", MLP, cohort_size=cohort_size)


generations = st.lists(st.integers(1, 128), max_size=40).map(
    lambda units: [
        Planned(number, {}, configuration_of(0.1, h), 0, 0) for number, h in enumerate(units)
    ]
)


@given(generations, st.integers(1, 40))
def test_every_trial_is_in_one_cohort_in_the_order_of_the_numbers(generation, width):
    """As few cohorts as the width allows, none of them empty."""
    found = split_into_cohorts(wide(width), generation)

    assert len(found) == math.ceil(len(generation) / width)
    assert all(found)
    assert sorted((t for c in found for t in c), key=lambda t: t.place) == generation
    assert all(c == sorted(c, key=lambda t: t.place) for c in found)


@given(generations, st.integers(1, 40))
def test_cohorts_are_equally_heavy_to_within_one_trial(generation, width):
    """No cohort outweighs another by more than the heaviest trial, in hidden units."""
    weights = [t.configuration["hidden_units"] for t in generation]

    totals = [
        sum(t.configuration["hidden_units"] for t in c)
        for c in split_into_cohorts(wide(width), generation)
    ]

    assert max(totals, default=0) - min(totals, default=0) <= max(weights, default=0)


def test_cohorts_of_equal_trials_are_equally_wide():
    """32 linear trials at width 16 are two cohorts of 16."""
    generation = [Planned(n, {}, configuration_of(0.1), 0, 0) for n in range(32)]
    plan = Plan("linear", LINEAR, cohort_size=16)

    assert [len(cohort) for cohort in split_into_cohorts(plan, generation)] == [16, 16]


def test_the_heaviest_trials_are_spread():
    """128 and 100 don't train together where 28 and 10 could go with them."""
    units = [10, 128, 100, 28]
    generation = [Planned(n, {}, configuration_of(0.1, h), 0, 0) for n, h in enumerate(units)]

    cohorts = split_into_cohorts(wide(2), generation)
    found = [[t.configuration["hidden_units"] for t in c] for c in cohorts]

    assert found == [[10, 128], [100, 28]]


# --- the manifest ---------------------------------------------------------------------------


def test_a_plan_comes_back_from_its_manifest():
    """Through strict JSON, for both spaces."""
    for space in (LINEAR, MLP):
        plan = plan_of("grid", space, seed=4, protocol=Protocol(steps=200))
        manifest = json.loads(json.dumps(plan.manifest("ab"), allow_nan=False))

        assert manifest["data_sha256"] == "ab"
        assert Plan.from_manifest(manifest) == plan.settled()


OTHERS = {
    "model": "linear",
    "space": space_of((1e-4, 1.0), (16, 128)),
    "protocol": Protocol(batch_size=50),
    "seed": 1,
    "target": 0.03,
    "target_rule": "wilson",
    "sampler": "random",
    "pruner": "median",
    "generation_size": 8,
    "cohort_size": 4,
    "device": "cuda",
    "engine": "onednn",
}


STORED = {"generation_size": "generation", "cohort_size": "cohort"}  # as studies have them
SETTINGS = [(n, STORED.get(n, n)) for n in (field.name for field in fields(Plan)) if n in OTHERS]
every_setting = pytest.mark.parametrize(("name", "key"), SETTINGS)


@every_setting
def test_every_setting_of_a_plan_is_in_its_manifest(name, key):
    """A search under another setting is another search."""
    plan = replace(Plan("mlp", MLP).settled(), engine="torch")

    manifest = replace(plan, **{name: OTHERS[name]}).manifest("ab")

    differing = {key for key, value in plan.manifest("ab").items() if manifest[key] != value}
    assert differing == {key}


@every_setting
def test_a_manifest_without_a_setting_is_refused(name, key):
    """One line names what is missing; version 0.1 had one engine, and did not name it."""
    manifest = Plan("mlp", MLP).manifest("ab")
    del manifest[key]

    if key == "engine":
        assert Plan.from_manifest(manifest).engine == "torch"
        return
    with pytest.raises(StudyError, match=f"manifest: can't be read .'{key}'.: search again"):
        Plan.from_manifest(manifest)
