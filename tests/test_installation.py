"""docs/installation.md says what each command imports."""

import re
import subprocess
import sys
import tomllib

import pytest

from study.system import CAN_FORK
from tests.helpers.preloaded import ROOT

RUN = """
import runpy, sys
sys.argv = ["study", *sys.argv[1:]]
try:
    runpy.run_module("study", run_name="__main__", alter_sys=True)
except SystemExit:
    print(*sorted(sys.modules), file=sys.stderr)
"""
SEARCH = ("search", "--model", "linear", "--steps", "40", "--val-every", "20", "--n-trials")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("imports")


def imported(folder, *arguments):
    """The dependencies that a command imports."""
    ended = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    with open(f"{ROOT}/pyproject.toml", "rb") as file:
        listed = tomllib.load(file)["project"]["dependencies"]
    names = [re.split(r"[>=<\[]", line)[0] for line in listed]
    modules = set(ended.stderr.splitlines()[-1].split())
    return [name for name in names if name.replace("pillow", "PIL") in modules]


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("`study --help`", ["--help"]),
        ("`study search --jobs 1`, which trains too", [*SEARCH, "2", "--jobs", "1"]),
        ("`study search`, the process that plans", [*SEARCH, "4", "--jobs", "2"]),
        ("`study check`", ["check"]),
        ("`study report`", ["report", "--format", "svg"]),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else "",
)
def test_a_command_imports_what_the_page_says(folder, path, arguments):
    """In an interpreter of its own; the later ones read the storage of the first."""
    with open(f"{ROOT}/docs/installation.md", encoding="utf-8") as file:
        [row] = re.findall(rf"^\| {re.escape(path)} \| (.*) \|$", file.read(), re.M)

    wanted = {*row.split(", ")}
    if arguments[-2:] == ["--jobs", "2"] and not CAN_FORK:
        wanted.add("joblib")  # which spawns the workers, as the page says below
    assert {*imported(folder, *arguments)} == wanted
