"""The README's words are true: its commands and its Python run, in its order, and end well.

They run shortened: ``SHORTER`` is appended to the commands, and nothing else is changed. What
``study`` confirms is left to ``study.confirm``, which is among them.
"""

import re
import shlex
import shutil
import sys
from importlib import import_module
from pathlib import Path

import optuna
import pytest

from study.training.registry import MODELS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLE = "examples/two_hidden_layers.py"
STEP = re.compile(
    r"^    (?:.*&& )?python -m (study[\w.]*)([^#\n]*)|^```python\n(.*?)```", re.M | re.S
)
COMMANDS = [(m[1], m[2]) for m in STEP.finditer(README) if m[1]]
EXAMPLES = [m[3] for m in STEP.finditer(README) if m[3]]
MENTIONED = sorted(set(re.findall(r"`(--[a-z-]+)", README)))
PARSERS = ("study", "study.search", "study.confirm", "study.report", "study.reproduce")
PARSERS += ("study.baseline", "study.check", "study.sweep")
TRAINING = "--steps 60 --val-every 20"
SHORTER = {
    "study": f"{TRAINING} --n-trials 4 --no-confirm",
    "study.search": f"{TRAINING} --n-trials 4",
    "study.confirm": "--seeds 2 --splits 2 --finalists 1",
    "study.baseline": TRAINING,
    "study.sweep": f"{TRAINING} --n-trials 4 --digits 3-5 --no-reports",
}
FILES = {  # data root → where the official files may lie on this machine
    "MNIST": ROOT.parent / "shared/mnist/MNIST/raw",
    "FashionMNIST": Path("/usr/share/datasets/fashion-mnist"),
}


def parser(module):
    """The parser of a command."""
    found = import_module(module)
    return getattr(found, "parser", None) or import_module(f"{module}.command").parser


def parsed(module, options):
    """The options by name."""
    return vars(parser(module)().parse_args(shlex.split(options)))


def test_the_readme_has_every_command_and_three_examples():
    """The pattern above finds them."""
    assert {module for module, _ in COMMANDS} == set(PARSERS)
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("module", "options"), COMMANDS)
def test_shorter_changes_how_much_is_trained_and_nothing_else(module, options):
    """A reader may paste the command, and what the test runs differs in these settings alone."""
    whole = parsed(module, options)
    short = parsed(module, f"{options} {SHORTER.get(module, '')}")

    changed = {name for name in whole if whole[name] != short[name]}
    assert changed <= {
        "steps",
        "val_every",
        "n_trials",
        "seeds",
        "splits",
        "finalists",
        "no_confirm",
        "digits",
        "no_reports",
    }


@pytest.mark.parametrize("option", MENTIONED)
def test_every_option_in_the_readme_exists(option):
    """Some command has it in its help."""
    assert any(option in parser(module)().format_help() for module in PARSERS)


def test_the_model_is_shown_in_full():
    """The block is the file."""
    assert (ROOT / EXAMPLE).read_text() in EXAMPLES


def test_the_sections_that_it_explains_are_in_the_report():
    """By their titles, in the published page; and every figure has its numbers."""
    titles = re.findall(r"^- \*([^*]+)\*:", README, re.M)
    page = (ROOT / "reports/index.html").read_text()

    assert len(titles) == 4
    assert [title for title in titles if f">{title}<" not in page] == []
    figures = {path.stem for path in (ROOT / "reports/figures").iterdir()}
    assert figures <= {path.stem for path in (ROOT / "reports/tables").iterdir()}


def test_every_link_leads_somewhere():
    """A relative link's file is in the repository."""
    links = re.findall(r"\]\(([^)#]+)\)", README)

    missing = [
        link for link in links if not link.startswith("http") and not (ROOT / link).exists()
    ]
    assert missing == []


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with the examples, and DIR with what official files are here."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", "examples")
    for name, there in FILES.items():
        raw = tmp_path / "DIR" / name / "raw"
        raw.mkdir(parents=True)
        for file in there.glob("train-*-ubyte*"):
            (raw / file.name).symlink_to(file)
    models, level = dict(MODELS), optuna.logging.get_verbosity()
    yield tmp_path
    optuna.logging.set_verbosity(level)
    MODELS.clear()
    MODELS.update(models)


def test_everything_in_the_readme_runs(folder, monkeypatch, capsys):
    """From the first command to the last, as a reader would go through it."""
    ended = {}
    for step in STEP.finditer(README):
        if step[3] and step[3] != (ROOT / EXAMPLE).read_text():
            exec(step[3].replace("n_trials=3", "n_trials=1"), {})
        elif step[1] and not lacks_files(folder, step[2]):
            command = f"{step[1]} {step[2].strip()} {SHORTER.get(step[1], '')}"
            ended[command] = run(command, monkeypatch)

    assert {command: status for command, status in ended.items() if status} == {}
    assert len(ended) >= len(COMMANDS) - 2
    assert 0.02 < float(re.findall(r"^0\.\d+$", capsys.readouterr().out, re.M)[-1]) < 0.6


def lacks_files(folder, options):
    """Whether the official files that a command reads are not on this machine."""
    name = "FashionMNIST" if "fashion" in options else "MNIST"
    return "DIR" in options and not any((folder / "DIR" / name / "raw").iterdir())


def run(command, monkeypatch):
    """The exit status of a command, run in this process."""
    module, *options = shlex.split(command)
    monkeypatch.setattr(sys, "argv", [module, *options])
    found = import_module(module)
    main = getattr(found, "main", None) or import_module(f"{module}.command").main
    return main()
