"""What a notebook shows, and figures for a paper."""

import inspect

import pandas as pd
import pytest
from matplotlib.figure import Figure

import study.report
from study.confirm.comparison import compare
from study.report import figures
from study.report.collect import collect
from study.report.rendering import theme
from study.search import Outcome
from study.trials import read_trials
from tests.helpers.plans import plan
from tests.report.helpers import Page, stored_best


def test_a_record_shows_its_first_screen(confirmed):
    """The answer, and the errors of both tables, as the page says them."""
    record = collect(str(confirmed))

    text = Page(record._repr_html_()).text

    for model in ("linear", "mlp"):
        count = stored_best(confirmed, model)["val_errors"]
        assert f"{100 * count / 1791:.2f} % ({count} of 1,791)" in text
    assert record.comparison.sentence in text
    for side in record.comparison.sides:
        assert f"{100 * side.simplest_holdout.mean:.2f} %" in text
    assert text.startswith("Is this handwritten digit a 4 or a 9?")


def test_a_comparison_shows_its_verdict(confirmed):
    """The sentence that may be quoted, and the errors on held-out images."""
    comparison = compare(str(confirmed), ("linear", "mlp"))

    text = Page(comparison._repr_html_()).text

    assert comparison.sentence in text
    assert f"{100 * comparison.b.holdout.mean:.2f} %" in text


def test_an_outcome_shows_its_best_trials(original):
    """Trials from the best on, with their errors."""
    from study.storage import load_study

    trials = read_trials(load_study(str(original), "mlp").trials, "mlp")

    page = Page(Outcome(trials, 6, 1.5, plan=plan("mlp"))._repr_html_())

    best = stored_best(original, "mlp")
    first = [word for word in page.words if word.strip()]
    assert "6 trials, 6 of them new in 1.5 s" in page.text
    assert first[first.index("outcome") + 1] == str(best["number"])


def test_an_outcome_without_trials_shows_itself():
    """Nothing was run, and nothing fails."""
    assert "0 trials" in Outcome([], 0, 0.0, plan=plan())._repr_html_()


def test_what_a_notebook_shows_is_escaped():
    """Names are text."""
    from study.notebook_html import table

    assert "<b>" not in table("<b>", ["<b>"], [["<b>", "<b>"]])


@pytest.mark.parametrize("name", figures.__all__)
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
