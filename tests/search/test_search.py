"""What a search stores and says, whatever it is run on."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from study import formats
from study.dataset import load
from study.search.checkpoints import weights_path
from study.storage import load_weights
from study.training.models import SimpleLinear, SimpleMLP
from study.training.registry import MODELS
from study.trials import digest, rank, unpack
from tests.helpers.commands import command, here, run
from tests.helpers.plans import GENERATION, N_TRIALS, SHORT, searched
from tests.helpers.storages import assert_same, copied, count, table, trials

MORE = ("--n-trials", 400)


def ranked(path, model):
    """The study's trials from the best on, by the rule that the study states."""
    attrs = [(trial.user_attrs, trial.number) for trial in trials(path, model)]
    order = sorted(attrs, key=lambda a: (a[0]["val_errors"], a[0]["val_loss"] or np.inf, a[1]))
    return [trials(path, model)[number] for _, number in order]


def target_met_second(path):
    """A target that the second generation is the first to meet, and that generation's size."""
    values = [trial.value for trial in trials(path, "mlp")]
    bests = [min(values[:n]) for n in range(GENERATION, N_TRIALS + 1, GENERATION)]
    place = next(k for k in range(1, len(bests)) if bests[k] < bests[0])
    return bests[place], (place + 1) * GENERATION


@pytest.fixture(scope="module")
def runs(whole, tmp_path_factory):
    """Searches with other options, by the options: how each ended, and its storage."""
    until, _ = target_met_second(whole.path["mlp"])
    options = {
        "on two": ("linear", "--jobs", 2, "--require-target"),
        "other seed": ("linear", "--seed", 1, "--n-trials", GENERATION),
        "until": ("mlp", "--until-target", "--target", until, *MORE),
        "missed": ("linear", "--require-target", "--target", 0, "--n-trials", GENERATION),
        "no time": ("linear", "--timeout", 1e-9, *MORE, "--require-target"),
        "timeout": ("linear", "--timeout", 0.5, *MORE),
    }

    def one(model, *more):
        path = tmp_path_factory.mktemp("run") / "study.db"
        line = ("--model", model, *SHORT, "--storage", path, *more)
        return here("study.search", *line, folder=path.parent), path

    return {name: one(*chosen) for name, chosen in options.items()}


def test_the_table_does_not_depend_on_the_number_of_workers(runs, whole):
    """One worker and two give the same trials and weights, bit for bit.

    The other model's search ends on two workers in ``test_resuming.py``.
    """
    result, path = runs["on two"]

    assert (result.status, result.stderr) == (0, "")
    assert_same(path, whole.path["linear"], "linear")


def test_a_trials_dates_are_those_of_its_cohorts_training(tmp_path):
    """One process trains one cohort after the other, however they were handed out."""
    searched(tmp_path / "study.db", n_trials=8, sampler="qmc")

    found = trials(tmp_path / "study.db", "linear")
    spans = sorted({(trial.datetime_start, trial.datetime_complete) for trial in found})

    assert len(spans) == 4  # cohorts of two
    assert all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_another_seed_gives_other_trials(runs, whole):
    """No trial of the one is in the other."""
    other = table(runs["other seed"][1], "linear")

    assert len(other) == GENERATION
    assert set(other).isdisjoint(table(whole.path["linear"], "linear"))


def test_until_target_stops_at_the_generation_that_reaches_it(runs, whole):
    """The trials are those of the full search, up to that generation."""
    result, path = runs["until"]
    _, size = target_met_second(whole.path["mlp"])

    assert result.status == 0
    found = [trial.params for trial in trials(path, "mlp")]
    assert found == [trial.params for trial in trials(whole.path["mlp"], "mlp")[:size]]


def test_require_target_ends_with_status_3_where_it_is_missed(runs):
    """The trials are kept, the table is printed, and stderr stays empty."""
    result, path = runs["missed"]

    assert (result.status, result.stderr) == (3, "")
    assert "missed" in result.stdout
    assert count(path) == GENERATION


def test_a_timeout_ends_between_two_generations(runs):
    """Those that were started are whole, and no other is started."""
    result, path = runs["timeout"]

    assert (result.status, result.stderr) == (0, "")
    assert count(path) in range(0, 400, GENERATION)


def test_without_time_there_is_no_trial_and_no_target(runs):
    """A timeout that has passed at the start leaves an empty study."""
    result, path = runs["no time"]

    assert (result.status, result.stderr) == (3, "")
    assert "no trial was trained to the end" in result.stdout
    assert count(path) == 0


@pytest.mark.parametrize("model", MODELS)
def test_the_result_is_on_stdout_and_nothing_else_is_anywhere(whole, model):
    """The size, the best trial by the rule, its parameters, its error and the target."""
    best = ranked(whole.path[model], model)[0]
    attrs, result = best.user_attrs, whole.result[model]

    assert (result.status, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{model}: 16 trials in study.db (16 new, ")
    said = " ".join(" ".join(lines).split())
    error = f"{best.value * 100:.2f} % ({attrs['val_errors']} of 1,791)"
    assert f"best trial {best.number}" in said
    assert f"learning rate {formats.rate(best.params['learning_rate'])}" in said
    assert f"validation error {error}" in said
    assert f"at step {attrs['step']} of 400" in said
    assert f"target {MODELS[model].target * 100:.2f} %: met" in said


@pytest.mark.parametrize("model", MODELS)
def test_every_digest_recomputes(whole, model):
    """From the value and the attributes as they are stored."""
    for trial in trials(whole.path[model], model):
        assert digest(trial.user_attrs, trial.value) == trial.user_attrs["digest"]


@pytest.mark.parametrize("model", MODELS)
def test_the_five_best_trials_have_their_weights_and_no_other_has(whole, model):
    """By the rule: fewest errors, then lowest loss, then first."""
    path = whole.path[model]
    best = sorted(trial.number for trial in ranked(path, model)[:5])

    there = range(N_TRIALS)
    assert best == [n for n in there if weights_path(str(path), model, n).exists()]


@pytest.mark.parametrize("model", MODELS)
def test_the_weights_say_whose_they_are(whole, model):
    """Study, trial, seed and digest are in the header."""
    for trial in ranked(whole.path[model], model)[:5]:
        _, header = load_weights(weights_path(str(whole.path[model]), model, trial.number))

        assert header == {
            "study": model,
            "trial": str(trial.number),
            "seed": str(trial.user_attrs["seed"]),
            "weights_sha256": trial.user_attrs["weights_sha256"],
        }


@pytest.mark.parametrize("model", MODELS)
def test_the_weights_answer_as_the_trial_says(whole, model):
    """A plain model with them gets the stored images wrong, one by one, and no others."""
    pair = load()
    inputs, labels = torch.from_numpy(pair.images[10_000:]), pair.labels[10_000:].astype(bool)
    for trial in ranked(whole.path[model], model)[:5]:
        attrs = trial.user_attrs
        arrays, _ = load_weights(weights_path(str(whole.path[model]), model, trial.number))
        plain = (
            SimpleMLP(attrs["parameters"]["hidden_units"]) if model == "mlp" else SimpleLinear()
        )
        plain.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        answers = (plain(inputs).squeeze(1) > 0).numpy()

        assert (answers != labels).sum() == attrs["val_errors"]
        assert (answers == unpack(attrs["predictions"], attrs["n_val"])).all()


def test_the_rule_of_the_best_is_the_packages_own(whole):
    """``rank`` sorts as this file does."""
    from study.trials import StoredTrial

    found = [StoredTrial.of(trial) for trial in trials(whole.path["mlp"], "mlp")]

    expected = [trial.number for trial in ranked(whole.path["mlp"], "mlp")]
    assert [trial.number for trial in sorted(found, key=rank)] == expected


def test_the_storage_may_come_from_the_environment(whole, tmp_path):
    """``OPTUNA_STORAGE`` is searched where ``--storage`` is not given."""
    path = copied(whole.path["linear"], tmp_path)
    env = {"OPTUNA_STORAGE": f"sqlite:///{path}"}

    result = run(command("linear", *SHORT), tmp_path.parent, env=env)

    assert (result.status, result.stderr) == (0, "")
    assert f"16 trials in sqlite:///{path} (nothing to add)" in result.stdout
