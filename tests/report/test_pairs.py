"""Any two studies of the same data and training can be compared, whatever their kind and name."""

import json

import pandas as pd
import pytest

from study.errors import StudyError
from study.report import render
from study.report.collect import collect
from study.report.figures.common import looks
from study.training.registry import MODELS, Model
from tests.helpers.plans import space_of
from tests.helpers.sql import change
from tests.report.conftest import copied, searched
from tests.report.helpers import LaidOut, Page, stored_best, written

BOTTLENECK = Model(
    name="bottleneck",
    title="bottleneck (784 → 4 → 1)",
    factory="tests.report.models:Bottleneck",
    target=0.05,
    has_hidden_units=False,
    generation=2,
    cohort=2,
)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory):
    """Two studies of one kind, each of one number of hidden units."""
    storage = tmp_path_factory.mktemp("sizes") / "study.db"
    for units in (4, 16):
        space = space_of((1e-2, 0.5), (units, units))
        searched(storage, "mlp", name=f"mlp-{units}", n_trials=3, space=space)
    return storage


@pytest.fixture(scope="module")
def out(sizes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    written(sizes, folder, linear="mlp-4", mlp="mlp-16")
    return folder


def test_two_studies_of_a_kind_are_called_by_their_names(sizes, out):
    """The headline, the tables and the summary say which study it was."""
    errors = {name: stored_best(sizes, name)["val_errors"] for name in ("mlp-4", "mlp-16")}
    better = min(errors, key=errors.get)

    assert Page((out / "index.html").read_text()).text.count(f"{better} erred less") == 2
    summary = json.loads((out / "summary.json").read_text())
    assert [model["study"] for model in summary["models"].values()] == ["mlp-4", "mlp-16"]
    assert summary["models"][summary["winner"]]["study"] == better


def test_two_studies_of_a_kind_have_figures_of_their_own(out):
    """Neither overwrites the other's files, and each frame tells them apart."""
    names = {path.stem for path in (out / "figures").iterdir()}

    assert {"mlp_1_units", "mlp_2_units"} <= names
    assert set(pd.read_csv(out / "tables" / "history.csv")["model"]) == {"mlp-4", "mlp-16"}


def test_the_printed_commands_name_the_studies(out):
    """The report's own command finds the same two again."""
    text = Page((out / "index.html").read_text()).text

    assert "study.report --storage study.db --linear=mlp-4 --mlp=mlp-16" in text
    assert "study.search --model mlp --storage study.db --study-name=mlp-16" in text


def test_two_studies_of_a_kind_need_names(sizes):
    """Nothing says which of them is meant."""
    with pytest.raises(
        StudyError, match=r"has 2 mlp studies \('mlp-4', 'mlp-16'\): name one: --l"
    ):
        render(str(sizes))


def test_a_third_kind_of_model_is_reported(original, tmp_path, monkeypatch):
    """It has a colour, curves, mistakes and predictions, and needs no table of names."""
    monkeypatch.setitem(MODELS, "bottleneck", BOTTLENECK)
    storage = copied(original, tmp_path / "copy")
    searched(storage, "bottleneck", n_trials=2)

    options = {"mlp": "bottleneck", "linear": "linear", "drawn": LaidOut()}
    _, page = written(storage, tmp_path / "out", **options)

    assert "the bottleneck" in page.text
    assert "no picture for the weights of such a model" in page.text
    frame = pd.read_csv(tmp_path / "out" / "tables" / "predictions.csv")
    assert frame["bottleneck_after"].between(0, 1).all()
    assert (frame["bottleneck_after"] != frame["bottleneck_before"]).any()


def test_each_kind_keeps_its_colour(original, monkeypatch):
    """The MLP is drawn alike beside another model, alone, and with a third kind registered."""
    found = []
    for known in (False, True):
        if known:
            monkeypatch.setitem(MODELS, "bottleneck", BOTTLENECK)
        for names in ({}, {"mlp": "mlp"}):
            titles = collect(str(original), **names).titles
            column = pd.Series(["MLP"], dtype=pd.CategoricalDtype(titles))
            found.append(looks(column)["MLP"])

    assert len(set(found)) == 1


def test_a_model_that_is_not_registered_is_refused(storage):
    """One line says what to do about it."""
    change(storage, "UPDATE study_user_attributes SET value_json ="
           " replace(value_json, '\"model\": \"mlp\"', '\"model\": \"net\"')")  # fmt: skip

    with pytest.raises(StudyError, match="study 'mlp': model 'net': not known: must be one of"):
        render(str(storage), mlp="mlp")


@pytest.mark.parametrize(
    "name", ["_private 数字 🎲 $\\frac{ <b>&amp;", "w" * 200], ids=["signs", "long"]
)
def test_any_name_can_stand_in_a_figure(sizes, tmp_path, name):
    """Names of two studies of a kind are drawn: no letter of them is markup or a warning."""
    storage = copied(sizes, tmp_path / "copy")
    change(storage, "UPDATE studies SET study_name = ? WHERE study_name = 'mlp-4'", name)

    page = Page(render(str(storage), linear=name, mlp="mlp-16"))

    assert name in page.text
