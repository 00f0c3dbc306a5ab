"""The commands' help and streams, and what other programs read of their work."""

import argparse
import json
import os
import re
import subprocess
import sys
from contextlib import closing

import pytest

from study.search import Plan, Settings
from study.search.options import parser, plans_of, settings_of
from study.training.protocol import Protocol
from study.training.registry import HIDDEN_UNITS, MODELS
from tests.helpers import posix
from tests.helpers.commands import command, end, run, search, start
from tests.helpers.plans import SHORT, space_of
from tests.helpers.storages import copied, trials

termios = posix.module("termios")

WITHOUT = "import sys; sys.modules.update(dict.fromkeys(sys.argv.pop(1).split(',')))\n"
AS_MODULE = "import runpy; runpy.run_module(sys.argv[1], run_name='__main__', alter_sys=True)"
COMMANDS = (
    "study",
    "study.search",
    "study.report",
    "study.confirm",
    "study.dataset",
    "study.check",
)


def without(modules, code, *arguments, folder):
    """Run Python code in a process that can't import these modules."""
    return run([sys.executable, "-c", WITHOUT + code, modules, *arguments], folder)


@pytest.mark.parametrize("module", COMMANDS)
def test_help_answers_without_torch(module, tmp_path):
    """Nor torchvision, pandas or matplotlib, which take seconds too."""
    heavy = "torch,torchvision,pandas,matplotlib"
    code = AS_MODULE.replace("sys.argv[1]", repr(module))
    result = without(heavy, code, "--help", folder=tmp_path)

    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: python -m {module} ")


def options():
    """Every option of the search."""
    return [action for action in parser()._actions if action.option_strings]


@pytest.mark.parametrize("option", options(), ids=lambda option: option.option_strings[-1])
def test_every_option_says_what_it_does(option):
    """More than its default, where that is not a matter of course."""
    assert option.help not in (None, "", argparse.SUPPRESS)
    assert re.sub(r"\(?default: [^)]*\)?", "", option.help).strip()


def help_of(name):
    """An option's help as it is printed."""
    lines = " ".join(parser().format_help().split()).partition("options:")[2]
    return re.split(r" --[a-z]", lines.partition(f" {name} ")[2])[0]


def defaults():
    """The options' defaults, as their help should print them."""
    protocol, settings = Protocol(), Settings("", "")
    return {
        "--n-trials": f"{settings.n_trials}",
        "--sampler": Plan("mlp", space_of()).settled().sampler,
        "--pruner": Plan("mlp", space_of()).pruner,
        "--seed": f"{Plan('mlp', space_of()).seed}",
        "--dataset": protocol.dataset,
        "--digits": "{} {}".format(*protocol.classes),
        "--n-train": f"{protocol.n_train:,}",
        "--steps": f"{protocol.steps:,}",
        "--batch-size": f"{protocol.batch_size:,}",
        "--val-every": f"{protocol.val_every:,}",
        "--hidden-units": "{} to {}".format(*HIDDEN_UNITS),
        "--learning-rate": "1e-5 to 1",
        "--target": ", ".join(f"{m.target} for {m.name}" for m in MODELS.values()),
        "--generation": ", ".join(f"{m.generation} for {m.name}" for m in MODELS.values()),
        "--cohort": ", ".join(f"{m.cohort} for {m.name}" for m in MODELS.values()),
    }


@pytest.mark.parametrize("option", defaults())
def test_the_help_states_the_default_that_the_code_has(option):
    """A default stands in the help as it stands in the code."""
    assert re.search(rf"default: {re.escape(defaults()[option])}(?!,?\d)", help_of(option))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_without_options_the_plan_is_the_packages_default(model):
    """The command adds no default of its own."""
    args = parser().parse_args(["--model", model.name, "--device", "cpu"])
    hidden = HIDDEN_UNITS if model.size_parameters else None

    assert settings_of(args, model.name).n_trials == Settings("", "").n_trials
    assert plans_of(args, [model]) == [
        Plan(
            model.name,
            space_of(hidden_units=hidden),
            target=model.target,
            grid=Settings("", "").n_trials,
        )
    ]
    settled = plans_of(args, [model])[0].settled()
    assert (settled.generation_size, settled.cohort_size) == (model.generation, model.cohort)


def on_terminal(model, folder, *options):
    """Run a short search whose stderr is a terminal; its end, and what the terminal got."""
    ours, theirs = posix.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = start(command(model, *SHORT, *options), folder, stderr=theirs)
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(screen), b""))
    return end(process), shown.decode()


def _read(screen):
    try:
        return screen.read(4096)
    except OSError:  # the other side is closed
        return b""


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A search of half the size, then the rest of it on a terminal."""
    folder = tmp_path_factory.mktemp("terminal")
    assert search("linear", folder, "--n-trials", 8, "--storage", "study.db").status == 0
    return on_terminal("linear", folder), folder / "study.db"


def test_a_terminal_shows_the_best_error_so_far(resumed):
    """A bar on stderr, and the result on stdout alone."""
    (result, shown), path = resumed
    values = [trial.value for trial in trials(path, "linear")]
    bests = [f"{min(values[:n]) * 100:.2f} %" for n in (8, 12, 16)]

    assert result.status == 0
    assert "linear: 16 trials" not in shown
    seen = re.findall(r"best (\d+\.\d+ %)", shown)
    assert set(seen) <= set(bests)
    assert seen[0] == bests[0]
    assert seen[-1] == bests[-1]


def test_the_bar_of_a_resumed_search_ends_at_its_size(resumed):
    """Earlier trials count as done."""
    (_, shown), _ = resumed

    last = shown.replace("\n", "\r").strip().split("\r")[-1]
    assert "100%" in last
    assert "16/16" in last


def test_quiet_shows_no_bar(whole, tmp_path):
    """Not on a terminal either."""
    copied(whole.path["linear"], tmp_path)

    result, shown = on_terminal("linear", tmp_path, "--quiet")

    assert result.status == 0
    assert result.stdout.startswith("linear: 16 trials")
    assert shown == ""


def test_the_optuna_command_reads_the_storage_without_this_package(whole):
    """``optuna trials`` lists every trial, with its value and parameters."""
    model, path = "mlp", whole.path["mlp"]
    arguments = ("trials", "--study-name", model, "--storage", f"sqlite:///{path}", "-f", "json")
    code = "from optuna.cli import main; sys.argv[0] = 'optuna'; sys.exit(main())"
    result = without("study", code, *arguments, folder=path.parent)

    assert result.status == 0
    listed = json.loads(result.stdout)
    found = trials(path, model)
    assert [row["number"] for row in listed] == [trial.number for trial in found]
    assert [row["value"] for row in listed] == [trial.value for trial in found]
    assert [row["params"] for row in listed] == [trial.params for trial in found]
    assert {row["state"] for row in listed} == {"COMPLETE"}


def test_optuna_and_pandas_read_the_storage_without_this_package(whole):
    """``load_study(...).trials_dataframe()`` has a column for everything that is stored."""
    model, path = "mlp", whole.path["mlp"]
    code = (
        "import optuna; optuna.logging.set_verbosity(40)\n"
        "study = optuna.load_study(study_name=sys.argv[1], storage=sys.argv[2])\n"
        "frame = study.trials_dataframe()\n"
        "print(frame.to_json(orient='split', double_precision=15))"
    )
    result = without("study", code, model, f"sqlite:///{path}", folder=path.parent)

    assert result.status == 0, result.stderr
    frame = json.loads(result.stdout)
    attrs = {f"user_attrs_{name}" for name in trials(path, model)[0].user_attrs}
    params = {f"params_{name}" for name in trials(path, model)[0].params}
    dates = {"datetime_start", "datetime_complete", "duration"}
    assert set(frame["columns"]) == {"number", "value", "state"} | dates | params | attrs
    assert {"user_attrs_curve", "user_attrs_predictions", "user_attrs_digest"} <= attrs
    assert len(frame["data"]) == 16


@pytest.mark.matrix("F21")
def test_a_reader_that_leaves_early_is_no_error(whole, tmp_path):
    """``python -m study.search … | head -0`` ends in silence."""
    copied(whole.path["linear"], tmp_path)
    ours, theirs = os.pipe()
    os.close(ours)
    with closing(os.fdopen(theirs, "w")) as pipe:
        process = start(command("linear", *SHORT), tmp_path, stdout=pipe, stderr=subprocess.PIPE)

    assert end(process)[::2] == (0, "")
