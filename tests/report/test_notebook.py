"""What a notebook shows, and figures for a paper."""

import inspect
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot, rc_context, rcParams
from matplotlib.figure import Figure

import study.report
from study.confirm.comparison import compare
from study.report import figures
from study.report.collect import collect
from study.report.rendering import INK, theme
from study.search import Outcome
from study.storage import load_study
from study.trials import read_trials
from tests.helpers.plans import plan
from tests.report.helpers import Page, stored_best


@pytest.fixture(scope="module")
def record(confirmed):
    return collect(str(confirmed))


@pytest.fixture(scope="module")
def fitted():
    """A short training."""
    return study.fit("linear", learning_rate=0.01, steps=60, val_every=20)


def test_a_record_shows_its_first_screen(confirmed, record):
    """The answer, and the errors of both tables, as the page says them."""
    text = Page(record._repr_html_()).text

    for model in ("linear", "mlp"):
        count = stored_best(confirmed, model)["val_errors"]
        assert f"{100 * count / 1791:.2f} % ({count} of 1,791)" in text
    verdict = record.comparison.verdict
    assert f"{verdict.headline}. T{verdict.evidence[1:]}" in text
    for side in record.comparison.sides:
        assert f"{100 * side.holdout.mean:.2f} %" in text
    assert text.startswith("Is this handwritten digit a 4 or a 9?")


def test_a_comparison_shows_its_verdict(confirmed):
    """The sentence that may be quoted, and the errors on held-out images."""
    comparison = compare(str(confirmed), ("linear", "mlp"))

    text = Page(comparison._repr_html_()).text

    assert comparison.sentence in text
    assert f"{100 * comparison.b.holdout.mean:.2f} %" in text


def test_an_outcome_shows_its_best_trials(original):
    """Trials from the best on, with their errors."""
    trials = read_trials(load_study(str(original), "mlp").trials, "mlp")

    page = Page(Outcome(trials, 6, 1.5, plan=plan("mlp"))._repr_html_())

    best = stored_best(original, "mlp")
    first = [word for word in page.words if word.strip()]
    assert "6 trials, 6 of them new in 1.5 s" in page.text
    assert first[first.index("outcome") + 1] == str(best["number"])


def test_an_outcome_without_trials_shows_itself():
    """Nothing was run, and nothing fails."""
    assert "0 trials" in Outcome([], 0, 0.0, plan=plan())._repr_html_()


def test_a_history_shows_its_curves(fitted):
    """A small picture of loss and error with their ends, legible on light and dark; no weights."""
    html = fitted._repr_html_()

    assert html.count("<svg") == 2
    highest = max((fitted.train_errors / 100).max(), (fitted.val_errors / fitted.n_val).max())
    assert f">{100 * highest:.2f} %<" in html
    assert 'fill="currentColor"' in html
    assert re.findall(r"(?:fill|stroke)=\"#(\w+)", html) == ["3f8fd2"] * 4
    assert len(html) < 3_000


def test_a_history_without_a_finite_loss_shows_itself(fitted):
    """A training that diverged at once has an empty picture, and no error."""
    nothing = np.full_like(fitted.val_losses, np.nan)

    html = replace(fitted, val_losses=nothing, train_losses=nothing)._repr_html_()

    assert "nan" not in html
    assert html.count("<circle") == 1


@pytest.mark.parametrize("what", ["fit", "trial", "outcome", "record", "pair", "all"])
def test_a_result_is_one_line(what, fitted, record):
    """What it is, with the number that counts."""
    trials = record.searches[1].trials
    results = {
        "fit": fitted,
        "trial": trials[0],
        "outcome": Outcome([*trials], 6, 1.5, plan=plan("mlp"), study_name="a\nb\x1b"),
        "record": record,
        "pair": record.comparison.pairs[0],
        "all": record.comparison,
    }

    text = repr(results[what])

    assert text.isprintable()
    assert text.startswith(f"<{type(results[what]).__name__}")
    assert " %" in text
    assert len(text) < 500


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("answer", "held-out error"),
        ("history", "trial"),
        ("learning_rate", "learning rate"),
        ("replicates", "validation error"),
        ("splits", ""),
    ],
)
def test_plots_draw_a_storage(confirmed, name, label):
    """On the Axes that they are given, which they return."""
    assert_drawn(name, str(confirmed), label)


def assert_drawn(name, result, label):
    ax = Figure().subplots()
    assert getattr(study.plots, name)(result, ax) is ax
    assert label in ax.get_xlabel()
    assert ax.has_data()


def test_plots_draw_a_record_and_a_comparison_too(confirmed, record):
    """All by way of one function."""
    assert_drawn("splits", record, "")
    assert_drawn("answer", compare(str(confirmed), ("linear", "mlp")), "held-out error")


def test_plots_draw_curves_and_weights(fitted, original):
    """Of a training, or of the best trial of a search; a new figure where no Axes are given."""
    trials = read_trials(load_study(str(original), "mlp").trials, "mlp")
    where = {"storage": str(original), "study_name": "mlp"}
    outcome = Outcome(trials, 0, 1.0, plan=plan("mlp"), **where)
    given = Figure().subplots()

    made = study.plots.curves(fitted, quantity="loss")

    assert made.get_ylabel().startswith("loss")
    assert study.plots.curves(outcome, given).get_ylabel().startswith("error")
    assert study.plots.weights(fitted, Figure().subplots()).images
    pyplot.close(made.figure)
    best = stored_best(original, "mlp")["val_errors"] / 1791
    lines = [line.get_ydata() for line in given.lines]
    assert any(np.isclose(line, best).any() for line in lines)


def test_a_plot_leaves_the_callers_style(confirmed):
    """Drawn in the report's, whatever the caller's is, which stays; the font's size is theirs."""
    with rc_context({"font.size": 15, "text.color": "red", "axes.labelcolor": "red"}):
        ax = study.plots.history(str(confirmed))
        assert rcParams["text.color"] == "red"

    pyplot.close(ax.figure)
    assert ax.xaxis.label.get_color() == INK
    assert ax.xaxis.label.get_size() == 15


def test_what_a_notebook_shows_is_escaped():
    """Names are text."""
    from study.notebook_html import table

    assert "<b>" not in table("<b>", ["<b>"], [["<b>", "<b>"]])


@pytest.mark.parametrize(
    "name", [name for name in figures.__all__ if not name.endswith("_values")]
)
def test_a_figure_is_a_function_of_a_frame_and_axes(name):
    """Its first two arguments, annotated, and what it draws it draws on them."""
    found = inspect.signature(getattr(figures, name), eval_str=True).parameters

    assert [p.annotation.__name__ for p in list(found.values())[:2]] == ["DataFrame", "Axes"]


def test_figures_draw_plain_frames():
    """A frame made by hand, with plain strings for models, is enough."""
    frame = pd.DataFrame(
        {"model": ["a", "b"], "trial": [0, 0], "outcome": "finished", "val_errors": [40, 20],
         "n_val": 1000, "val_error": [0.04, 0.02], "best_so_far": [0.04, 0.02], "target": 0.03}
    )  # fmt: skip
    with theme():
        ax = Figure().subplots()
        figures.history(frame, ax)

    assert ax.get_xlabel() == "trial"
    assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["a", "b"]


def test_the_packages_example_runs(confirmed, tmp_path, monkeypatch):
    """The lines in the docstring of study.report draw a figure."""
    lines = [line[4:] for line in study.report.__doc__.splitlines() if line.startswith("    ")]
    monkeypatch.chdir(confirmed.parent)

    names: dict[str, object] = {}
    exec("\n".join(lines), names)

    assert names["ax"].get_xlabel() == "learning rate"
