"""``study COMMAND``: every command by its name, and an answer to every wrong word."""

import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from study.command import COMMANDS, parser
from tests.helpers.commands import assert_refused, here
from tests.helpers.plans import searched

TINY = ("--steps", 40, "--val-every", 20)
HELP = """
import contextlib, io, sys
heavy = ("torch", "torchvision", "pandas", "matplotlib", "optuna", "scipy")
sys.modules.update(dict.fromkeys(heavy))
sys.argv = ["study"]
from study.command import COMMANDS, main
for words in ((), *((name,) for name in COMMANDS)):
    out = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(out):
        main([*words, "--help"])
    print(out.getvalue().partition(" [-h]")[0])
"""


def test_help_of_every_command_loads_no_heavy_library():
    """It begins as the command is typed."""
    ran = subprocess.run([sys.executable, "-c", HELP], check=True, capture_output=True, text=True)

    whole = ["usage: study", *(f"usage: study {name}" for name in COMMANDS)]
    assert ran.stdout.splitlines() == whole


def test_the_help_lists_every_command_and_the_options_of_the_whole_study():
    """A line a command, which fits a terminal; below it the options."""
    lines = parser().format_help().splitlines()

    listed = {line.split()[0]: line for line in lines if re.match(r"  [a-z]+  +[A-Z]", line)}
    assert list(listed) == list(COMMANDS)
    assert max(map(len, listed.values())) <= 80
    assert any(line.startswith("  --n-trials") for line in lines)


def test_usage_is_what_was_typed(tmp_path):
    """By the script, by the package, or by the command's own module."""
    ways = ("study search", "-m study search", "-m study.search")
    typed = [here("study", "search", "--help").stdout]
    for words in (["-m", "study", "search"], ["-m", "study.search"]):
        line = [sys.executable, *words, "--help"]
        typed.append(subprocess.run(line, check=True, capture_output=True, text=True).stdout)

    for way, text in zip(ways, typed, strict=True):
        assert text.startswith(f"usage: {way.replace('-m', 'python -m')} [-h]")


def test_a_command_is_its_module(tmp_path):
    """``study fit`` is ``python -m study.baseline``, and ``study check`` ``study.check``."""
    path = searched(tmp_path / "study.db")

    fit = here("study", "fit", *TINY, folder=tmp_path)
    check = here("study", "check", "--storage", path)

    assert fit == here("study.baseline", *TINY, folder=tmp_path)
    assert check == here("study.check", "--storage", path)
    assert (fit.status, check.stdout) == (0, "linear: 8 trials, as recorded\n")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_tells_its_version(command, tmp_path):
    """On one line of standard output, beside options that it would refuse."""
    told = here("study", *command.split(), "--version", folder=tmp_path)

    assert told == (0, f"study {version('study')}\n", "")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("--n-trails 4", "study: --n-trails: is no option: did you mean --n-trials?"),
        ("serch", "study: serch: is no command: did you mean search?"),
        ("xyz", "study: xyz: is no command: see study --help"),
        ("search --modle linear", "study: --modle: is no option: did you mean --model?"),
        ("fit --steps=9 --zzz=9", "study: --zzz: is no option: see study fit --help"),
        ("check -storage x", "study: -storage: is no option: did you mean --storage?"),
        ("check x.db", "study: x.db: is one word too many (see study check --help)"),
        ("search --model mpl", "study: model 'mpl': not known: did you mean mlp?"),
        (
            "search --model mlp --sampler QCM",
            "study: --sampler QCM: is not one of qmc, tpe, random, grid, gp: did you mean qmc?",
        ),
        (
            "search --model mlp --pruner x",
            "study: --pruner x: is not one of none, median, halving, hyperband: name one of them",
        ),
        (
            "search --model mlp --param hiden_units=5",
            "study: --param hiden_units=5: no such hyperparameter: did you mean hidden_units?",
        ),
        (
            "--target lineer=0.1",
            "study: --target lineer=0.1: model 'lineer' is not searched here: did you mean "
            "linear?",
        ),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(line, answer, tmp_path):
    """One line, and status 2; nothing is written."""
    result = here("study", *line.split(), folder=tmp_path)

    assert_refused(result)
    assert result.stderr == f"{answer}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_is_not_there_is_answered_with_the_nearest_one(tmp_path):
    """Where none is near, those that are there are listed."""
    path = searched(tmp_path / "study.db")

    near, far = (here("study", "report", name, "--storage", path) for name in ("liner", "x"))

    assert_refused(near, "study 'liner' in ", "is not there: did you mean linear?")
    assert_refused(far, "is not there: it holds 'linear'")


@pytest.mark.parametrize("line", ["--n-trial 4", "search --mod linear", "check --stor study.db"])
def test_options_have_no_abbreviations(line, tmp_path):
    """A script that abbreviates one would break when another is added."""
    result = here("study", *line.split(), folder=tmp_path)

    assert_refused(result, "is no option: did you mean --")
