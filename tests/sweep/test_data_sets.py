"""A sweep of a person's own tables and images, with any models, beside pairs or alone."""

import csv
import json
import shutil
import sys
from pathlib import Path

import optuna
import pytest

from study.dataset import files
from study.errors import ResourceError
from study.storage import load_study, study_names
from study.sweep.command import main
from study.sweep.options import parser, settings_of
from study.training.registry import MODELS as KNOWN
from tests.helpers.commands import end, kill, start, wait_for
from tests.helpers.storages import assert_same

from .helpers import TINY, links, undated, with_images_of, write_files

ROOT = Path(__file__).parents[2]
MODELS = ("linear", "mlp", "two-hidden-layers")
THREE = ("--models", *MODELS, "--model-file", ROOT / "examples/two_hidden_layers.py")
QUICK = ("--steps", "20", "--val-every", "10", "--n-trials", "2", "--storage", "sweep.db")
BOTH = ("--data", "cancer.csv", "digits.npz")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a quick sweep in this process, in the folder; its status and what it printed."""
    level, models = optuna.logging.get_verbosity(), dict(KNOWN)
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)

    def sweep(folder, *options):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(
            sys, "argv", ["study.sweep", *QUICK, "--jobs", "1", *map(str, options)]
        )
        capsys.readouterr()
        return main(), *capsys.readouterr()

    yield sweep
    KNOWN.clear()
    KNOWN.update(models)
    optuna.logging.set_verbosity(level)


@pytest.fixture
def folder(tmp_path):
    """A folder with the data."""
    return write_files(tmp_path)


def table(folder):
    """The rows of ``sweep.csv`` by data set."""
    with (folder / "reports/sweep.csv").open() as file:
        return {row["data"]: row for row in csv.DictReader(file)}


def test_every_data_set_is_a_row_and_every_model_a_group_of_columns(folder, run):
    """Studies are named after the file and the model; the lowest errors are Optuna's own."""
    status, stdout, stderr = run(folder, *BOTH, "--no-reports", *THREE)

    found = table(folder)
    names = {f"{data}/{model}" for data in found for model in MODELS}
    assert (status, stderr) == (0, "")
    assert [*found] == ["cancer.csv", "digits.npz"]
    assert set(study_names("sweep.db")) == names
    for data, row in found.items():
        errors = {m: load_study("sweep.db", f"{data}/{m}").best_value for m in MODELS}
        assert {m: float(row[f"{m}_error"]) for m in MODELS} == errors
        assert errors[row["leader"]] == min(errors.values())
        gap = errors[row["against"]] - errors[row["leader"]]
        assert float(row["gap_points"]) == pytest.approx(100 * gap)
        assert float(row["lower_points"]) <= 100 * gap <= float(row["upper_points"])
        assert row["class"] in {"no clear winner", row["leader"]}
    shown = ("rows", "columns", "first", "second", "n_val")
    assert [found["cancer.csv"][name] for name in shown] == [
        "200",
        "30",
        "benign",
        "malignant",
        "30",
    ]
    assert [found["digits.npz"][name] for name in shown] == ["357", "64", "3", "8", "54"]
    assert stdout.startswith("cancer.csv: 200 rows of 30 columns; class benign (")
    assert stdout.endswith("\nreports/index.html (2 data sets)\n")


def test_data_that_cannot_be_used_is_told_and_the_others_go_on(folder, run):
    """Missing, of ten classes, or text: a line each, and status 2. No study is made for them."""
    data = ("no.npz", "ten.npz", "text.csv", "digits.npz")
    status, _, stderr = run(folder, "--data", *data, "--no-reports")

    assert status == 2
    assert stderr.splitlines() == [
        f"study: {folder}/no.npz: no such file: check the path",
        f"study: {folder}/ten.npz: has 10 labels (0, 1, 2, 3, 4, 5 and 4 more): pick two with "
        "--classes A B",
        f"study: {folder}/text.csv: line 2, column 'colour': is 'red': must be a number: encode "
        "the text, or leave out the column",
    ]
    assert [*table(folder)] == ["digits.npz"]
    assert study_names("sweep.db") == ["digits.npz/linear", "digits.npz/mlp"]


def test_a_file_that_may_not_be_read_does_not_end_the_sweep(folder, run, monkeypatch):
    """It is this file that fails, and no disk; the status is still that of a resource."""

    def read(path, label):
        raise ResourceError(f"{path}: Permission denied: must be readable")

    monkeypatch.setitem(files._TABLES, ".csv", read)
    status, _, stderr = run(folder, *BOTH, "--no-reports")

    assert (status, stderr.count("\n")) == (5, 1)
    assert [*table(folder)] == ["digits.npz"]


def test_options_of_the_data_are_of_all_data_sets(folder, run):
    """Two of ten classes, and how many rows train; a batch that is too large for one is told."""
    options = ("--classes", "3", "8", "--n-train", "100", "--batch-size", "100", "--no-reports")
    run(folder, "--data", "ten.npz", "digits.npz", *options)
    status, _, stderr = run(folder, "--data", "cancer.csv", "--batch-size", "171", "--no-reports")

    rows = table(folder)
    assert {name: row["n_val"] for name, row in rows.items()} == {
        "digits.npz": "257",
        "ten.npz": "257",
    }
    assert rows["digits.npz"]["data_sha256"] == rows["ten.npz"]["data_sha256"]
    assert rows["digits.npz"]["seed"] != rows["ten.npz"]["seed"]
    assert status == 2
    assert stderr.startswith(
        "study: cancer.csv: --batch-size 171: more than the 170 training rows: "
    )


def test_what_was_swept_before_stays_on_the_page(folder, run):
    """Of this storage and these models; the same command again trains nothing."""
    run(folder, *BOTH, "--no-reports")
    before = (folder / "reports/sweep.csv").read_bytes()
    run(folder, "--data", "digits.npz", "--no-reports")
    count = len(load_study("sweep.db", "digits.npz/mlp").trials)

    assert (folder / "reports/sweep.csv").read_bytes() == before
    assert count == 2


def test_pairs_of_digits_stand_beside_a_persons_data(folder, run, official):
    """In one table, the pairs first, which keep their targets and their matrix."""
    with_images_of(official, folder)
    pairs = ("--dataset", "kmnist", "--data-root", ".", "--digits", "0-1", "--n-train", "120")
    status, stdout, stderr = run(folder, "--data", "digits.npz", *pairs, "--no-reports")

    manifests = {
        name: load_study("sweep.db", f"{name}/mlp").user_attrs["manifest"]
        for name in ("kmnist-0-1", "digits.npz")
    }
    page = (folder / "reports/index.html").read_text()
    assert (status, stderr) == (0, "")
    assert stdout.endswith("\nreports/index.html (2 data sets)\n")
    assert [*table(folder)] == ["kmnist-0-1", "digits.npz"]
    assert [manifest["target"] for manifest in manifests.values()] == [0.02, None]
    assert 'class="matrix"' in page
    assert "KMNIST 0 against 1" in page


def test_of_data_alone_no_pair_is_swept():
    """Unless pairs are named."""
    alone = settings_of(parser().parse_args(["--data", "a.npz"]))
    both = settings_of(parser().parse_args(["--data", "a.npz", "--digits", "4-9"]))

    assert [each.pair for each in alone.data] == [None]
    assert [each.pair for each in both.data] == [(4, 9), None]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "a/x.csv", "b/x.csv"], "/x.csv: have one name, 'x.csv': rename one"),
        (["--data", "/"], "--data /: has no name: name a file, or a folder in it"),
        (["--data", "4-9"], "/4-9: has the name of a sweep's own: rename it"),
        (["--data", "index.html"], "/index.html: has the name of a sweep's own: rename it"),
        (["--data", f"{190 * 'x'}.csv"], "is too long: use at most 200 letters"),
        (["--data", "a.csv", "--data-root", "d"], "--data-root: is for pairs of digits: add "),
        (["--data", "a.csv", "--require-target"], "linear has no target: add --target ERROR"),
        (["--data", "a.csv", "--digits", "4-9", "--until-target"], "linear has no target: add "),
        (["--digits", "4-9", "--label", "class"], "--label: is for --data alone: leave it out"),
        (["--models", "linear"], "--models linear: 1 model: name two to 6"),
        (["--models", "mlp", "mlp"], "--models mlp mlp: twice the same: name each once"),
        (["--models", "linear", "no"], "model 'no': not known: must be one of linear, mlp, or"),
    ],
)
def test_what_no_sweep_can_be_is_refused(folder, run, options, words):
    """In one line, before a storage is made."""
    status, stdout, stderr = run(folder, *options)

    assert (status, stdout, stderr.count("\n")) == (2, "", 1)
    assert words in stderr
    assert not (folder / "sweep.db").exists()


def test_a_report_is_never_written_into_the_data(folder, run):
    """As of a folder of images in --out."""
    (folder / "faces").mkdir()
    status, _, stderr = run(folder, "--data", "faces", "--out", ".")

    assert (status, stderr) == (
        2,
        "study: faces: is the data itself: name another --out for its report\n",
    )
    assert [*(folder / "faces").iterdir()] == []


def test_targets_that_are_given_count_for_a_persons_data(folder, run):
    """Met by every model, or status 3."""
    command = ("--data", "digits.npz", "--no-reports", "--require-target", "--target")
    assert run(folder, *command, "mlp=0", "--target", "linear=1")[0] == 3
    status, stdout, _ = run(folder, *command, "1", "--storage", "other.db")
    assert (status, stdout.splitlines()[-1]) == (0, "reports/index.html (1 data set)")


def test_every_data_set_has_its_own_report_while_it_is_current(folder, run):
    """Of these models and their confirmation, also with an infinite t; one more trial is news."""
    data, report = ("--data", "digits.npz", *THREE), folder / "reports/digits.npz"
    first = run(folder, *data, *TINY)
    written, summary = links(folder), json.loads((report / "summary.json").read_text())
    drawn = (report / "index.html").stat().st_mtime_ns
    verdict = table(folder)["digits.npz"]["verdict"]
    again = run(folder, *data)
    redrawn, current = (report / "index.html").stat().st_mtime_ns != drawn, links(folder)
    more = run(folder, *data, "--n-trials", 3, "--no-reports")

    assert [result[::2] for result in (first, again, more)] == 3 * [(0, "")]
    assert [written, current, links(folder)] == [["digits.npz/index.html"], written, []]
    assert not redrawn
    assert [*summary["models"]] == list(MODELS)
    assert summary["comparison"]["headline"] == verdict


@pytest.mark.slow
def test_processes_that_draw_know_the_models_of_a_file(folder, run):
    """Two reports at once, in silence."""
    status, _, stderr = run(folder, *BOTH, *THREE, "--jobs", 2)

    assert (status, stderr) == (0, "")
    assert links(folder) == ["cancer.csv/index.html", "digits.npz/index.html"]


def test_a_kill_changes_nothing_in_the_end(folder, run, tmp_path_factory):
    """The same command goes on to the tables of a sweep that was never killed."""
    calm = shutil.copytree(folder, tmp_path_factory.mktemp("calm"), dirs_exist_ok=True)
    options = (*QUICK, *BOTH, "--no-reports", "--jobs", "1")
    process = start([sys.executable, "-m", "study.sweep", *options], folder)
    wait_for((folder / "reports/sweep.csv").exists, process)
    kill(process)
    end(process)
    run(calm, *BOTH, "--no-reports")
    status, _, stderr = run(folder, *BOTH, "--no-reports")

    assert (status, stderr) == (0, "")
    for name in study_names("sweep.db"):
        assert_same(folder / "sweep.db", calm / "sweep.db", name)
    for name in ("index.html", "sweep.csv"):
        assert undated(folder, name) == undated(calm, name)
