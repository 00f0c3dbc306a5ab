"""The commands as functions: the same trials, arguments checked, the caller's state as it was."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

import study
from study.errors import StudyError
from study.training.loading import load_pair
from study.training.registry import MODELS, Model
from tests.helpers.commands import module, run
from tests.helpers.storages import table, tables, weights

ROOT = Path(__file__).parents[1]
BRIEF = {"steps": 60, "val_every": 20, "jobs": 1}
OPTIONS = ("--steps", 60, "--val-every", 20)
QUICK = {"seeds": 2, "splits": 2, "n_trials": 2, "jobs": 1}


def tuned(path, model, n_trials=4, **options):
    """A short search from Python."""
    return study.tune(model, n_trials=n_trials, storage=path, **BRIEF | options)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Two studies that were tuned and compared from Python, and the comparison."""
    path = tmp_path_factory.mktemp("compared") / "study.db"
    for model in ("linear", "mlp"):
        tuned(path, model)
    return path, study.compare(path, **QUICK)


def test_a_search_from_python_is_that_of_the_command(tmp_path):
    """The same trials and weights, bit for bit; an option changes both alike."""
    space = {"learning_rate": (1e-3, 0.5), "hidden_units": (8, 32)}
    own = ("--param", "learning_rate=1e-3..0.5", "--param", "hidden_units=8..32")
    options = (*OPTIONS, "--n-trials", 4, "--seed", 3, "--sampler", "random")

    outcome = tuned(tmp_path / "python.db", "mlp", seed=3, sampler="random", **space)
    search = module("study.search", "--model", "mlp", "--storage", "command.db", *options, *own)
    assert run(search, tmp_path).status == 0

    assert table(tmp_path / "python.db", "mlp") == table(tmp_path / "command.db", "mlp")
    assert weights(tmp_path / "python.db", "mlp") == weights(tmp_path / "command.db", "mlp")
    assert (len(outcome.trials), outcome.added) == (4, 4)


def test_a_stored_study_goes_on(tmp_path):
    """As the command does: trials that are there count, and the seed's sequence goes on."""
    path = tmp_path / "study.db"

    tuned(path, "linear", 3)
    outcome = tuned(path, "linear", 6)
    tuned(tmp_path / "at-once.db", "linear", 6)

    assert (outcome.added, len(outcome.trials)) == (3, 6)
    assert [t.parameters for t in outcome.trials] == [
        t.parameters for t in tuned(tmp_path / "at-once.db", "linear", 6).trials
    ]


def test_a_fit_is_the_first_trial_of_a_search_with_its_settings(tmp_path):
    """The same curve and predictions, whatever the number of workers is."""
    outcome = tuned(tmp_path / "study.db", "mlp", 1, learning_rate=0.05, hidden_units=20)

    fit = study.fit("mlp", learning_rate=0.05, hidden_units=20, steps=60, val_every=20)

    [trial] = outcome.trials
    assert trial.curve["val_errors"].tolist() == fit.val_errors.tolist()
    assert (trial.predictions == fit.predictions).all()


def test_a_comparison_from_python_is_that_of_the_command(compared, tmp_path):
    """The same repetitions, bit for bit; where all are stored, nothing is trained or written."""
    path, comparison = compared
    for model in ("linear", "mlp"):
        tuned(tmp_path / "study.db", model)

    options = ("--seeds", 2, "--splits", 2, "--n-trials", 2)
    assert run(module("study.confirm", *options), tmp_path).status == 0

    for part in ("linear/splits", "mlp/replicates"):
        assert table(path, part) == table(tmp_path / "study.db", part)
    before = tables(path)
    assert study.compare(path, ("linear", "mlp"), seeds=2, splits=2) == comparison
    assert tables(path) == before


def test_a_comparison_goes_on_where_it_was_left(compared, tmp_path):
    """More splits and seeds are added, with the seed and the trials that it was begun with."""
    path = tmp_path / "study.db"
    path.write_bytes(compared[0].read_bytes())

    more = study.compare(path, seeds=3, splits=3, jobs=1)

    assert (more.n_seeds, more.judged.n_splits, more.judged.n_trials) == (3, 3, 2)
    assert table(path, "mlp/splits")[:2] == table(compared[0], "mlp/splits")


def test_a_comparison_with_other_settings_is_refused(compared):
    """In one line that says how it is made anew."""
    with pytest.raises(StudyError, match=r"n_trials 2 → 3.*: use those, or pass restart=True$"):
        study.compare(compared[0], n_trials=3, seeds=2, splits=2)


def test_a_report_is_where_its_result_says(compared, tmp_path):
    """The page opens by the result, which is a path."""
    written = study.write_report(compared[0], tmp_path / "out", formats=["svg"])

    assert Path(written) == tmp_path / "out" / "index.html"
    page, verdict = Path(written).read_text(), compared[1].verdict
    assert f"<h1>{verdict.headline}</h1>" in page
    assert verdict.evidence[1:] in page
    assert all(path.exists() for path in written.others)
    figures = (tmp_path / "out" / "figures").iterdir()
    assert {path.suffix for path in figures} == {".svg"}


def test_a_plot_against_what_was_not_searched_is_refused(compared):
    """With the nearest hyperparameter; also where it is no text."""
    with pytest.raises(StudyError, match=r"^parameter='hidden': .*did you mean hidden_units[?]$"):
        study.plots.against(compared[0], "hidden")
    with pytest.raises(StudyError, match=r"^parameter=\['learning_rate'\]: is not one of"):
        study.plots.against(compared[0], ["learning_rate"])


def test_numbers_of_numpy_are_numbers(tmp_path):
    """Of whatever width: the trials and what is stored of them are the same."""
    space = {"learning_rate": (0.25, 0.5), "hidden_units": 16, "nesterov": False}
    same = {"learning_rate": tuple(np.float32([0.25, 0.5])), "hidden_units": np.int64(16)}
    same |= {"nesterov": np.False_, "classes": np.array([4.0, 9.0]), "steps": np.int32(60)}

    tuned(tmp_path / "python.db", "mlp", 2, sampler="grid", **space)
    tuned(tmp_path / "numpy.db", "mlp", np.int64(2), sampler="grid", **same)

    assert table(tmp_path / "numpy.db", "mlp") == table(tmp_path / "python.db", "mlp")
    assert [type(digit) for digit in study.load(classes=np.array([4.0, 9.0])).classes] == [
        int,
        int,
    ]


@pytest.mark.parametrize("name", ["tune", "fit", "compare", "write_report"])
def test_no_submodule_has_the_name_of_a_function(name):
    """Importing a module sets its name on the package, and would hide the function."""
    before = getattr(study, name)
    for found in pkgutil.walk_packages(study.__path__, "study."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)

    assert getattr(study, name) is before
    assert callable(before)
    assert [type(getattr(study, each)).__name__ for each in ("search", "confirm", "report")] == [
        *3 * ["module"]
    ]
    with pytest.raises((StudyError, TypeError)):
        before(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: study.tune("linear", n_trials="many"), "n_trials='many': must be a whole number"),
        (lambda: study.tune("linear", n_trials=True), "n_trials=True: must be a whole number"),
        (lambda: study.tune(3), "model=3: must be a name such as 'linear' or 'mlp'"),
        (lambda: study.tune("mpl"), "model='mpl': .*did you mean mlp[?]"),
        (lambda: study.tune("mlp", storage=None), "storage=None: must be a path or a URL"),
        (lambda: study.tune("mlp", hiden_units=3), "hiden_units=3: .*did you mean hidden_units"),
        (lambda: study.tune("mlp", n_trails=3), "n_trails=3: .*did you mean n_trials"),
        (lambda: study.tune("mlp", hidden_units=(9, 8)), "hidden_units=.9, 8.: .*reversed"),
        (lambda: study.tune("mlp", hidden_units={}), "hidden_units={}: must be a value, a range"),
        (lambda: study.tune("mlp", sampler="tp"), "sampler='tp': .*did you mean tpe"),
        (lambda: study.tune("mlp", classes=3), "classes=3: must be two, such as .4, 9"),
        (lambda: study.tune("mlp", data=4), "data=4: must be a file or folder"),
        (lambda: study.tune("mlp", data=pd.DataFrame({"a": [1]})), "data= .*must be a file or f"),
        (lambda: study.tune("mlp", study_name=4), "study_name=4: must be a text"),
        (lambda: study.tune("mlp", target=2), "target=2: must be a number above 0"),
        (lambda: study.tune("mlp", device="tpu"), "device='tpu': is not one of auto, cpu"),
        (lambda: study.tune("mlp", jobs=0), "jobs=0: must be a whole number, 1 or more"),
        (lambda: study.fit("linear", learning_rate="fast"), "learning_rate='fast': must be a nu"),
        (
            lambda: study.fit("linear", hidden_units=1),
            "hidden_units=1: .*linear has l",
        ),
        (lambda: study.compare(names="linear"), "names='linear': must be a list"),
        (lambda: study.compare("gone.db"), "gone.db: there is no such file"),
        (lambda: study.compare(restart="no"), "restart='no': must be True or False"),
        (lambda: study.tune("mlp", other_versions=1), "other_versions=1: must be True or False"),
        (lambda: study.compare(margin=3), "margin=3: must be percentage points"),
        (lambda: study.write_report("gone.db", out=None), "out=None: must be a folder"),
        (lambda: study.write_report("gone.db", formats="pdf"), "formats='pdf': must be a list"),
        (lambda: study.write_report("gone.db", formats=["pgn"]), "formats='pgn': .*mean png"),
        (lambda: study.write_report("gone.db", formats=[]), "formats=.*: is empty: name one"),
        (lambda: study.plots.curves(3, quantity=[]), "quantity=.*: is not one of error, loss"),
        (lambda: study.plots.history(3), "result of type int: can't be drawn"),
        (lambda: study.plots.history("gone.db", ax=3), "ax of type int: must be an Axes"),
        (lambda: study.plots.weights(3), "weights of a int: are no images"),
    ],
)
def test_a_wrong_argument_ends_in_one_sentence(call, words, tmp_path, monkeypatch):
    """It names the argument, what is wrong, and what would be right; nothing is made."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StudyError, match=f"^{words}") as raised:
        call()

    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_optuna_says_nothing_and_the_callers_verbosity_stays(tmp_path, capfd):
    """Also where the function fails."""
    optuna.logging.set_verbosity(optuna.logging.DEBUG)

    tuned(tmp_path / "study.db", "linear", 2)
    with pytest.raises(StudyError):
        tuned(tmp_path / "study.db", "linear", 2, seed=1)

    assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    assert capfd.readouterr() == ("", "")


def test_data_in_memory_is_searched_and_compared(tmp_path):
    """A table that no file has, by two workers, which are threads; afterwards it is let go."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    data = study.load(X=X, y=(X[:, 0] > 0).astype(int))
    options = {**BRIEF, "jobs": 2, "storage": tmp_path / "study.db", "data": data}

    outcomes = [study.tune(model, n_trials=2, **options) for model in ("linear", "mlp")]
    comparison = study.compare(tmp_path / "study.db", data=data, **QUICK)

    assert outcomes[0].plan.inputs == 4
    assert outcomes[0].plan.target is None
    assert comparison.judged.n_splits == 2
    with pytest.raises(StudyError, match="no file or folder is named"):
        load_pair(outcomes[0].plan.protocol, None)


def test_a_model_object_is_registered_and_searched(tmp_path, monkeypatch):
    """Its study has its name."""
    model = Model("thin", "a thin MLP", "study.training.models:SimpleMLP", space={})
    monkeypatch.setitem(MODELS, "thin", model)  # and taken out again

    outcome = tuned(tmp_path / "study.db", model, 1, learning_rate=0.1)

    assert (outcome.study_name, outcome.plan.model) == ("thin", "thin")


SCRIPT = """
import study
with open("runs", "a") as file:
    file.write("run\\n")
print(study.tune("linear", n_trials=2, steps=60, val_every=20))
"""


def test_a_script_without_a_guard_works_with_default_settings(tmp_path):
    """Its workers do not run it again."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)

    result = subprocess.run(
        [sys.executable, "-W", "error", path],
        check=False, capture_output=True, text=True, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("<Outcome of linear: 2 trials, 2 new; best StoredTrial ")
    assert (tmp_path / "runs").read_text() == "run\n"


def test_the_version_is_that_of_the_installation():
    """One place has it: pyproject.toml."""
    assert f'\nversion = "{study.__version__}"\n' in (ROOT / "pyproject.toml").read_text()
    assert "__version__" in dir(study)


BAR = """
import sys
from types import SimpleNamespace
if {is_notebook}:
    app = SimpleNamespace(initialized=lambda: True)
    sys.modules["ipykernel.kernelapp"] = SimpleNamespace(IPKernelApp=app)
from study.progress_bar import progress_bar
with progress_bar(quiet={quiet}, desc="linear", total=2) as bar:
    bar.update(2)
"""


@pytest.mark.parametrize(
    ("is_notebook", "quiet", "disabled", "shows"),
    [
        (True, False, "", True),
        (True, False, "1", False),
        (True, True, "", False),
        (False, False, "", False),
    ],
)
def test_a_bar_is_shown_in_a_notebook(is_notebook, quiet, disabled, shows):
    """Its output is no terminal; elsewhere a bar needs one. tqdm's own variable hides it."""
    code = BAR.format(is_notebook=is_notebook, quiet=quiet)

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"TQDM_DISABLE": disabled, "PATH": ""},
    )

    assert ("linear: 100%" in result.stderr) == shows
