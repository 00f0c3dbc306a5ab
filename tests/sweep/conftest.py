"""Official-looking training files of ten classes, and a short sweep over two pairs of them."""

import shutil
import sys

import optuna
import pytest

from study.sweep.command import main
from tests.helpers.commands import modest

from .helpers import PAIRS, SHORT, sweep, with_images_of, write_images


@pytest.fixture(scope="session")
def swept(tmp_path_factory):
    """A folder with a sweep in it, which no test may change, and how its command ended."""
    folder = tmp_path_factory.mktemp("swept")
    write_images(folder)
    return folder, sweep(folder, "--jobs", 1)


@pytest.fixture
def copy(swept, tmp_path):
    """A copy of it, to do something to."""
    return shutil.copytree(swept[0], tmp_path / "copy")


@pytest.fixture
def bare(swept, tmp_path):
    """A folder with the training files alone."""
    return with_images_of(swept[0], tmp_path)


@pytest.fixture
def here(monkeypatch, capsys):
    """Runs a short sweep in this process; its status, and what it printed on both streams."""
    level = optuna.logging.get_verbosity()
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)

    def run(folder, *options, pairs=PAIRS):
        monkeypatch.chdir(folder)
        line = modest("study.sweep", [*SHORT, "--digits", *pairs, *options])
        monkeypatch.setattr(sys, "argv", ["study.sweep", *line])
        capsys.readouterr()
        return main(), *capsys.readouterr()

    yield run
    optuna.logging.set_verbosity(level)
