"""Everything that looks at hyperparameters looks at all of them; and a page without a target."""

import json
import re
import shlex
from itertools import combinations
from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from study.report import figures, ownership, parameters, sections
from study.report.collect import collect
from study.report.content import with_details
from study.report.figures.axes import Axis
from study.report.rendering import theme
from study.report.sections import compose
from study.training.protocol import Protocol
from study.training.registry import MODELS
from tests.helpers.sql import trials as stored_trials
from tests.report.conftest import searched
from tests.report.helpers import Page, stored_best, written
from tests.report.models import NET

COLUMNS = {
    "learning_rate": "learning_rate",
    "activation": "activation",
    "step": "step_parameter",  # trials have a column "step"
    "momentum": "momentum",
    "weight_decay": "weight_decay",
}
VARIED = [name for name in COLUMNS if name != "weight_decay"]


@pytest.fixture(scope="module", autouse=True)
def _registered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS, "net", NET)
        yield


@pytest.fixture(scope="module")
def storage(tmp_path_factory, _registered):
    """A model with a fixed parameter and four varied ones, and the linear one with momentum."""
    path = tmp_path_factory.mktemp("parameters") / "study.db"
    quick = {"protocol": Protocol(steps=60, val_every=20)}
    searched(path, "net", n_trials=24, space=NET.space, generation_size=12, **quick)
    space = {
        "learning_rate": FloatDistribution(1e-3, 0.5, log=True),
        "momentum": FloatDistribution(0, 0.5),
    }
    searched(path, "linear", n_trials=6, space=space, target=None, **quick)
    return path


@pytest.fixture(scope="module")
def out(storage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    written(storage, folder)
    return folder


@pytest.fixture(scope="module")
def page(out):
    return Page((out / "index.html").read_text())


def test_every_parameter_has_a_column(out, storage):
    """In the order of the spaces, with the values that SQL finds; one named like another, anew."""
    frame = pd.read_csv(out / "tables" / "trials.csv")

    assert [c for c in frame.columns if c in COLUMNS.values()] == [
        *("learning_rate", "momentum", "activation", "step_parameter", "weight_decay")
    ]
    own = frame[frame["study"] == "net"]
    for name, column in COLUMNS.items():
        stored = [trial["parameters"][name] for trial in stored_trials(storage, "net")]
        found = own[column].tolist()
        assert found == stored or found == pytest.approx(stored, rel=1e-14)  # pandas 2 reads so
    assert frame.loc[frame["study"] == "linear", "activation"].isna().all()
    assert (own["step"] == [t["step"] for t in stored_trials(storage, "net")]).all()


def test_every_varied_parameter_has_a_chart(out):
    """Of the error against it, and with each other one; a fixed parameter has none."""
    names = {path.stem for path in (out / "figures").iterdir()}
    up = [COLUMNS[name] for name in VARIED[1:]]

    assert {"learning_rate", *(f"error_{name}" for name in up)} <= names
    assert {f"net_{name}" for name in up} <= names
    assert {f"net_{x}_{y}" for x, y in combinations(up, 2)} <= names
    assert "linear_momentum" in names
    assert not [name for name in names if "weight_decay" in name]


def test_one_chart_has_all_models_that_vary_a_parameter(out):
    """Momentum was varied in both, the activation in one."""
    models = {
        name: set(pd.read_csv(out / "tables" / f"error_{name}.csv")["model"])
        for name in ("momentum", "activation")
    }

    assert models == {"momentum": {"Linear model", "Net"}, "activation": {"Net"}}


def test_the_tables_name_every_parameter(page, storage):
    """A column each in the table of all trials, and what was searched of each."""
    best = stored_best(storage, "net")["parameters"]

    assert "Momentum Activation Step Weight decay Lowest validation error" in page.text
    assert f"activation {best['activation']}, step {best['step']}, momentum" in page.text
    assert "Activation searched none relu and tanh" in page.text
    assert "Momentum searched 0 to 0.5 0 to 0.9" in page.text
    assert "Weight decay searched none 0.0001" in page.text
    assert "the learning rate, the momentum, the activation, the step and the step" in page.text


def test_the_range_of_every_number_is_judged(page):
    """Each has a sentence; of choices the trials level with the best are counted."""
    [said] = [text for text in page.words if text.startswith("Net: in the trials level")]

    for name in ("step", "momentum"):
        assert f"Their {name} " in said
    assert "Their activation is " in said
    assert "weight decay" not in said


def test_the_importance_is_of_every_varied_parameter(out):
    """Their shares sum to 1."""
    frame = pd.read_csv(out / "tables" / "importance.csv")
    frame = frame[frame["study"] == "net"]

    assert set(frame["parameter"]) <= {"learning rate", "activation", "step", "momentum"}
    assert frame["importance"].sum() == pytest.approx(1)


def test_the_summary_holds_every_parameter(out, storage):
    """As one mapping, and each by its column too, null where a model lacks it."""
    models = json.loads((out / "summary.json").read_text())["models"]
    stored = stored_best(storage, "net")["parameters"]
    best = models["net"]["best"]

    assert best["parameters"] == stored
    assert {name: best[column] for name, column in COLUMNS.items()} == stored
    assert models["linear"]["best"]["activation"] is None
    assert set(models["linear"]["best"]["parameters"]) == {"learning_rate", "momentum"}


def test_the_printed_command_searches_the_same_space(page, storage):
    """Its --param, parsed, gives the stored plan's space."""
    from study.search.options import parser, plans_of

    line = next(x for x in page.text.split("python -m ") if "--model linear" in x)
    args = parser().parse_args(shlex.split(line)[1:])

    stored = collect(str(storage), names=("linear",)).searches[0].stored.plan.space
    [plan] = plans_of(args, [MODELS["linear"]])
    assert plan.space == stored


def test_the_files_of_all_parameters_are_known_beforehand(out):
    """``report_names`` has each of them, so that a file in the way is found before a search."""
    known = set(ownership.report_names(["linear", "net"], COLUMNS.values()))

    assert {path.relative_to(out).as_posix() for path in out.glob("*/*")} <= known


@pytest.mark.parametrize("name", ["../../escaped", "a/b", "= 1", "w" * 300, "\udc80"])
def test_no_name_of_a_parameter_leads_out_of_the_folder(name):
    """A storage may be a stranger's: its names are letters in the names of files and columns."""
    plan = SimpleNamespace(space={"learning_rate": None, name: None})
    search = SimpleNamespace(stored=SimpleNamespace(plan=plan))

    column = parameters.columns(SimpleNamespace(searches=[search]))[name]

    assert re.fullmatch(r"\w{1,60}", column)


def test_charts_of_one_name_have_files_of_their_own(storage, monkeypatch):
    """The second is numbered."""
    record = collect(str(storage))
    monkeypatch.setattr(sections.parameters, "_name", lambda *_: "same")

    names = [chart.name for part in with_details(compose(record)) for chart in part.charts]

    assert {"same", "same-2"} <= set(names)
    assert len(set(names)) == len(names)


def test_a_page_without_a_target_has_no_word_of_it(page, out):
    """No line, column, sentence or key's value."""
    words = " ".join([page.text, *page.values("alt", "aria-label")])

    assert "target" not in words.lower()
    for path in (out / "tables").iterdir():
        assert "target" not in path.read_text().partition("\n")[0]
    models = json.loads((out / "summary.json").read_text())["models"].values()
    assert [(m["target"], m["target_met"]) for m in models] == [(None, None)] * 2


def test_a_figure_without_a_target_has_no_line_of_one(storage):
    """Only the grid's lines are in the charts of errors."""
    charts = [c for part in with_details(compose(collect(str(storage)))) for c in part.charts]
    with theme():
        for chart in charts:
            figure = Figure()
            chart.draw(chart.frame, figure.subplots())
            words = [text.get_text() for text in figure.findobj(mpl.text.Text)]
            assert not any("target" in word for word in words)


@pytest.mark.parametrize(
    ("found", "scale", "labels"),
    [
        (FloatDistribution(1e-4, 1, log=True), "log", ["10⁻⁴", "10⁻³", "0.01", "0.1", "1"]),
        (IntDistribution(4, 64, log=True), "log", ["4", "8", "16", "32", "64"]),
        (FloatDistribution(0, 1), "linear", None),
        (IntDistribution(1, 4), "linear", None),
        (CategoricalDistribution(("relu", "tanh")), "linear", ["relu", "tanh"]),
    ],
    ids=["log", "log counts", "plain", "counts", "choices"],
)
@pytest.mark.parametrize("which", ["x", "y"])
def test_an_axis_is_as_the_parameter_was_searched(found, scale, labels, which):
    """Log where the distribution is; choices are columns with their names."""
    choices = list(getattr(found, "choices", ())) or None
    axis = Axis.of("some_name", "v", found, choices)
    values = choices or [found.low, found.high]
    frame = pd.DataFrame({"v": values * 5})
    with theme():
        ax = Figure().subplots()
        places = axis.places(frame)
        getattr(ax, f"set_{which}lim")(places.min(), places.max())
        axis.apply(ax, which, places)

    assert getattr(ax, f"get_{which}label")() == "some name"
    assert getattr(ax, f"get_{which}scale")() == scale
    if labels:
        ticks = getattr(ax, f"get_{which}ticklabels")()
        assert [tick.get_text() for tick in ticks] == labels
    assert places.nunique() == (10 if choices else 2)


def test_trials_of_a_choice_stay_in_its_column():
    """They are spread, but no further than half way to the next choice."""
    axis = Axis("v", "v", choices=("a", "b"))

    places = axis.places(pd.DataFrame({"v": ["a", "b"] * 50}))

    assert places[::2].between(-0.3, 0.3).all()
    assert places[1::2].between(0.7, 1.3).all()


def test_a_pair_is_drawn_from_a_plain_frame():
    """Without axes, the fifth column is the upper one."""
    columns = {"model": "a", "trial": range(3), "outcome": "finished"}
    columns |= {"learning_rate": [0.1, 0.2, 0.3], "width": [1, 2, 3]}
    columns |= {"val_errors": [4, 5, 6], "n_val": 100, "val_error": [0.04, 0.05, 0.06]}
    frame = pd.DataFrame(columns)
    with theme():
        ax = Figure().subplots()
        figures.pair(frame, ax)

    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "width")
