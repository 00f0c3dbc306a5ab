"""One's own data from Python and the command line: defaults, warnings, and every command."""

import contextlib
import logging
import re
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
import torch

import study
from study.confirm.division import divide, split_order
from study.dataset.split import default_n_train, stratified
from study.dataset.telling import summary
from study.errors import StudyError
from study.storage.searched import Searched
from study.training.loading import load_pair, own_protocol
from study.training.protocol import Protocol
from study.training.registry import MODELS, build
from tests.helpers import commands
from tests.helpers.commands import assert_refused, here
from tests.report.helpers import Page

SHORT = ("--steps", 60, "--val-every", 20, "--n-trials", 4)


def table(n=200, seed=0):
    """Two classes that differ in the first of three columns; a third of them are "yes"."""
    random = np.random.default_rng(seed)
    labels = np.where(np.arange(n) % 3 == 0, "yes", "no")
    rows = random.normal(0, [1, 10, 100], (n, 3))
    rows[:, 0] += 2 * (labels == "yes")
    return pd.DataFrame(rows, columns=["a", "b", "c"]).assign(kind=labels)


@pytest.fixture(autouse=True)
def _told(caplog):
    """What is logged is heard, whatever a command set before."""
    caplog.set_level(logging.INFO, logger="study")


@pytest.fixture
def path(tmp_path):
    """The table as a CSV file."""
    table().to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def refused(**request):
    """The message of a load that must be refused."""
    with pytest.raises(StudyError) as caught:
        study.load(**request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- from Python ----------------------------------------------------------------------------


def test_arrays_become_data_with_the_defaults_of_small_data():
    """85 % train, shuffled by class, columns normalised; a data frame brings its names."""
    frame = table()
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])

    assert (data.n_train, len(data.raw), data.classes) == (170, 200, ("no", "yes"))
    assert (data.columns, data.normalisation, data.order) == (("a", "b", "c"), "columns", 0)
    share = data.labels.mean()
    assert abs(data.labels[:170].mean() - share) < 0.01
    assert sorted(data.raw[:, 0]) == sorted(frame["a"])


def test_classes_n_train_order_and_normalisation_can_be_chosen():
    """In file order the first rows train; A gets label 0."""
    frame = table().assign(kind=np.arange(200) % 4)
    data = study.load(
        X=frame[["a", "b"]].to_numpy(),
        y=frame["kind"].to_numpy(),
        classes=(3, 1),
        n_train=60,
        order="file",
        normalisation="none",
    )

    kept = frame[frame["kind"] % 2 == 1]
    assert np.array_equal(data.raw, kept[["a", "b"]])
    assert np.array_equal(data.labels, kept["kind"] == 1)
    assert (data.n_train, data.order, data.normalisation) == (60, None, "none")
    assert data.columns == ("x0", "x1")


def test_another_seed_is_another_order_of_the_same_rows():
    """And the same seed the same one."""
    frame = table()
    first, again, other = (
        study.load(X=frame[["a", "b", "c"]], y=frame["kind"], order=seed) for seed in (0, 0, 1)
    )

    assert first.digest == again.digest != other.digest
    assert sorted(first.raw[:, 0]) == sorted(other.raw[:, 0])


def test_official_images_can_be_shuffled_and_normalised_otherwise(pair):
    """The same images in another order; each pixel by the training part."""
    found = study.load(order=3, normalisation="columns")

    assert (found.order, found.normalisation, found.n_train) == (3, "columns", 10_000)
    assert sorted(found.raw.sum((1, 2))) == sorted(pair.raw.sum((1, 2)))
    assert found.images[:10_000].std(0).max() == pytest.approx(1, abs=1e-3)


def test_the_callers_arrays_are_copied():
    """What they do with theirs later changes nothing."""
    rows, labels = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    data = study.load(X=rows, y=labels, order="file")
    digest = data.digest
    rows[:] = 0

    assert data.images.any()
    assert study.load(X=np.arange(40.0).reshape(20, 2), y=labels, order="file").digest == digest


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"classes": ("no", "maybe")}, "class 'maybe' of X and y: no such label: must be two of"),
        ({"classes": ("no", "no")}, "the same class twice"),
        ({"classes": ("rare", "no")}, "class 'rare' of X and y: has one row: must have two"),
        ({}, "has 3 labels (no, rare, yes): pick two with --classes A B"),
        ({"n_train": 200, "classes": ("no", "yes")}, "n_train 200: X and y has 199 rows"),
        ({"n_train": -1, "classes": ("no", "yes")}, "must be from 1 to 198"),
        ({"order": -1, "classes": ("no", "yes")}, "order -1: must be 'file', or a seed"),
        ({"order": "random", "classes": ("no", "yes")}, "order 'random': must be 'file'"),
        ({"normalisation": "l2", "classes": ("no", "yes")}, "normalisation 'l2': not known"),
        ({"y": ["x"] * 200}, "has 1 label (x): must have two"),
        ({"columns": ["a", "b"]}, "2 names of columns: must be 3"),
    ],
)
def test_a_request_that_the_rows_can_not_meet_is_one_line(request_, words):
    """It says what could be asked for."""
    frame = table()
    frame.loc[5, "kind"] = "rare"

    assert words in refused(**{"X": frame[["a", "b", "c"]], "y": frame["kind"]} | request_)


def test_a_data_frame_with_text_names_the_cell():
    """Or what is missing in it."""
    frame = table().assign(b="red")
    assert "X[0], column 'b': is 'red': must be a number" in refused(
        X=frame[["a", "b"]], y=frame["kind"]
    )
    frame = table().assign(b=table()["b"].astype(object).where(lambda b: b.index != 7, None))
    assert "X[7], column 'b': is missing" in refused(X=frame[["a", "b"]], y=frame["kind"])


def test_in_file_order_a_class_may_be_missing_in_a_part():
    """Of a file that is sorted by class; the message says what to change."""
    frame = table().sort_values("kind")

    assert "class yes of X and y: none of the 100 rows that train is of it" in refused(
        X=frame[["a"]], y=frame["kind"], order="file", n_train=100
    )


@pytest.mark.parametrize("n", [4, 5, 6, 7, 20, 400, 569])
def test_the_default_split_has_both_classes_in_both_parts(n):
    """Down to two rows of a class."""
    labels = (np.arange(n) < 2).astype(np.uint8)
    n_train = default_n_train(n)

    order = stratified(labels, (n_train, n - n_train), np.random.default_rng(0))

    assert sorted(order) == [*range(n)]
    assert {*labels[order[:n_train]]} == {*labels[order[n_train:]]} == {0, 1}
    assert n_train == min(round(0.85 * n), n - 2)


def test_three_parts_have_the_same_shares():
    """Each within one row of it."""
    labels = (np.arange(100) % 10 < 3).astype(np.uint8)
    order = stratified(labels, (70, 15, 15), np.random.default_rng(1))
    ones = [labels[order[a:b]].sum() for a, b in ((0, 70), (70, 85), (85, 100))]

    assert sum(ones) == 30
    assert ones == pytest.approx([21, 4.5, 4.5], abs=0.5)


def test_a_shuffled_studys_random_splits_are_drawn_by_class(pair):
    """Data in file order is divided as version 0.1 did."""
    frame = table()
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])
    order = split_order(data, seed=0, number=1, folds=0)
    holdout = data.labels[order[-30:]]

    assert sorted(order) == [*range(200)]
    assert holdout.sum() == 10
    assert split_order(pair, seed=0, number=0, folds=0)[:3].tolist() == [7735, 2635, 6391]


def test_a_holdout_is_normalised_by_its_splits_training_part():
    """As the model saw its training rows; the rows that validate and the holdout teach nothing."""
    frame = table()
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])
    inner, holdout = divide(data, seed=0, number=0, folds=7)
    fitted = inner.raw[: inner.n_train]

    assert (inner.n_train, len(inner.raw), len(holdout.raw)) == (145, 172, 28)
    for part in (inner, holdout):
        wanted = (part.raw - fitted.mean(0)) / fitted.std(0)
        assert np.allclose(part.images, wanted, atol=1e-5)


# --- what is told ---------------------------------------------------------------------------


def test_repeated_rows_in_both_parts_are_told_once(caplog):
    """With their number and the first two, as the file counts them; −0.0 equals 0.0."""
    frame = table()
    frame.loc[190, ["a", "b", "c"]] = frame.loc[3, ["a", "b", "c"]]
    frame.loc[195, ["a", "b", "c"]] = 0.0
    frame.loc[4, ["a", "b", "c"]] = -0.0
    study.load(X=frame[["a", "b", "c"]], y=frame["kind"], order="file", n_train=150)

    assert [record.getMessage() for record in caplog.records] == [
        "X and y: 2 of the 50 rows that validate equal one that trains (first: X[190] and X[3]): "
        "the errors may be too low"
    ]


def test_constant_columns_are_told(caplog):
    """They are normalised to 0, and harm nothing."""
    frame = table().assign(b=0.1)
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])

    assert "1 of 3 columns have one value in all 170 training rows ('b')" in caplog.text
    assert not data.images[:, 1].any()


def test_nothing_is_told_of_sound_data(caplog, path):
    """Nor of the official images."""
    study.load(data=path)
    study.load()

    assert caplog.text == ""


# --- with the package's own functions -------------------------------------------------------


def test_own_rows_train():
    """As the docs say: data, protocol, images, train."""
    frame = table()
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])
    protocol = Protocol.of(data, steps=200, val_every=50)
    models = [build(MODELS["linear"], {"learning_rate": 0.1}, seed=0, inputs=data.inputs)]
    images = study.images_of(data, torch.device("cpu"))

    [history] = study.train(models, [0.1], images, protocol, seed=0)

    assert (protocol.batch_size, protocol.classes) == (17, ("no", "yes"))
    assert history.val_error < 0.3


def test_a_protocol_of_other_data_is_refused():
    """Its batches would be drawn from rows that validate."""
    frame = table()
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])

    with pytest.raises(StudyError, match=r"its n_train is 10,000, that of the data 170"):
        study.train([], [], study.images_of(data, torch.device("cpu")), Protocol(), seed=0)


def test_a_file_that_is_written_anew_is_read_anew(path):
    """A worker lives longer than a file; the same content comes from the cache."""
    protocol = Protocol.of(study.load(data=path))
    first, again = (load_pair(protocol, path) for _ in range(2))
    table(seed=1).to_csv(path, index=False)

    assert first is again
    assert load_pair(protocol, path).digest != first.digest


def test_an_objective_takes_own_rows():
    """With the defaults for them."""
    frame = table()
    data = study.load(X=frame[["a", "b", "c"]], y=frame["kind"])
    objective = study.Objective("linear", data, seed=0)
    found = optuna.create_study()

    found.enqueue_trial({"learning_rate": 0.1})
    found.optimize(objective, n_trials=1)

    assert objective.protocol == Protocol.of(data)
    assert found.best_value < 0.4


def test_the_protocol_of_the_default_images_is_the_default(pair):
    """Nothing of it changed."""
    assert Protocol.of(pair) == Protocol()


# --- the commands ---------------------------------------------------------------------------


def run(folder, name, *options):
    return commands.run(commands.module(name, *options), folder)


@pytest.fixture(scope="module")
def confirmed(once):
    """The main command on the table."""

    def make(folder):
        table().to_csv(folder / "t.csv", index=False)
        return run(folder, "study", "--data", "t.csv", *SHORT, *SURE, "--out", "r")

    return once("own table", make)


SURE = ("--seeds", 2, "--splits", 2, "--finalists", 1)


def test_a_table_of_one_column_is_told_as_such():
    """Not as one of "1 columns"."""
    data = study.load(X=np.arange(40.0)[:, None], y=np.arange(40) % 2)

    assert ": 40 rows of 1 column; class 0 (20)" in summary(data)


def test_one_command_compares_on_a_table(confirmed):
    """It tells what it took, once, and its studies store it; no target is spoken of."""
    folder, result = confirmed

    assert (result.status, result.stderr) == (0, "")
    told = (
        "t.csv: 200 rows of 3 columns; class no (133) against yes (67), by column kind; 170 train "
        "and 30 validate, drawn by class with seed 0; columns normalised by the training part; "
        "batches of 17"
    )
    assert result.stdout.splitlines().count(told) == 1
    assert "target" not in result.stdout
    page = Page((folder / "r/index.html").read_text())
    assert "target" not in " ".join([page.text, *page.values("aria-label")])
    stored = Searched.read(str(folder / "study.db"), "linear")
    assert stored.manifest["protocol"] == {
        **{"dataset": "t.csv", "classes": ["no", "yes"], "n_train": 170, "steps": 60},
        **{"batch_size": 17, "val_every": 20},
        **{"normalisation": "columns", "order": 0, "label": "kind"},
    }
    assert stored.plan.protocol.classes == ("no", "yes")
    assert (stored.plan.inputs, stored.plan.target) == (3, None)


def test_each_command_on_the_study_takes_the_data(confirmed):
    """Label, classes and order come from the study; the file may lie elsewhere."""
    folder, _ = confirmed
    (folder / "moved").mkdir(exist_ok=True)
    table().to_parquet(folder / "moved/other.parquet", index=False)
    for data in ("t.csv", "moved/other.parquet"):
        trial = ("--study-name", "mlp", "--trial", 1, "--data", data)
        assert "identical" in run(folder, "study.reproduce", *trial).stdout
        sure = run(folder, "study.confirm", "linear", "mlp", *SURE, "--data", data)
        assert (sure.status, sure.stderr) == (0, "")
    report = run(folder, "study.report", "--out", "r", "--data", data)
    assert (report.status, report.stderr) == (0, "")


@pytest.mark.parametrize("name", ["study.reproduce", "study.confirm"])
def test_without_the_data_or_with_other_data_a_command_is_refused(name, confirmed):
    """It names the option."""
    folder, _ = confirmed
    table(seed=1).to_csv(folder / "other.csv", index=False)
    options = {
        "study.reproduce": ("--study-name", "mlp", "--trial", 1),
        "study.confirm": ("linear", "mlp", "--seeds", 3, "--splits", 3),
    }[name]

    assert_refused(
        run(folder, name, *options), "t.csv: no file or folder is named: pass it with --data"
    )
    assert_refused(
        run(folder, name, *options, "--data", "other.csv"), "pass the --data that was searched on"
    )


def test_the_same_command_goes_on_with_the_same_study(confirmed):
    """And a file that changed is refused."""
    folder, _ = confirmed
    options = ("--model", "linear", *SHORT, "--storage", "study.db")

    assert (
        "(nothing to add)"
        in here("study.search", *options, "--data", "t.csv", folder=folder).stdout
    )
    for change in (("--order", 1), ("--n-train", 160), ("--normalisation", "none")):
        ended = here("study.search", *options, "--data", "t.csv", *change, folder=folder)
        assert ended.status == 2
        assert "was searched with other settings (protocol." in ended.stderr


def test_a_folder_of_images_is_searched_in_colour(tmp_path):
    """Of another size than MNIST's."""
    from PIL import Image

    random = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 160)):
        (tmp_path / "flowers" / name).mkdir(parents=True)
        for place in range(20):
            pixels = random.integers(0, level, (5, 4, 3)).astype(np.uint8)
            pixels[0] += 90 if name == "light" else 0
            Image.fromarray(pixels).save(tmp_path / "flowers" / name / f"{place}.png")

    ended = run(tmp_path, "study.search", "--model", "mlp", *SHORT, "--data", "flowers")

    assert (
        "flowers/: 40 images of 5 × 4 pixels in colour; class dark (20) against light (20); "
        in (ended.stdout)
    )
    assert ended.status == 0


def test_the_example_of_the_docs_is_told_as_they_show_it(tmp_path):
    """The page's own code writes the file."""
    page = (Path(__file__).parents[1] / "docs/own-data.md").read_text()
    code = re.findall(r"```python\n(.*?)```", page, re.S)[0]
    shown = re.findall(r"```text\n(.*?)```", page, re.S)[0]
    with contextlib.chdir(tmp_path):
        exec(code, {})

    told = own_protocol(tmp_path / "breast-cancer.csv", "diagnosis", {}, {})[1]

    assert told == " ".join(shown.split())


def test_the_baseline_trains_on_a_table(path):
    """With fixed settings."""
    options = ("--steps", 100, "--learning-rate", 0.1, "--data", path, "--classes", "yes", "no")
    ended = run(path.parent, "study.baseline", *options)

    assert "class yes (67) against no (133)" in ended.stdout
    assert re.search(r"logistic regression \(3 → 1\), learning rate 0.1: best", ended.stdout)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--label", "a"), "--label: is for --data alone"),
        (("--classes", "a", "b"), "--classes: is for --data alone"),
        (("--data", "t.csv", "--digits", 1, 2), "--digits: is not for --data"),
        (("--data", "t.csv", "--dataset", "kmnist"), "--dataset: is not for --data"),
        (("--data", "t.csv", "--data-root", "."), "--data and --data-root: are both where"),
        (("--data-root", ".", "--data", "t.csv"), "--data and --data-root: are both where"),
        (("--data", "t.csv", "--order", "x"), "argument --order: 'x' is not a whole number"),
        (
            ("--data", "t.csv", "--batch-size", 171),
            "--batch-size 171: more than the 170 training rows:",
        ),
        (("--data", "t.csv", "--label", "a"), "line 2, column 'kind': is 'yes': must be a number"),
        (("--data", "t.csv", "--classes", "no", "maybe"), "class 'maybe' of "),
        (("--data", "none.csv"), "none.csv: no such file: check the path"),
        (("--data", "."), "has no images: must have a folder for each class"),
    ],
)
def test_options_that_do_nothing_or_do_not_fit_are_refused(options, words, path):
    """On one line."""
    assert_refused(
        here("study.search", "--model", "linear", *SHORT, *options, folder=path.parent), words
    )
