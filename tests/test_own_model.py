"""A third model from one file: searched, confirmed, reported, reproduced and timed."""

import json
import shutil
import sys
from pathlib import Path
from unittest import mock

import pytest

from study import storage
from study.errors import StudyError
from study.training.plain import train_plainly
from study.training.plan import Plan
from study.training.registry import MODELS, Model, build, load_model_file, register
from study.training.trainer import train
from tests.helpers import commands
from tests.helpers.commands import here
from tests.helpers.plans import configuration_of, space_of
from tests.report.helpers import LaidOut, Undrawn

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "two_hidden_layers.py"
NAME = "two-hidden-layers"
OWN = ("--model-file", EXAMPLE)
SHORT = ("--steps", "60", "--val-every", "20", "--n-trials", "4")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """What a test registers is forgotten after it."""
    before = dict(MODELS)
    yield
    MODELS.clear()
    MODELS.update(before)


def run(module, folder, *options):
    """Run a command in ``folder``; (status, stdout, stderr)."""
    return commands.run(commands.module(module, *options), folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(a folder, how ``study`` and ``study.confirm`` ended there): the MLP and the third model."""
    folder, before = tmp_path_factory.mktemp("own"), dict(MODELS)
    small = ("--seeds", "2", "--splits", "2", "--n-trials", "2", "--finalists", "1")
    whole = ("--models", "mlp", NAME, *SHORT, "--no-confirm")
    with mock.patch("study.report.writing.Drawn", Undrawn):
        searched = here("study", *OWN, *whole, folder=folder)
    confirmed = here(
        "study.confirm", *OWN, "--linear", "mlp", "--mlp", NAME, *small, folder=folder
    )
    MODELS.clear()
    MODELS.update(before)
    return folder, searched, confirmed


def test_it_is_searched_and_confirmed(whole):
    """The verdict names both models, and the status is 0."""
    *_, (status, said, error) = whole

    assert status == 0, error
    assert "the MLP with two hidden layers" in said.splitlines()[0]
    assert "held out, 2 searches of 2 trials" in said


def test_it_is_in_the_report(whole, tmp_path):
    """The summary has its best trial, and the page its name; its figures can be drawn."""
    options = ("--linear", "mlp", "--mlp", NAME, "--out", tmp_path)

    with mock.patch("study.report.writing.Drawn", LaidOut):
        status, _, error = here("study.report", *OWN, *options, folder=whole[0])

    assert (status, error) == (0, "")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["models"][NAME]["trials"] == 4
    assert NAME in (tmp_path / "index.html").read_text()


def test_one_command_does_all_of_it(whole):
    """``python -m study --models``: searches and a report, of the models that it names."""
    folder, (status, said, error), _ = whole

    assert (status, error) == (0, "")
    assert [line.split(":")[0] for line in said.splitlines() if "trials in" in line] == [
        "mlp",
        NAME,
    ]
    assert [*json.loads((folder / "reports/summary.json").read_text())["models"]] == ["mlp", NAME]


def test_a_stored_trial_is_reproduced_to_the_bit(whole):
    """``study.reproduce`` retrains it from the same file."""
    folder, *_ = whole

    status, said, _ = run("study.reproduce", folder, *OWN, "--study-name", NAME, "--trial", 2)

    assert (status, said.strip()[-4:]) == (0, "bits")


def test_without_the_file_its_study_is_refused(whole):
    """No code is run because a database names it; the line says which option is missing."""
    folder, *_ = whole

    status, _, error = run("study.reproduce", folder, "--study-name", NAME, "--trial", 0)

    assert status == 2
    assert error.startswith(f"study: model '{NAME}': not known")
    assert "--model-file" in error
    assert error.count("\n") == 1


def test_a_changed_file_does_not_go_on_with_the_study(whole, tmp_path):
    """The study states the file's SHA-256, and a search with another one adds nothing."""
    folder, *_ = whole
    changed = tmp_path / EXAMPLE.name
    changed.write_text(EXAMPLE.read_text() + "# changed\n")

    status, _, error = run(
        "study.search", folder, "--model-file", changed, "--model", NAME, *SHORT, "--n-trials", 8
    )

    assert status == 2
    assert f"versions.{NAME}" in error
    found = storage.load_study(str(folder / "study.db"), NAME)
    assert len(found.get_trials()) == 4


@pytest.mark.slow
def test_the_benchmark_times_it(tmp_path):
    """Its rows reach the errors of the untimed search."""
    options = ("--quick", *OWN, "--models", NAME, "--peers", "search,command", "--out", tmp_path)

    status, said, error = run("benchmarks", ROOT, *options)

    assert status == 0, error
    assert said.count("≤ 1.0 images") == 2


def test_its_arithmetic_is_counted_as_the_formula_counts():
    """Torch's count of the two built-in models is the formula's."""
    from benchmarks.work import _counted, gflop

    trained, validated = 100 * 100, 2 * 1791

    for model in ("linear", "mlp"):
        assert _counted(model, trained, validated) / 1e9 == pytest.approx(gflop(model, 100))


def test_a_mixed_cohort_of_it_equals_plain_training(images, short):
    """Three widths at once: each ends as it does alone under torch.optim.SGD."""
    load_model_file(EXAMPLE)
    configurations = [configuration_of(rate, h) for rate, h in ((0.05, 4), (0.02, 9), (0.01, 4))]
    built = [build(MODELS[NAME], c, seed=k) for k, c in enumerate(configurations)]
    alone = [build(MODELS[NAME], c, seed=k) for k, c in enumerate(configurations)]

    histories = train(built, [c["learning_rate"] for c in configurations], images, short, seed=5)

    for model, configuration, history in zip(alone, configurations, histories, strict=True):
        plain = train_plainly(model, configuration["learning_rate"], images, short, seed=5)
        losses = [shown.validation.loss for shown in plain]
        assert history.val_losses == pytest.approx(losses, rel=1e-3)


def written(folder, text, name="mine.py"):
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "registers no model: must call study.register"),
        ("import no_such_module\n", "fails with ModuleNotFoundError"),
        ("1 +\n", "fails with SyntaxError"),
        (EXAMPLE.read_text().replace(f'"{NAME}"', '"mlp"'), "'mlp': is registered already"),
        (EXAMPLE.read_text().replace(f'"{NAME}"', '"a/b"'), "'a/b': is no name"),
    ],
    ids=["nothing registered", "import", "syntax", "taken", "slash"],
)
def test_a_file_that_can_not_be_used_is_one_line(text, words, tmp_path):
    """The message names the file or the model, and says what must be."""
    path = written(tmp_path, text)

    with pytest.raises(StudyError) as refused:
        load_model_file(path)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing.py", "folder", "notes.txt"])
def test_a_file_that_is_not_there_is_refused(name, tmp_path):
    """So is a folder, and a file that is no Python source."""
    (tmp_path / "folder").mkdir()
    written(tmp_path, "words", "notes.txt")

    with pytest.raises(StudyError, match=r"not there: must be a Python file"):
        load_model_file(tmp_path / name)


def test_a_file_never_takes_the_place_of_a_module(tmp_path):
    """A model file called json.py leaves the standard library's alone."""
    path = shutil.copy(EXAMPLE, tmp_path / "json.py")

    load_model_file(path)

    assert sys.modules["json"] is json
    assert NAME in MODELS


def test_a_class_may_be_named_instead_of_given(tmp_path):
    """As the built-in models name theirs: the file is a module while the process lives."""
    text = EXAMPLE.read_text().replace("=TwoHiddenLayers,", '=f"{__name__}:TwoHiddenLayers",')
    load_model_file(written(tmp_path, text))

    model = build(MODELS[NAME], configuration_of(0.1, 3), seed=0)

    assert type(model).__name__ == "TwoHiddenLayers"


def test_the_same_file_may_be_loaded_again():
    """A second load changes nothing."""
    load_model_file(EXAMPLE)
    before = MODELS[NAME]

    load_model_file(EXAMPLE)

    assert MODELS[NAME] is before


def test_a_model_of_ones_own_code_needs_no_file():
    """``register`` is enough within one process, and a name is given once."""
    from study.training.models import SimpleLinear

    mine = Model("mine", "mine", SimpleLinear, target=0.1, has_hidden_units=False)

    register(mine)

    assert Plan.from_manifest(_manifest("mine")).model_definition is mine
    with pytest.raises(StudyError, match="registered already"):
        register(Model("mine", "other", SimpleLinear, target=0.1, has_hidden_units=False))


def _manifest(model):

    return Plan(model, space_of()).manifest("0" * 64)
