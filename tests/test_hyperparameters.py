"""A new hyperparameter is one line, and everything goes on from there: search to report.

The model file has a copy of the linear model with one more line in its space, and a model whose
two layers have a size each, with a choice of their activation.
"""

import json
import re
import shutil
from itertools import combinations
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
import torch

import study.command
from study.confirm.comparison import compare_all
from study.report import sections, tables
from study.report.collect import collect
from study.training import registry
from study.training.plain import train_plainly
from study.training.plan import SAMPLERS, Plan
from study.training.protocol import Protocol
from study.training.registry import MODELS, build, load_model_file
from study.training.space import OPTIMISER
from study.training.trainer import train
from tests.helpers import sql
from tests.helpers.commands import KILLED, command, end, here, kill, run, start, wait_for
from tests.helpers.storages import assert_same, count, snapshot, table
from tests.helpers.vouching import vouch
from tests.report.helpers import LaidOut

PACKAGE = Path(registry.__file__).parents[1]
RATE = '"learning_rate": FloatDistribution(1e-5, 1, log=True)'
MOMENTUM = '"momentum": FloatDistribution(0, 0.9)'
OWN = f"""
from dataclasses import replace

import torch
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from study import Model, linear_layer, register
from study.training.registry import MODELS


class Two(torch.nn.Module):
    def __init__(self, first=8, second=4, activation="relu", *, inputs=784, generator=None):
        super().__init__()
        self.first = linear_layer(inputs, first, generator)
        self.second = linear_layer(first, second, generator)
        self.last = linear_layer(second, 1, generator)
        self.bend = getattr(torch, activation)

    def forward(self, x):
        return self.last(self.bend(self.second(self.bend(self.first(x)))))


space = {{
    **MODELS["linear"].space,
    {MOMENTUM},
}}
register(replace(MODELS["linear"], name="pushed", label="pushed model", space=space))
register(
    Model(
        name="two",
        title="two hidden layers ({{inputs}} → first → second → 1)",
        factory=Two,
        target=0.02,
        space={{
            {RATE},
            "first": IntDistribution(4, 16, log=True),
            "second": IntDistribution(2, 8, step=2),
            "activation": CategoricalDistribution(("relu", "tanh")),
        }},
        size_parameters=("first", "second"),
    )
)
"""
VARIED = {
    "pushed": ("learning_rate", "momentum"),
    "two": ("learning_rate", "first", "second", "activation"),
}
TINY = ("--steps", 60, "--val-every", 20, "--jobs", 1)
SEARCH = (*TINY, "--generation", 4, "--cohort", 4, "--n-trials", 8)
CONFIRM = ("--seeds", 2, "--splits", 2, "--finalists", 1, "--n-trials", 2, "--jobs", 1)
THREE = ("linear", "pushed", "two")
LABELS = ("Linear model", "Pushed model", "Two")
STUDIES = [f"{name}-{sampler}" for name in VARIED for sampler in SAMPLERS]
JUDGED = ("pushed-qmc", "two-tpe", "pushed-random", "two-grid", "two-gp")  # a study a sampler


@pytest.fixture(scope="module", autouse=True)
def own(tmp_path_factory):
    """The model file, loaded: a command in this process would load it. Forgotten afterwards."""
    before, path = dict(MODELS), tmp_path_factory.mktemp("own") / "own.py"
    path.write_text(OWN)
    load_model_file(path)
    yield path
    MODELS.clear()
    MODELS.update(before)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """As in a command with other work beside it; the fastest for models this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def searching(name, sampler, file):
    """The options of a short search, under a study's name that says both."""
    named = ("--model-file", file, "--model", name, "--study-name", f"{name}-{sampler}")
    return (*named, "--sampler", sampler, *SEARCH)


@pytest.fixture(scope="module")
def searched(once, own):
    """The folder of a storage with both models under each sampler; how the commands ended."""

    def make(folder):
        return {
            f"{name}-{sampler}": here(
                "study.search", *searching(name, sampler, own), folder=folder
            )
            for name in VARIED
            for sampler in SAMPLERS
        }

    return once("hyperparameters", make)


@pytest.fixture(scope="module")
def confirmed(searched, once, own):
    """A copy in which a study of each sampler is confirmed; how the command ended."""

    def make(folder):
        shutil.copytree(searched[0], folder, dirs_exist_ok=True)
        return here("study.confirm", "--model-file", own, *JUDGED, *CONFIRM, folder=folder)

    return once("hyperparameters, confirmed", make)


# Any hyperparameter, with every sampler


@pytest.mark.parametrize("study_name", STUDIES)
def test_every_sampler_searches_every_hyperparameter(searched, study_name):
    """Each trial is in the ranges, and each of them varies; in a grid of eight points, two do."""
    folder, ended = searched
    name = study_name.partition("-")[0]
    found = pd.DataFrame(t["parameters"] for t in sql.trials(folder / "study.db", study_name))

    assert (ended[study_name].status, ended[study_name].stderr) == (0, "")
    assert tuple(found.columns) == VARIED[name]
    assert len(found) == 8
    assert (found.nunique() > 1).sum() == (2 if study_name == "two-grid" else len(VARIED[name]))
    for parameter, distribution in MODELS[name].space.items():
        values = found[parameter].tolist()
        assert all(distribution._contains(distribution.to_internal_repr(v)) for v in values)


@pytest.mark.parametrize("study_name", ["pushed-qmc", "two-gp"])
def test_every_trial_of_it_is_reproduced(searched, own, study_name):
    """``study.reproduce`` gives the bits again, of what is stored: no sampler is asked."""
    options = ("--model-file", own, "--study-name", study_name, "--trial", 6)

    result = here("study.reproduce", *options, folder=searched[0])

    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{study_name} trial 6: identical: ")


def test_every_sampler_is_confirmed(confirmed):
    """The first sentence is the comparison's, of these models."""
    folder, ended = confirmed
    found = compare_all(str(folder / "study.db"), JUDGED)

    assert sorted(name.partition("-")[2] for name in JUDGED) == sorted(SAMPLERS)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == found.sentence
    for name in JUDGED:
        [best] = {t["finalist"] for t in sql.trials(folder / "study.db", f"{name}/replicates")}
        errors = [t["val_errors"] for t in sql.trials(folder / "study.db", name)]
        assert errors[best] == min(errors)


def test_all_of_it_is_as_recorded(confirmed, own):
    """``study.check`` finds nothing."""
    result = here("study.check", "--model-file", own, folder=confirmed[0])

    assert (result.status, result.stderr) == (0, "")
    said = result.stdout.splitlines()
    assert len(said) == len(STUDIES) + 2 * len(JUDGED)
    assert all(line.endswith("trials, as recorded") for line in said)


def test_the_same_commands_again_add_nothing(confirmed, tmp_path, own):
    """Neither a search nor a confirmation changes a trial or a byte of the weights."""
    folder = shutil.copytree(confirmed[0], tmp_path / "again")
    path, files = folder / "study.db", confirmed[0] / "study.db.files"

    for study_name in JUDGED:
        options = searching(*study_name.split("-"), own)
        assert "(nothing to add)" in here("study.search", *options, folder=folder).stdout
    confirming = ("--model-file", own, *JUDGED, *CONFIRM)
    assert here("study.confirm", *confirming, folder=folder) == confirmed[1]

    assert sql.contents(path) == sql.contents(confirmed[0] / "study.db")
    assert snapshot(folder / "study.db.files") == snapshot(files)


def test_a_search_that_was_killed_goes_on_to_the_same_table(tmp_path, own):
    """SIGKILL after the first generation, which takes long enough for it."""
    options = ("--model-file", own, *SEARCH, "--n-trials", 12, "--storage")
    calm, path = tmp_path / "calm.db", tmp_path / "killed.db"
    assert here("study.search", "--model", "two", *options, calm).status == 0

    process = start(command("two", *options, path), tmp_path)
    wait_for(lambda: count(path) >= 4, process)
    kill(process)
    assert end(process).status == KILLED
    assert count(path) in (4, 8)
    again = here("study.search", "--model", "two", *options, path)

    assert (again.status, again.stderr) == (0, "")
    assert_same(path, calm, "two")


# One line


def test_one_line_in_the_registry_adds_one_to_a_built_in_model(searched, tmp_path):
    """A copy of the package, with that line in one file, searches what the copied model has."""
    shutil.copytree(PACKAGE, tmp_path / "study", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "study/training/registry.py"
    text = file.read_text()
    file.write_text(text.replace(RATE, f"{RATE}, {MOMENTUM}", 1))
    options = (*SEARCH, "--study-name", "pushed-tpe", "--sampler", "tpe")

    result = run(command("linear", *options), tmp_path, is_fresh=True)

    assert text.count("\n") == file.read_text().count("\n")
    assert (result.status, result.stderr) == (0, "")
    assert table(tmp_path / "study.db", "pushed-tpe") == table(
        searched[0] / "study.db", "pushed-tpe"
    )


def test_no_other_module_names_the_hidden_units():
    """But the models, the registry, and what reads the short form ``--hidden-units``."""
    named = re.compile(r"hidden[-_]units", re.IGNORECASE)
    found = {
        path.relative_to(PACKAGE).as_posix(): set(named.findall(path.read_text()))
        for path in PACKAGE.rglob("*.py")
    }

    assert {path for path, names in found.items() if names} == {
        *("training/registry.py", "training/models.py", "search/parameters.py", "baseline.py")
    }
    for path in ("search/parameters.py", "baseline.py"):
        text = (PACKAGE / path).read_text()
        short = re.sub(r"args\.hidden_units|--hidden-units|HIDDEN_UNITS", "", text)
        assert not named.search(short)


# What is trained is torch.optim.SGD's


def test_a_mixed_cohort_of_stored_trials_is_plain_sgd(images, tmp_path, own):
    """Each trial of a search over all that the optimiser takes, trained alone by torch."""
    ranges = ("momentum=0..0.9", "weight_decay=1e-4..0.1", "nesterov=false,true")
    options = [part for text in ranges for part in ("--param", text)]
    narrow = ("--learning-rate", 1e-3, 0.02, "--sampler", "qmc")
    assert (
        here("study.search", "--model", "mlp", *SEARCH, *options, *narrow, folder=tmp_path).status
        == 0
    )
    protocol, found = Protocol(steps=60, val_every=20), sql.trials(tmp_path / "study.db", "mlp")

    assert {t["parameters"]["nesterov"] for t in found} == {False, True}
    assert {len(t["cohort"]) for t in found} == {4}
    for trial in found:
        chosen = trial["parameters"]
        model = build(MODELS["mlp"], chosen, seed=trial["seed"])
        settings = {name: chosen[name] for name in OPTIMISER[1:]}
        shown = train_plainly(model, chosen["learning_rate"], images, protocol, seed=0, **settings)
        losses = [s.validation.loss for s in shown]
        assert trial["curve"]["val_loss"] == pytest.approx(losses, rel=1e-3)


@pytest.mark.parametrize("name", VARIED)
def test_a_mixed_cohort_of_a_persons_model_is_plain_sgd(images, short, name):
    """With other sizes, activations, momenta, weight decays, and Nesterov, in one cohort."""
    settings = {
        "momentum": [0.9, 0.0, 0.5, 0.7],
        "weight_decay": [0.0, 0.1, 0.03, 0.0],
        "nesterov": [True, False, False, False],
    }
    sizes = [
        {"first": 4 + k, "second": 2 + k % 2, "activation": ("relu", "tanh")[k // 2]}
        for k in range(4)
    ]
    own = [s if name == "two" else {} for s in sizes]
    rates = [0.01, 0.05, 0.02, 0.001]
    together, alone = ([build(MODELS[name], c, seed=k) for k, c in enumerate(own)] for _ in "ab")

    histories = train(together, rates, images, short, seed=5, **settings)

    for k, (model, history) in enumerate(zip(alone, histories, strict=True)):
        mine = {key: values[k] for key, values in settings.items()}
        shown = train_plainly(model, rates[k], images, short, seed=5, **mine)
        losses = [s.validation.loss for s in shown]
        assert history.val_losses == pytest.approx(losses, rel=1e-3)


# Studies of version 0.1


RANGES = {"linear": {"learning_rate": [1e-5, 1.0], "hidden_units": None}}
RANGES["mlp"] = {"learning_rate": [1e-5, 1.0], "hidden_units": [16, 128]}
ATTRIBUTES = ("learning_rate", "hidden_units")


def as_of_version_0_1(path):
    """Make studies what version 0.1 recorded: two ranges, and an attribute a hyperparameter."""
    of_study = "UPDATE study_user_attributes SET value_json = ? WHERE study_id = ? AND key = ?"
    renamed = (
        "UPDATE trial_user_attributes SET key = ?, value_json = ? WHERE trial_id = ? AND key = ?"
    )
    added = "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (?, ?, ?)"
    for name, study_id in sql.studies(path).items():
        stored = sql.manifest(path, name) | {"space": RANGES[name]}
        sql.query(path, of_study, json.dumps(stored), study_id, "manifest")
        for trial in sql.trials(path, name):
            first, second = (json.dumps(trial["parameters"].get(n)) for n in ATTRIBUTES)
            sql.query(path, renamed, ATTRIBUTES[0], first, trial["id"], "parameters")
            sql.query(path, added, trial["id"], ATTRIBUTES[1], second)
    vouch(path)


@pytest.fixture(scope="module")
def former(once):
    """The folder of two studies begun by version 0.1, and gone on with; how the commands ended."""

    def make(folder):
        for name in RANGES:
            here("study.search", "--model", name, *SEARCH, folder=folder)
        as_of_version_0_1(folder / "study.db")
        shutil.copy(folder / "study.db", folder / "before.db")
        longer = (*SEARCH, "--n-trials", 16)
        ended = [here("study.search", "--model", n, *longer, folder=folder) for n in RANGES]
        return [*ended, here("study.confirm", *CONFIRM, folder=folder)]

    return once("of version 0.1", make)


def test_a_study_of_version_0_1_goes_on_in_its_own_format(former):
    """The trials before are as they were; new ones have an attribute a hyperparameter too."""
    folder, ended = former
    path = folder / "study.db"

    assert [(result.status, result.stderr) for result in ended] == [(0, "")] * 3
    for name, ranges in RANGES.items():
        before = sql.trials(folder / "before.db", name)
        stored, found = sql.manifest(path, name), sql.trials(path, name)
        assert stored["space"] == ranges
        assert Plan.from_manifest(stored).former is True
        assert found[:8] == before
        assert len(found) == 16
    for name in sql.studies(path):
        assert all({*ATTRIBUTES} <= trial.keys() for trial in sql.trials(path, name))
        assert not any("parameters" in trial for trial in sql.trials(path, name))


def test_it_is_searched_as_if_it_had_been_begun_today(former, tmp_path):
    """Every bit of a trial but the format, and so its digest, is that of a new study's."""
    for name in RANGES:
        assert (
            here(
                "study.search", "--model", name, *SEARCH, "--n-trials", 16, folder=tmp_path
            ).status
            == 0
        )
        new, old = (sql.table(path / "study.db", name) for path in (tmp_path, former[0]))

        for trial in new:
            parameters = trial.pop("parameters")
            trial |= {attribute: parameters.get(attribute) for attribute in ATTRIBUTES}
        for trial in (*new, *old):
            assert trial.pop("digest")
        assert old == new


def test_it_is_checked_reproduced_and_reported(former):
    """By today's commands; the report's table of trials has its hyperparameters."""
    folder = former[0]

    checked = here("study.check", folder=folder)
    reproduced = [
        here("study.reproduce", "--study-name", "mlp", "--trial", n, folder=folder)
        for n in (3, 12)
    ]
    record = collect(str(folder / "study.db"), names=["mlp"])

    assert (checked.status, checked.stdout.count("as recorded")) == (0, 6)
    assert [": identical: " in result.stdout for result in reproduced] == [True, True]
    assert sections.compose(record)
    frame = tables.trials(record)
    found = sql.trials(folder / "study.db", "mlp")
    for name in ATTRIBUTES:
        assert frame[name].tolist() == [trial[name] for trial in found]


# Three models by one command


@pytest.fixture(scope="module")
def three(once, own):
    """The folder of ``python -m study --models`` with three models; how it ended."""
    least = ("--steps", 20, "--val-every", 10, "--jobs", 1, "--n-trials", 4, "--format", "svg")
    options = ("--models", *THREE, "--model-file", own, *least)

    def make(folder):
        draw, first = study.command.run_report, [0]  # the first report takes as long as the last

        def report(*of, **how):
            if not first:
                return draw(*of, **how)
            how["when_read"]()
            return first.pop()

        with (
            mock.patch("study.command.run_report", report),
            mock.patch("study.command.Drawn", LaidOut),
        ):
            return here("study", *options, *CONFIRM[:6], folder=folder)

    return once("three models", make)


def test_three_models_are_one_command_and_one_page(three):
    """Its summary and its table have the three pairs."""
    folder, ended = three
    summary = json.loads((folder / "reports/summary.json").read_text())
    frame = pd.read_csv(folder / "reports/tables/pairs.csv")

    assert (ended.status, ended.stderr) == (0, "")
    assert len([*folder.rglob("index.html")]) == 1
    assert list(summary["models"]) == [*THREE]
    assert len(summary["comparison"]["pairs"]) == 3
    assert [*zip(frame["first"], frame["second"], strict=True)] == [*combinations(LABELS, 2)]


def test_the_page_has_a_figure_for_every_hyperparameter_and_pair(three):
    """Each is drawn, a file, a table and on the page."""
    folder = three[0] / "reports"
    page = (folder / "index.html").read_text()
    up = {name: names[1:] for name, names in VARIED.items()}
    expected = {"learning_rate", *(f"error_{n}" for names in up.values() for n in names)}
    expected |= {f"{model}_{n}" for model, names in up.items() for n in names}
    expected |= {f"{m}_{a}_{b}" for m, names in up.items() for a, b in combinations(names, 2)}

    assert len(expected) == 1 + 4 + 4 + 3
    for kind in ("figures/{}.svg", "tables/{}.csv"):
        assert [n for n in expected if not (folder / kind.format(n)).exists()] == []
    assert [n for n in expected if f"tables/{n}.csv" not in page] == []
