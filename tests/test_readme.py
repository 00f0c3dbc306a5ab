"""The README and the pages in docs/ are true: their commands and their Python run and end well.

They run shortened: ``SHORTER`` is appended to the commands, and nothing else is changed. Each page
runs in a copy of the folder that the README's commands leave, as a reader comes from there. What
``study`` confirms is left to ``study.confirm``, which is among them.
"""

import json
import os
import re
import shlex
import shutil
import sys
from importlib import import_module
from pathlib import Path

import optuna
import pandas as pd
import pytest

from study.command import COMMANDS as NAMED
from study.report import writing
from study.report.drawn import Drawn
from study.training.registry import MODELS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in PAGES}
README = TEXTS["README.md"]
SHORT_ONES = ["python", "optuna"]
LONG_ONES = ["search", "own-data", "own-model", "comparison"]
RUN = SHORT_ONES + LONG_ONES  # docs/cluster.md needs a cluster
EXAMPLE = (ROOT / "examples/two_hidden_layers.py").read_text()
STEP = re.compile(
    rf"^    (?:.*&& )?(?:python -m )?(study(?: (?:{'|'.join(NAMED)})\b|[.\w]*))"
    r"(?=\s)(?! =)([^#\n]*)"
    "|^```python\n(.*?)```",
    re.M | re.S,
)


def steps(text):
    """What a page shows, in its order: a command's module and its options, or Python."""
    for command, options, code in STEP.findall(text):
        name = command.removeprefix("study ")
        home = NAMED[name][0].removesuffix(".command") if name in NAMED else command
        yield home, options, code


COMMANDS = {
    f"{page}: {module}{options}".strip(): (module, options)
    for page, text in TEXTS.items()
    for module, options, _ in steps(text)
    if module
}
MENTIONED = sorted(set(re.findall(r"`(--[a-z-]+)", "".join(TEXTS.values()))))
PARSERS = ("study", "study.search", "study.confirm", "study.report", "study.reproduce")
PARSERS += ("study.baseline", "study.check", "study.sweep", "study.collect")
TRAINING = "--steps 60 --val-every 20"
SHORTER = {
    "study": f"{TRAINING} --n-trials 4 --no-confirm",
    "study.search": f"{TRAINING} --n-trials 4",
    "study.confirm": "--seeds 2 --splits 2 --n-trials 4 --finalists 1",
    "study.baseline": TRAINING,
    "study.sweep": f"{TRAINING} --n-trials 4 --digits 3-5 --no-reports",
}
SHORTER_PYTHON = {
    "n_trials=3": "n_trials=1",
    "n_trials=64": "n_trials=4, steps=60, val_every=20",
    'tune("mlp")': 'tune("mlp", n_trials=4, steps=60, val_every=20)',
    "learning_rate=1e-4": "learning_rate=1e-4, steps=60, val_every=20",
    'compare("study.db")': 'compare("study.db", seeds=2, splits=2)',
}
FILES = {  # data root → where the official files may lie on this machine
    "MNIST": Path(os.environ.get("STUDY_MNIST", ROOT.parent / "shared/mnist"), "MNIST/raw"),
    "FashionMNIST": Path("/usr/share/datasets/fashion-mnist"),
}
SUMMARY = json.loads((ROOT / "reports/summary.json").read_text())


def parser(module):
    """The parser of a command."""
    found = import_module(module)
    return getattr(found, "parser", None) or import_module(f"{module}.command").parser


def parsed(module, options):
    """The options by name."""
    return vars(parser(module)().parse_args(shlex.split(options)))


def test_the_pages_have_every_command_and_the_example():
    """The pattern above finds them; what runs has nine blocks of Python."""
    shown = [step for text in TEXTS.values() for step in steps(text)]
    run = [step for name in RUN for step in steps(TEXTS[f"docs/{name}.md"])]

    assert {module for module, _, _ in shown} - {""} == set(PARSERS)
    assert len([code for *_, code in run if code]) == 9


@pytest.mark.parametrize("command", COMMANDS)
def test_shorter_changes_how_much_is_trained_and_nothing_else(command):
    """A reader may paste the command, and what the test runs differs in these settings alone."""
    module, options = COMMANDS[command]
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
def test_every_option_on_the_pages_exists(option):
    """Some command has it in its help."""
    assert any(option in parser(module)().format_help() for module in PARSERS)


def test_the_model_is_shown_in_full():
    """The block is the file."""
    assert f"```python\n{EXAMPLE}```" in TEXTS["docs/own-model.md"]


def test_the_sections_that_it_explains_are_in_the_report():
    """By their titles, in the published page; and every figure has its numbers."""
    titles = re.findall(r"^- \*([^*]+)\*:", README, re.M)
    page = (ROOT / "reports/index.html").read_text()

    assert len(titles) == 4
    assert [title for title in titles if f">{title}<" not in page] == []
    figures = {path.stem for path in (ROOT / "reports/figures").iterdir()}
    assert figures <= {path.stem for path in (ROOT / "reports/tables").iterdir()}


def anchors(text):
    """What a link may name on a page, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """A relative link's file is in the repository, and its anchor is a heading there."""
    links = re.findall(r"\]\((?!http)([^)#\s]*)#?([^)]*)\)", page.read_text())

    assert [link for link, _ in links if not (page.parent / link).exists()] == []
    named = [(page.parent / link if link else page, anchor) for link, anchor in links if anchor]
    assert [a for target, a in named if a not in anchors(target.read_text())] == []


def test_the_readme_leads_to_every_page():
    """It is short, and each page of docs/ is one link away."""
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", README))

    assert linked == set(TEXTS) - {"README.md"}
    assert len(README.split()) < 900


def words(text):
    """The text without its line breaks, and with one spelling of a percentage."""
    return " ".join(text.replace(" %", "%").split())


def share(fraction):
    return f"{100 * fraction:.2f} %"


def printed_by_confirm():
    """The lines that the README shows of ``study.confirm``, from the published summary."""
    c, both = SUMMARY["comparison"], [SUMMARY["comparison"][side] for side in "ab"]
    searches = f"{c['judged']['n_splits']} searches of {c['judged']['n_trials']} trials"
    return [
        line("best trial of the search", [of_val(a["raw_best_errors"]) for a in both]),
        line(
            "simplest within one standard error",
            [f"{a['recommended_trial']} ({a['recommended_errors']} of 1,791)" for a in both],
        ),
        line(f"best trial, {c['n_seeds']} fresh seeds", [seeds(a) for a in both]),
        line(f"held out, {searches}", [held_out(a["holdout"]) for a in both]),
        line("the same, simplest of each search", [held_out(a["simplest_holdout"]) for a in both]),
        line("optimism of such a search", [f"{100 * a['optimism']:+.2f} points" for a in both]),
    ]


def line(name, cells):
    return f"{name} {cells[0]} {cells[1]}"


def of_val(errors):
    return f"{share(errors / 1791)} ({errors} of 1,791)"


def seeds(side):
    best = side["replicates_best"]
    return f"{share(best['mean'] / 1791)} ({best['mean']:.1f}, SD {best['sd']:.1f})"


def held_out(found):
    ends = found["interval"]
    return f"{share(found['mean'])} ({share(ends['lower'])} to {share(ends['upper'])})"


@pytest.mark.parametrize("shown", printed_by_confirm())
def test_the_readme_shows_what_the_published_study_prints(shown):
    """Every number of the comparison is the summary's."""
    assert words(shown) in words(README)


def test_the_answer_is_that_of_the_published_study():
    """Both errors, their difference and its interval, on the README's first screen."""
    c = SUMMARY["comparison"]
    ends = [100 * c["difference"]["interval"][end] for end in ("lower", "upper")]

    assert words(
        f"it errs on {share(c['b']['holdout']['mean'])}, the linear model on "
        f"{share(c['a']['holdout']['mean'])} (difference {100 * c['difference']['mean']:.2f} "
        f"percentage points, 95 % interval {ends[0]:.2f} to {ends[1]:.2f})"
    ) in words(README)
    assert words(
        f"better by {100 * c['a']['optimism']:.2f} (linear) and {100 * c['b']['optimism']:.2f} "
        "(MLP) percentage points"
    ) in words(TEXTS["docs/comparison.md"])


SAMPLERS = pd.read_csv(ROOT / "reports/benchmark/samplers.csv")


def compared(model):
    """The lines of the table of samplers: mean errors, and their paired differences to qmc's."""
    found = SAMPLERS[SAMPLERS["model"] == model]
    for sampler in found["sampler"].unique():
        cells = [f"{'MLP' if model == 'mlp' else model}, `{sampler}`"]
        for column in ("val_errors", "holdout_errors"):
            errors = found.pivot_table(column, "seed", "sampler")
            less = errors[sampler] - errors["qmc"]
            cells += [f"{errors[sampler].mean():.1f}", f"{less.mean():.1f} ± {less.sem():.1f}"]
        line = " | ".join(cells).replace("-", "−").replace("0.0 ± 0.0", "")
        yield f"| {line} |".replace("|  |", "| |")


@pytest.mark.parametrize("model", MODELS)
def test_the_search_page_shows_how_the_samplers_compared(model):
    """Every line of its table is the CSV's."""
    lines = list(compared(model))

    assert len(lines) == 3
    assert [line for line in lines if line not in TEXTS["docs/search.md"]] == []


def test_no_sampler_is_ahead_as_the_search_page_says():
    """On the holdout, no sampler errs less than qmc by more than two standard errors."""
    wide = SAMPLERS.pivot_table("holdout_errors", ["model", "seed"], "sampler")
    seeds = SAMPLERS.groupby("model")["seed"].nunique()

    for sampler in ("tpe", "random"):
        less = (wide[sampler] - wide["qmc"]).groupby("model").agg(["mean", "sem"])
        assert (less["mean"] > -2 * less["sem"]).all()
    said = f"over {seeds['linear']} seeds of the linear model and {seeds['mlp']} of the MLP"
    assert said in words(TEXTS["docs/search.md"])


def test_the_ways_to_read_on_do_not_end():
    """Every page says where to go next, and the pages that it names are there."""
    ends = {page: text.partition("\nNext: ")[2] for page, text in TEXTS.items()}

    assert [page for page, end in ends.items() if ".md)" not in end] == ["README.md"]


@pytest.fixture(scope="module", autouse=True)
def _drawn_once():
    """The reports of all pages share what they draw, as the two of ``study`` do."""
    drawn = Drawn()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing, "Drawn", lambda: drawn)
        yield


@pytest.fixture(autouse=True)
def _as_before():
    """What a page registers or sets in Optuna is forgotten after it."""
    models, level = dict(MODELS), optuna.logging.get_verbosity()
    yield
    optuna.logging.set_verbosity(level)
    MODELS.clear()
    MODELS.update(models)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """A folder after the README's commands, with what official files are here; their statuses."""
    folder = tmp_path_factory.mktemp("read")
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name, there in FILES.items():
        raw = folder / "DIR" / name / "raw"
        raw.mkdir(parents=True)
        for file in there.glob("train-*-ubyte*"):
            (raw / file.name).symlink_to(file)
    with pytest.MonkeyPatch.context() as patched:
        return folder, run_page(README, folder, patched)


def run_page(text, folder, monkeypatch):
    """Run what a page shows, in its order; the exit status of each command."""
    monkeypatch.chdir(folder)
    ended, names = {}, {}
    for module, options, code in steps(text):
        if code and code != EXAMPLE:
            exec(shorter(code), names)
        elif module and not lacks_files(folder, options):
            command = f"{module} {options.strip()} {SHORTER.get(module, '')}"
            ended[command] = run(command, monkeypatch)
    return ended


def shorter(code):
    """A block of Python that trains as much as the shortened commands do."""
    for whole, short in SHORTER_PYTHON.items():
        code = code.replace(whole, short)
    return code


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


def test_everything_in_the_readme_runs(read):
    """From the first command to the last, as a reader would go through it."""
    _, ended = read

    assert len(ended) == 6
    assert set(ended.values()) == {0}


@pytest.mark.parametrize(
    "name", SHORT_ONES + [pytest.param(name, marks=pytest.mark.slow) for name in LONG_ONES]
)
def test_everything_on_a_page_runs(name, read, tmp_path, monkeypatch, capsys):
    """In the folder that the README's commands leave; Python prints an error of a model."""
    folder = shutil.copytree(read[0], tmp_path / "read", symlinks=True)

    ended = run_page(TEXTS[f"docs/{name}.md"], folder, monkeypatch)

    assert {command: status for command, status in ended.items() if status} == {}
    if name == "python":
        assert 0.02 < float(re.findall(r"^0\.\d+$", capsys.readouterr().out, re.M)[-1]) < 0.6
