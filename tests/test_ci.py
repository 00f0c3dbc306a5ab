"""The checks of a clean checkout are the same wherever they run."""

import re
import tomllib

import pytest
import yaml

from tests.helpers.preloaded import ROOT


@pytest.fixture(scope="module")
def checks():
    """The job of the public host that runs what ``.ci/run`` runs."""
    with open(f"{ROOT}/.github/workflows/ci.yml", encoding="utf-8") as file:
        return yaml.safe_load(file)["jobs"]["checks"]


def test_the_public_host_runs_what_ci_run_runs(checks):
    """The same nox sessions, in the same order, in an environment with the same extra."""
    with open(f"{ROOT}/.ci/run", encoding="utf-8") as file:
        [sessions] = re.findall(r"^nox -s .*$", text := file.read(), re.M)
    commands = [step["run"] for step in checks["steps"] if "run" in step]

    assert commands[-1] == sessions
    assert "-e '.[dev]'" in text
    assert commands[-2] == 'pip install -e ".[dev]"'


def test_the_matrix_is_what_the_metadata_promises(checks):
    """Three systems, and every Python that is a classifier."""
    with open(f"{ROOT}/pyproject.toml", "rb") as file:
        classifiers = tomllib.load(file)["project"]["classifiers"]
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))
    matrix = checks["strategy"]["matrix"]

    assert matrix["python"] == pythons
    assert matrix["os"] == ["ubuntu-latest", "windows-latest", "macos-latest"]
