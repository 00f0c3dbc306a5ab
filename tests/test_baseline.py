"""The baseline: the notebook's fixed settings, its lines and its picture."""

import re
import struct
from pathlib import Path

import pytest

from study.baseline import baseline, curves
from study.seeds import derive
from study.training.plan import Plan
from study.training.registry import MODELS
from study.training.task import Planned, Task
from study.training.work import train_on
from tests.helpers import commands
from tests.helpers.plans import configuration_of


def run(folder, *options):
    """Run the command in ``folder``."""
    return commands.run(commands.module("study.baseline", "--steps", 200, *options), folder)


def test_it_prints_the_notebooks_lines_and_draws_both_panels(tmp_path):
    """A line a validation, whose best never rises; the result agrees; the PNG is wide."""
    ended = run(tmp_path, "--learning-rate", "0.01", "--plot", "mine.png")

    lines = re.findall(r"^Step (\d+): best validation error so far (.+) %$", ended.stdout, re.M)
    assert [int(step) for step, _ in lines] == [0, 50, 100, 150]
    best = [float(error) for _, error in lines]
    assert best == sorted(best, reverse=True)
    assert f"learning rate 0.01: best validation error {best[-1]:.2f} % (" in ended.stdout
    width, height = struct.unpack(">II", (tmp_path / "mine.png").read_bytes()[16:24])
    assert width > 2 * height


@pytest.mark.parametrize(("model", "units"), [("linear", None), ("mlp", 9)])
def test_it_trains_as_trial_0_of_a_search_does(model, units, pair, images, short):
    """The same seed, the same initial weights, batches and steps: the same bits."""
    configuration = configuration_of(0.02, units)
    seed = derive(4, "weights", 0)
    planned = [Planned(0, {}, configuration, seed, 0)]
    engine = Plan(model, {}, short).settled().engine
    task = Task(model, planned, short, 4, "cpu", None, pair.digest, engine=engine)

    alone = baseline(MODELS[model], configuration, short, seed=4)

    [trained] = train_on(images, task)
    assert alone.val_losses.tolist() == trained.history.val_losses.tolist()
    assert alone.weights.keys() == trained.history.weights.keys()
    for name, weight in alone.weights.items():
        assert weight.tobytes() == trained.history.weights[name].tobytes()


def test_it_tells_the_best_error_so_far(short):
    """At every validation: the step, and the least of the errors up to it."""
    told = []

    history = baseline(
        MODELS["linear"],
        configuration_of(0.05, None),
        short,
        seed=0,
        report=lambda step, best: told.append((step, best)),
    )

    errors = curves(history, "linear")["val_error"]
    assert told == list(zip(short.validation_steps, errors.cummin(), strict=True))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--hidden-units", "5"),
            "--hidden-units 5: no such hyperparameter: linear has learning_rate=1e-05..1, ",
        ),
        (("--param", "momentum=0..0.9"), "--param momentum=0..0.9: is no single value: give one"),
        (("--param", "nesterov=true"), "nesterov: there is no momentum"),
        (("--plot", "no/mine.png"), "--plot no/mine.png: no folder no: create it first"),
        (("--model", "forest"), "model 'forest': not known"),
    ],
)
def test_bad_input_is_one_line(options, words, tmp_path):
    """Status 2, before anything is trained."""
    ended = run(tmp_path, *options)

    assert (ended.status, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_what_a_factory_needs_is_to_be_stated(tmp_path):
    """The line names the hyperparameters that have no default, as options."""
    text = (Path(__file__).parents[1] / "examples/two_hidden_layers.py").read_text()
    (tmp_path / "own.py").write_text(text.replace("hidden_units: int = 50", "hidden_units: int"))
    own = ("--model-file", "own.py", "--model", "two-hidden-layers")

    ended = run(tmp_path, *own, "--steps", "40")

    assert (ended.status, ended.stdout) == (2, "")
    assert "has no default of its own: give --param hidden_units=VALUE" in ended.stderr
    assert run(tmp_path, *own, "--steps", "40", "--hidden-units", "3").status == 0
