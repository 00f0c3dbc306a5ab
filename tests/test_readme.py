"""The README's words are true: its commands parse, and its example runs."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

README = Path(__file__).parents[1].joinpath("README.md").read_text()
COMMANDS = re.findall(r"^    (?:.*&& )?python -m (study[\w.]*)([^#\n]*)", README, re.MULTILINE)
MENTIONED = sorted(set(re.findall(r"`(--[a-z-]+)", README)))
PARSERS = (
    "study",
    "study.search",
    "study.confirm",
    "study.report",
    "study.reproduce",
    "study.check",
)


def parser(module):
    """The parser of a command."""
    found = import_module(module)
    return getattr(found, "parser", None) or import_module(f"{module}.__main__").parser


@pytest.mark.parametrize(("module", "options"), COMMANDS)
def test_every_command_in_the_readme_parses(module, options):
    """A reader may paste it."""
    parser(module)().parse_args(shlex.split(options))


def test_the_readme_has_commands():
    """The pattern above finds them."""
    assert {module for module, _ in COMMANDS} >= {"study", "study.search", "study.confirm"}


@pytest.mark.parametrize("option", MENTIONED)
def test_every_option_in_the_readme_exists(option):
    """Some command has it in its help."""
    assert any(option in parser(module)().format_help() for module in PARSERS)


def test_the_readmes_example_runs(tmp_path):
    """The Python example prints an error rate, as a reader would see it."""
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    result = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path, check=True
    )

    assert 0.02 < float(result.stdout) < 0.6
