"""Reports of a person's own tables and images: words, weights, mistakes and pictures."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import study
from study import cli
from study.report import pictures
from study.report.collect import collect
from study.report.inference import initial_weights, probabilities
from study.report.reproducibility import commands
from study.search.command import command
from study.search.options import parser, plans_of
from study.training.protocol import Protocol
from study.training.registry import MODELS, build
from tests.helpers import plans
from tests.report.helpers import LaidOut, Page, written
from tests.report.models import NET

SHORT = {"steps": 60, "val_every": 20}


def table(n=240):
    """Two classes that overlap in the first of 25 columns, and a column that is constant."""
    random = np.random.default_rng(0)
    labels = np.where(np.arange(n) % 3 == 0, "yes", "no")
    rows = random.normal(5, np.arange(1, 26), (n, 25))
    rows[:, 0] += 2 * (labels == "yes")
    rows[:, 7] = 4
    return pd.DataFrame(rows, columns=[f"c{k}" for k in range(25)]).assign(kind=labels)


def images(folder, shape=(12, 40, 3), n=60):
    """A folder of a class each, in colour, wider than high."""
    random = np.random.default_rng(0)
    for name, colour in (("cat", 0), ("dog", 2)):
        (folder / name).mkdir(parents=True)
        for k in range(n):
            image = random.integers(0, 200, shape)
            image[:, :, colour] += 40
            Image.fromarray(image.astype(np.uint8)).save(folder / name / f"{k}.png")
    return folder


def report(folder, path, *models):
    """Search on a file or folder, confirm where there are two models, and report."""
    data = study.load(data=path)
    for model in models:
        kind = MODELS[model]
        plan = plans.plan(
            model,
            protocol=Protocol.of(data, **SHORT),
            inputs=data.inputs,
            target=None,
            **({} if kind.space is None else {"space": dict(kind.space)}),
        )
        plans.search(folder / "study.db", model, 8, plan, data_root=path)
    if len(models) > 1:
        plans.confirmed(folder / "study.db", data_root=path)
    written(folder / "study.db", folder / "out", drawn=LaidOut(), data_root=path)
    return folder / "out"


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """The table as a file, and the folder of its report."""
    folder = tmp_path_factory.mktemp("table")
    table().to_csv(folder / "t.csv", index=False)
    return folder / "t.csv", report(folder, folder / "t.csv", "linear", "mlp")


@pytest.fixture(scope="module")
def page(csv):
    return Page((csv[1] / "index.html").read_text())


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """The folder of the report of coloured images."""
    folder = tmp_path_factory.mktemp("images")
    return report(folder, images(folder / "pets"), "linear", "mlp")


def test_the_question_names_the_file_and_the_classes(page):
    """No digit and no handwriting."""
    assert page.text.count("Class no or yes? Which of two small models errs less on t.csv") == 1
    assert not re.search(r"digit|handwrit|pixel|contrast", page.text)


def test_rows_are_called_rows(page):
    """Nothing on the page of a table is an image."""
    words = " ".join([page.text, *page.values("alt")])

    assert "of 36 validation rows" in words or "errs on" in words
    assert not re.search(r"\bimages?\b", words)


def test_the_data_section_is_true(page):
    """Where the rows come from, their order, their split and their normalisation."""
    assert (
        "The rows of t.csv of class no and class yes, by the column kind, 25 columns, shuffled"
        " (seed 0) so that both parts have the same shares of the classes: the first 204 train,"
        " the rest validate. Each column is centred and scaled by its mean and standard deviation"
        " in the training part; one that is constant there becomes 0." in page.text
    )


def test_the_columns_are_those_of_the_training_part(csv):
    """Their means and deviations, in all and by class."""
    path, out = csv
    data = study.load(data=path)
    frame = pd.read_csv(out / "tables" / "columns.csv").set_index("column")

    trained = data.raw[: data.n_train]
    np.testing.assert_allclose(frame["mean"], trained.mean(0))
    np.testing.assert_allclose(frame["sd"], trained.std(0), atol=1e-12)
    of_yes = trained[data.labels[: data.n_train] == 1].mean(0)
    np.testing.assert_allclose(frame["mean_yes"], of_yes)


def test_the_bars_are_the_largest_weights_with_their_columns(csv):
    """Each of all 25 weights beside its column's name, the largest first."""
    path, out = csv
    search = collect(str(path.parent / "study.db"), data_root=path).searches[0]
    frame = pd.read_csv(out / "tables" / "linear_weights.csv")

    found = dict(zip(frame["column"], frame["weight"], strict=True))
    stored = dict(zip(table().columns[:-1], search.weights["linear.weight"][0], strict=True))
    assert found == pytest.approx(stored)
    assert (np.diff(frame["weight"].abs()) <= 0).all()


def test_the_heat_map_has_the_stored_weights(csv):
    """Of the hidden units with the largest outgoing weights."""
    path, out = csv
    search = collect(str(path.parent / "study.db"), data_root=path).searches[1]
    frame = pd.read_csv(out / "tables" / "mlp_units.csv")

    place = {name: k for k, name in enumerate(table().columns)}
    for row in frame.itertuples():
        stored = search.weights["hidden.weight"][row.unit, place[row.column]]
        assert row.weight == pytest.approx(float(stored))
    assert frame["column"].nunique() == 20


def test_misread_rows_are_named_by_their_line(csv, page):
    """The line in the file has the class that the table says; the model says the other."""
    path, out = csv
    frame = pd.read_csv(out / "tables" / "misread.csv")
    lines = path.read_text().splitlines()

    assert len(frame)
    for row in frame.to_dict("records"):
        line = lines[int(row["place"].removeprefix("line ")) - 1]
        assert line.rpartition(",")[2] == row["class"]
        assert row["place"] in page.text
        for model in ("linear", "mlp"):
            assert (row[f"{model}_says"] != row["class"]) == row[f"{model}_wrong"]
    assert "pixels" not in frame


def test_the_commands_read_the_same_file(page):
    """Each has --data, and the search the classes and the label too."""
    lines = ["python" + part for part in page.text.split("python")[1:]]

    assert all("--data t.csv" in line for line in lines)
    assert "--classes no yes --label kind" in lines[0]
    assert "--target" not in page.text


@pytest.mark.parametrize("model", ["linear", "mlp", "net"])
@pytest.mark.parametrize("trained", [True, False])
def test_the_probabilities_are_those_of_the_module(csv, monkeypatch, model, trained):
    """Of rows with 25 columns, normalised as the data say, by any model."""
    monkeypatch.setitem(MODELS, "net", NET)
    kind, data = MODELS[model], study.load(data=csv[0])
    values = {"activation": "tanh", "step": 2, "hidden_units": 7}
    names = {"linear": (), "mlp": ("hidden_units",), "net": ("activation", "step")}[model]
    trial = Trial({"learning_rate": 0.1} | {name: values[name] for name in names})
    module = build(kind, trial.parameters, seed=3, inputs=25)
    if trained:
        for parameter in module.parameters():
            parameter.data += 0.1
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    if not trained:
        weights = initial_weights(kind, trial, weights, seed=3, inputs=25)
    x = data.images[:5]

    found = probabilities(kind, trial, weights, x)

    expected = torch.sigmoid(module(torch.from_numpy(x)))[:, 0].detach()
    np.testing.assert_allclose(found, expected, atol=2e-6)


class Trial:
    """What inference takes of a trial."""

    def __init__(self, parameters):
        self.parameters = parameters


def test_images_of_any_shape_are_shown_as_they_are(pets):
    """The pictures' shape is that of the files, smaller where a side is long."""
    texts = pd.read_csv(pets / "tables" / "predictions.csv")["pixels"]

    assert {pictures.shown(text).shape for text in texts} == {(10, 32, 3)}
    page = Page((pets / "index.html").read_text())
    sizes = {(i["width"], i["height"]) for i in page.all("img") if "png" in i["src"]}
    assert sizes == {("56", "18")}
    assert "12 × 40 pixels in colour" in page.text
    assert "cat/" in " ".join(page.values("alt"))


def test_weights_of_colours_are_their_mean(pets):
    """An image of 12 × 40, and the page says what it is."""
    frame = pd.read_csv(pets / "tables" / "linear_weights.csv")
    search = collect(str(pets.parent / "study.db"), data_root=pets.parent / "pets").searches[0]

    mean = search.weights["linear.weight"].reshape(12, 40, 3).mean(2)
    np.testing.assert_allclose(frame["weight"], mean.reshape(-1), atol=1e-7)
    text = Page((pets / "index.html").read_text()).text
    assert "Each pixel is the mean of its three colours’ weights" in text
    assert "its 1,440 weights" in text


def test_dim_images_are_made_brighter():
    """Digits of 0 to 16 would be black."""
    random = np.random.default_rng(0)
    data = study.load(X=random.integers(0, 17, (20, 8, 8)), y=[1, 2] * 10)

    shown = pictures.shown(pictures.Pictures(data).text(data.raw[0]))

    np.testing.assert_allclose(shown, data.raw[0] * (255 / 16), atol=0.5)


def test_ink_is_dark_and_its_bytes_are_in_the_table(pair):
    """Official digits are drawn as ink on paper."""
    text = pictures.Pictures(pair).text(pair.raw[0])

    assert bytes.fromhex(text) == pair.raw[0].tobytes()
    np.testing.assert_array_equal(pictures.shown(text), 255 - pair.raw[0])


def test_a_report_without_the_file_says_so(csv, tmp_path):
    """It has its numbers and no rows."""
    _, page = written(csv[0].parent / "study.db", tmp_path)

    text = page.text
    assert "Counts and rows: data t.csv: no file or folder is named: pass it with --data" in text
    assert not (tmp_path / "tables" / "misread.csv").exists()


@pytest.mark.parametrize("normalisation", ["columns", "none"])
def test_the_printed_search_has_the_stored_plan(normalisation, tmp_path, monkeypatch):
    """Also of what its defaults would not give: sizes, a treatment, a value outside a range."""
    own = table(1200).drop(columns="kind")
    np.savez(tmp_path / "t.npz", X=own.to_numpy(), y=table(1200)["kind"].to_numpy(str))
    monkeypatch.chdir(tmp_path)
    asked = (
        *("--model", "mlp", "--data", "t.npz", "--storage", "s.db", "--n-trials", "2"),
        *("--batch-size", "100", "--n-train", "1000", "--normalisation", normalisation),
        *("--hidden-units", "8", "--param", "momentum=0.5", "--steps", "20", "--device", "cpu"),
    )
    assert cli.run(command, parser(), [*asked, "-q"]) == 0

    [line] = [line for line in commands(collect("s.db", names=["mlp"])) if "search" in line]

    args = parser().parse_args(shlex.split(line)[3:])
    [printed], [plan] = (
        plans_of(found, [MODELS["mlp"]]) for found in (args, parser().parse_args(asked))
    )
    assert printed.settled() == plan.settled()
