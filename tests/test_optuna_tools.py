"""Optuna's own tools on a stored study, as docs/optuna.md shows them."""

import csv
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from importlib import import_module
from pathlib import Path

import optuna
import pytest

from tests.helpers.commands import PATIENCE_S
from tests.helpers.plans import searched
from tests.helpers.storages import trials

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/optuna.md").read_text()
COMMANDS = re.findall(r"^    (optuna [^\n]+)", PAGE, re.M)
SHOWN = re.search(r"```text\n(.*?)```", PAGE, re.S)[1]
PLOTS = dict(re.findall(r"^\| `(plot_\w+)` \| ([^|]+) \|", PAGE, re.M))
APPLY = [name for name, words in PLOTS.items() if "does not apply" not in words]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a search of each model."""
    found = tmp_path_factory.mktemp("optuna")
    for model in ("linear", "mlp"):
        searched(found / "study.db", model)
    return found


@pytest.fixture(scope="module")
def study(folder):
    """The study of the MLP, as Optuna loads it."""
    return optuna.load_study(study_name="mlp", storage=f"sqlite:///{folder / 'study.db'}")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_the_page_fits_a_terminal(command, folder):
    """It lists the studies, or all trials, in at most 120 columns."""
    env = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        command, shell=True, cwd=folder, env=env, check=True, capture_output=True, text=True
    )
    lines = ran.stdout.splitlines()

    assert lines
    assert max(map(len, lines)) <= 120
    if "trials" in command:
        assert lines[0].split() == SHOWN.splitlines()[0].split()
        values = [float(line.split("|")[1]) for line in lines[1:]]
        assert values == [trial.value for trial in trials(folder / "study.db", "mlp")]


def test_the_page_shows_the_trials_of_the_published_study():
    """Its first three, number for number."""
    with (ROOT / "reports/tables/trials.csv").open() as file:
        published = [row for row in csv.DictReader(file) if row["study"] == "mlp"]
    rows = [[cell.strip() for cell in line.split("|")] for line in SHOWN.splitlines()[1:]]

    names = ("trial", "val_error", "hidden_units", "learning_rate")
    wanted = [[float(row[name]) for name in names] for row in published[:3]]
    assert [[float(cell) for cell in row] for row in rows] == wanted


def test_the_page_names_every_plot_of_optuna():
    """And none that there is not; those of matplotlib have the same names."""
    for module in ("optuna.visualization", "optuna.visualization.matplotlib"):
        there = {name for name in import_module(module).__all__ if name.startswith("plot_")}
        assert there == set(PLOTS)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("library", ["plotly", "matplotlib"])
@pytest.mark.parametrize("name", APPLY)
def test_a_plot_that_applies_draws_a_stored_study(name, library, study):
    """It shows as much as there is to show, without an error."""
    pytest.importorskip(library)
    part = "" if library == "plotly" else ".matplotlib"
    drawn = getattr(import_module(f"optuna.visualization{part}"), name)(study)

    if library == "plotly":
        assert len(drawn.data) > 0
    else:
        import matplotlib.pyplot as plt

        assert any(axes.has_data() for axes in plt.gcf().axes)
        plt.close("all")


def test_a_stored_trial_has_intermediate_values_of_its_curve(study):
    """At most ten, each a validation error of the whole curve at its step; and no lower one."""
    for trial in study.trials:
        curve, n_val = trial.user_attrs["curve"], trial.user_attrs["n_val"]
        errors = dict(zip(curve["step"], curve["val_errors"], strict=True))

        assert 0 < len(trial.intermediate_values) <= 10
        for step, value in trial.intermediate_values.items():
            assert value == errors[step] / n_val >= trial.value


def test_the_dashboard_answers_with_the_study(folder):
    """The real server, over HTTP: names, trials and values; and the file is as it was."""
    pytest.importorskip("optuna_dashboard")
    path = folder / "study.db"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, f"sqlite:///{path}", "--port", str(port), "--quiet"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        studies = answer(server, f"http://127.0.0.1:{port}/api/studies")["study_summaries"]
        [mlp] = [each for each in studies if each["study_name"] == "mlp"]
        found = answer(server, f"http://127.0.0.1:{port}/api/studies/{mlp['study_id']}?after=0")
    finally:
        server.kill()
        server.wait()

    assert {each["study_name"] for each in studies} == {"linear", "mlp"}
    values = [float(trial["values"][0]) for trial in found["trials"]]
    assert values == [trial.value for trial in trials(path, "mlp")]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def answer(server, url):
    """What a server says as JSON, when it has started."""
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with directly.open(url, timeout=PATIENCE_S) as found:
                return json.load(found)
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the dashboard did not answer (it ended with {server.poll()})")
