"""The built wheel in an empty environment: its data, templates, words and commands."""

import os
import site
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
SHORT = ("--steps", "100", "--n-trials", "4", "--seeds", "2", "--splits", "2", "--finalists", "1")


def run(folder, *command):
    """Run a command in ``folder``, without what points to this checkout; its standard output."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        [*map(str, command)], cwd=folder, env=env, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run(folder, sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bin_folder(wheel, tmp_path_factory):
    """The commands of an environment that has the wheel, and sees the dependencies here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    found = folder / ("Scripts" if os.name == "nt" else "bin")
    run(folder, found / "python", "-m", "pip", "install", "--no-deps", wheel)
    printed = run(
        folder, found / "python", "-c", "import sysconfig as s; print(s.get_path('purelib'))"
    )
    here = [
        path for path in [*site.getsitepackages(), *sys.path] if path.endswith("site-packages")
    ]
    Path(printed.strip(), "dependencies.pth").write_text("\n".join(dict.fromkeys(here)))
    return found


def test_the_wheel_holds_data_templates_types_and_licences(wheel):
    """And nothing but the package and its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    data = [path.relative_to(ROOT) for path in (ROOT / "study/data").iterdir()]
    templates = [path.relative_to(ROOT) for path in (ROOT / "study/report/templates").iterdir()]
    assert {*map(Path.as_posix, data), *map(Path.as_posix, templates), "study/py.typed"} <= names
    assert sum("/licenses/" in name for name in names) == 2
    assert {name.split("/")[0].split("-")[0] for name in names} == {"study"}


def test_the_metadata_is_complete(wheel):
    """What an index shows: summary, licence of code and data, Python, README, dependencies."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())

    assert metadata["Summary"].startswith("Which of two small models errs less")
    assert metadata["License-Expression"] == "MIT AND CC-BY-SA-3.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()
    assert any(line.startswith("torch") for line in metadata.get_all("Requires-Dist"))


def test_it_is_the_wheel_that_runs(bin_folder, tmp_path):
    """``study`` is imported from the environment, with the bundled images."""
    code = "import study; print(study.__file__); print(len(study.load().raw))"

    file, images = run(tmp_path, bin_folder / "python", "-c", code).splitlines()

    assert Path(file).is_relative_to(bin_folder.parent)
    assert int(images) == 11_791


def test_the_whole_study_runs_in_an_empty_folder(bin_folder, tmp_path):
    """By its script: both searches, the confirmation and the report, from the wheel alone."""
    said = run(tmp_path, bin_folder / "study", *SHORT)

    assert "judged on images that played no part in it" in said
    assert (tmp_path / "reports/index.html").read_text(encoding="utf-8").endswith("</html>")
    assert len(list((tmp_path / "reports/figures").glob("*.png"))) > 5


@pytest.mark.parametrize(
    "module",
    [
        "study",
        "study.search",
        "study.confirm",
        "study.report",
        "study.reproduce",
        "study.baseline",
    ],
)
def test_every_command_answers_help(module, bin_folder, tmp_path):
    """From the wheel, in a folder with nothing in it."""
    assert "usage: python -m study" in run(tmp_path, bin_folder / "python", "-m", module, "--help")
