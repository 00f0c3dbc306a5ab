"""The files of figures: which are written, and whether they can be read in a column of a paper."""

import matplotlib as mpl
import pytest

from study.report import figures
from study.report.collect import collect
from study.report.command import run_report
from study.report.content import with_details
from study.report.options import parser, settings_of
from study.report.rendering import figure, theme
from study.report.sections import compose
from tests.report.test_many import troubles


def kinds(original, out, drawn, *formats):
    """Each figure's files by their suffixes, after a report with these formats."""
    options = ["--format", *formats] if formats else []
    where = ["--storage", str(original), "--out", str(out)]
    settings = settings_of(parser().parse_args([*where, *options]))
    assert run_report(settings, quiet=True, drawn=drawn) == 0
    found = {}
    for path in (out / "figures").iterdir():
        found.setdefault(path.stem, set()).add(path.suffix)
    return list(found.values())


def test_every_figure_has_a_file_of_each_format(original, tmp_path, drawn):
    """PNG and SVG, or those that are named; what only the report before had is removed."""
    for formats, suffixes in (((), {".png", ".svg"}), (("pdf",), {".pdf"})):
        found = kinds(original, tmp_path, drawn, *formats)

        assert len(found) > 10
        assert all(each == suffixes for each in found)
    assert (tmp_path / "figures/answer.pdf").read_bytes().startswith(b"%PDF")


def test_an_unknown_format_is_refused(capsys):
    """With those that are known."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--format", "gif"])

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert all(kind in said for kind in ("png", "svg", "pdf"))


@pytest.fixture(scope="module")
def charts(confirmed):
    with theme():
        sections = with_details(compose(collect(str(confirmed))))
        return [chart for section in sections for chart in section.charts]


def test_figures_fit_a_column_of_a_paper(charts):
    """At 3.3 inches and a font of 8 points no words are cut, and none lie on one another."""
    assert len(charts) == 12
    with theme(), mpl.rc_context({"font.size": 8}):
        for chart in charts:
            high = (chart.narrow or chart.size)[1]
            assert troubles(figure(chart, (3.3, high))) == [], chart.name


def test_all_words_follow_the_font_size(charts):
    """A larger font makes every word of a figure larger."""
    for chart in charts:
        assert max(sizes(chart, 6)) < min(sizes(chart, 12)), chart.name


def sizes(chart, points):
    with theme(), mpl.rc_context({"font.size": points}):
        drawn = figure(chart)
        return [text.get_fontsize() for text in drawn.findobj(mpl.text.Text) if text.get_text()]


def test_every_figure_with_marks_has_their_values(charts):
    """All but one that is an image."""
    assert [chart.name for chart in charts if chart.values is None] == ["linear_weights"]


@pytest.mark.parametrize("name", ["history", "learning_rate", "hidden_units"])
def test_values_stand_where_the_marks_are_drawn(charts, name):
    """Matplotlib's own points, and those of the values, are the same."""
    [chart] = [chart for chart in charts if chart.name == name]
    values = chart.values(chart.frame)
    with theme():
        drawn = figure(chart)

    points = [
        tuple(map(float, point))
        for collection in drawn.axes[0].collections
        for point in collection.get_offsets()
    ]
    assert sorted(points) == sorted(zip(values["x"], values["y"], strict=True))
    assert len(points) == len(chart.frame)


def test_a_value_names_its_mark(charts):
    """The trial, its setting and its errors, as the frame has them."""
    [chart] = [chart for chart in charts if chart.name == "learning_rate"]
    said = list(chart.values(chart.frame)["text"])

    for row in chart.frame.to_dict("records"):
        [text] = [t for t in said if t.startswith(f"{row['model']}, trial {row['trial']}:")]
        assert f"({row['val_errors']} of 1,791)" in text
        assert f"learning rate {row['learning_rate']:.1g}"[:17] in text


def test_no_drawer_is_without_a_figure(charts):
    """What the page does not draw, tables of one's own and the functions of results do."""
    drawn = {getattr(chart.draw, "func", chart.draw).__name__ for chart in charts}
    elsewhere = {"coefficients", "unit_columns", "loss", "error", "pictures"}
    names = {name for name in figures.__all__ if not name.endswith("_values")}

    assert names == drawn | elsewhere
