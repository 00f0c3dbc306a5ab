"""A report that follows another in the same process draws what changed, and nothing else."""

import gc
from copy import deepcopy
from functools import partial

import pandas as pd
import pytest

from study.errors import StudyError
from study.report import figures, rendering
from study.report.command import run_report
from study.report.drawn import Drawn
from study.report.options import Settings
from study.report.rendering import Chart
from tests.report.helpers import digests


@pytest.fixture
def drawings(monkeypatch):
    """The names of the charts that are drawn, with their sizes, as they are drawn."""
    found, figure = [], rendering.figure

    def counted(chart, size=None):
        found.append((chart.name, size or chart.size))
        return figure(chart, size)

    monkeypatch.setattr(rendering, "figure", counted)
    return found


def tables(out):
    """The figures' numbers by the figures' names."""
    return {path.stem: path.read_bytes() for path in (out / "tables").glob("*.csv")}


@pytest.fixture
def reports(first_report, report):
    """The folders of the first report, and of one after the confirmation that was drawn anew."""
    return first_report[0], report


@pytest.fixture
def after(drawn):
    """The pictures of the first report, for another one in the same process."""
    return deepcopy(drawn)


def test_the_report_after_the_confirmation_draws_what_it_changed(
    confirmed, reports, after, drawings, tmp_path
):
    """Figures with other numbers than in the first report, and no others; the same bytes."""
    first = tables(reports[0])

    run_report(Settings(str(confirmed), tmp_path), quiet=True, drawn=after)

    now = tables(tmp_path)
    shown = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert {name for name, _ in drawings} == {n for n in shown if now[n] != first.get(n)}
    assert {"answer", "replicates"} <= {name for name, _ in drawings} < shown
    assert len(drawings) == len(set(drawings)) > len({name for name, _ in drawings})
    assert digests(tmp_path) == digests(reports[1])


def test_a_report_of_the_same_draws_nothing(original, reports, after, drawings, tmp_path):
    """Written again, no figure is drawn, and every file has the bytes that it had."""
    run_report(Settings(str(original), tmp_path), quiet=True, drawn=after)

    assert drawings == []
    assert digests(tmp_path) == digests(reports[0])


def shares(*values, first="a", dtype=float):
    """A frame of ``figures.coefficients``."""
    names = [first, *"bcdef"[: len(values) - 1]]
    return pd.DataFrame({"column": names, "weight": pd.Series(values, dtype=dtype)})


def chart(frame, draw=figures.coefficients, size=(3.0, 1.5)):
    return Chart("shares", "Shares", draw, frame, alt="Bars of shares", size=size)


def files(drawn, of, kinds=("png", "svg")):
    with rendering.theme():
        return drawn.files(of, *kinds)


CHANGED = {
    "a value": chart(shares(0.75, 0.25 + 2**-52)),
    "a row": chart(shares(0.75)),
    "a type": chart(shares("0.75", "0.25", dtype=object).astype({"weight": "float32"})),
    "a name": chart(shares(0.75, 0.25, first="A")),
    "the size": chart(shares(0.75, 0.25), size=(3.0, 1.6)),
    "the function": chart(shares(0.75, 0.25), partial(figures.coefficients)),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_differs_in_anything_is_drawn(what, drawings):
    """No picture stands for another, however little they differ."""
    drawn = Drawn()
    files(drawn, chart(shares(0.75, 0.25)))

    found = files(drawn, CHANGED[what])

    assert len(drawings) == 2
    assert found == files(Drawn(), CHANGED[what])


def test_equal_charts_share_one_drawing_of_each_kind(drawings):
    """Another object with the same content is the same; a kind that is new is made for itself."""
    drawn = Drawn()
    png, svg = files(drawn, chart(shares(0.75, 0.25)))

    assert files(drawn, chart(shares(0.75, 0.25)), ("svg", "png")) == [svg, png]
    assert len(drawings) == 1
    [inline] = files(drawn, chart(shares(0.75, 0.25)), ("inline",))
    assert len(drawings) == 2
    assert len(inline) < len(svg)


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collection_of_garbage_is_as_it_was(is_on, tmp_path):
    """Also where the report fails."""
    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        with pytest.raises(StudyError):
            run_report(Settings(str(tmp_path / "none.db"), tmp_path))
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if was_on else gc.disable)()
