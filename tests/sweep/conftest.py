"""Official-looking training files of ten classes, and short sweeps over two pairs of them."""

import shutil
import sys

import optuna
import pytest

from study.sweep.command import main
from tests.helpers import commands
from tests.helpers.commands import modest

from .helpers import PAIRS, SHORT, TINY, images_once, swept_once, with_images_of


@pytest.fixture(scope="session")
def official(once):
    """A folder with the training files alone, which no test may change."""
    return images_once(once)


@pytest.fixture(scope="session")
def swept(once):
    """A folder with a sweep in it, which no test may change, and how its command ended."""
    return swept_once(once)


@pytest.fixture(scope="session")
def confirmed(swept, once):
    """The same after more trials of 0 against 1, and their confirmation; no new report."""
    options = (*SHORT, "--digits", "0-1", "--n-trials", 6, *TINY, "--no-reports")

    def make(folder):
        copy = copied(swept[0], folder / "of")
        assert commands.here("study.sweep", *options, folder=copy).status == 0

    return once("swept, confirmed", make)[0] / "of"


def copied(swept, folder):
    """A copy of a sweep, to do something to; the images are links still."""
    return shutil.copytree(swept, folder, symlinks=True)


@pytest.fixture
def copy(swept, tmp_path):
    """A copy of the sweep."""
    return copied(swept[0], tmp_path / "copy")


@pytest.fixture
def copy_of_confirmed(confirmed, tmp_path):
    """A copy of the sweep that has a confirmation."""
    return copied(confirmed, tmp_path / "copy")


@pytest.fixture
def bare(official, tmp_path):
    """A folder with the training files alone."""
    return with_images_of(official, tmp_path)


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
