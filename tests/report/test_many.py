"""Two to six models on one page: all pairs, told apart, and nothing cut or on top of another."""

import dataclasses
import itertools
import json
import shlex

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from study.errors import StudyError
from study.report.collect import collect
from study.report.command import run_report
from study.report.content import with_details
from study.report.options import names_of, parser, settings_of
from study.report.rendering import figure, theme
from study.report.sections import compose, pairs
from study.stats import Interval
from study.training.registry import MODELS
from tests.report.conftest import SIX, copied, searched
from tests.report.helpers import Page, Undrawn, page_of, stored_best
from tests.report.test_pairs import BOTTLENECK


@pytest.fixture(scope="module")
def record(six):
    return collect(str(six), names=tuple(SIX))


@pytest.fixture(scope="module")
def page(six_report):
    return Page((six_report / "index.html").read_text())


@pytest.mark.parametrize("name", SIX)
def test_every_model_stands_on_the_first_screen(page, six, name):
    """Each with its lowest error, as SQL finds it."""
    count = stored_best(six, name)["val_errors"]
    head = page.text[: page.text.index("What the learning rate does")]

    assert name in head
    assert f"{100 * count / 1791:.2f} % ({count} of 1,791)" in head


def test_the_first_sentence_is_the_comparisons(page, record):
    """The page says what the confirmation's command says."""
    verdict = record.comparison.verdict
    for words in (verdict.headline, f"T{verdict.evidence[1:]}"):
        assert words in page.text


def test_every_pair_has_its_difference_and_verdict(page, record, six_report):
    """A row a pair, with the difference of the two errors on held-out images and Holm's p."""
    frame = pd.read_csv(six_report / "tables" / "pairs.csv")
    errors = {side.study: side.holdout.mean for side in record.comparison.sides}

    named = list(zip(frame["first"], frame["second"], strict=True))
    assert named == list(itertools.combinations(SIX, 2))
    gaps = [errors[first] - errors[second] for first, second in named]
    np.testing.assert_allclose(frame["difference"], gaps, atol=1e-12)
    np.testing.assert_allclose(frame["p_adjusted"], by_holm(frame["p"]))
    for (first, second), gap in zip(named, gaps, strict=True):
        assert f"{first} minus {second} {100 * gap:+.2f}" in page.text


def by_holm(p):
    """The definition, p value by p value."""
    ordered = sorted(p)
    return [
        max(min(1, (len(p) - k) * ordered[k]) for k in range(ordered.index(each) + 1))
        for each in p
    ]


def test_the_page_explains_the_corrections(page):
    """It names both, and says how wide 15 intervals are that hold at once."""
    assert "corrected by Holm’s method" in page.text
    assert "Bonferroni’s, of 99.67 %" in page.text


def test_the_page_says_where_the_corrections_differ(record):
    """A pair that Holm's p separates and whose interval holds 0 is named."""
    [first, *others] = record.comparison.pairs
    gap = dataclasses.replace(first.difference, interval=Interval(-0.01, 0.03))
    verdict = dataclasses.replace(first.verdict, separated=True, p_adjusted=0.04, difference=gap)
    apart = dataclasses.replace(first, verdict=verdict)
    planted = dataclasses.replace(record.comparison, pairs=(apart, *others))

    note = pairs.table(dataclasses.replace(record, comparison=planted)).note

    assert "Holm's correction separates linear and mlp (p = 0.04), but" in note
    assert "Both say the same of every pair here" in pairs.table(record).note


def test_the_summary_holds_every_pair(six_report):
    """summary.json has the six models and their comparison."""
    summary = json.loads((six_report / "summary.json").read_text())

    assert [model["study"] for model in summary["models"].values()] == list(SIX)
    assert len(summary["comparison"]["pairs"]) == 15


def test_nothing_in_a_figure_is_cut_or_overlaps(record):
    """At both sizes, every word lies inside its figure, and no two words on one another."""
    with theme():
        charts = [chart for part in with_details(compose(record)) for chart in part.charts]
        for chart in charts:
            for size in filter(None, (chart.size, chart.narrow)):
                assert troubles(figure(chart, size)) == [], (chart.name, size)


def test_captions_of_pictures_leave_each_other_room(confirmed):
    """Two models with their probabilities below each picture, in every sheet."""
    with theme():
        parts = with_details(compose(collect(str(confirmed))))
        sheets = [sheet for part in parts for sheet in part.sheets]
        found = {sheet.name: troubles(figure(sheet)) for sheet in sheets}

    assert found == {name: [] for name in ("averages", "misread", "predictions")}


def troubles(drawn):
    """Words beyond the edge of a figure, and pairs of words that lie on one another."""
    found = []
    drawn.draw_without_rendering()  # the words of a legend have their places then
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in drawn.findobj(Text)
        if text.get_text().strip() and text.get_visible() and text not in outside(drawn)
    ]
    for words, box in boxes:
        if not (drawn.bbox.padded(1).containsx(box.x0) and drawn.bbox.padded(1).containsx(box.x1)):
            found.append(words)
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        if a.padded(-1).overlaps(b.padded(-1)):
            found.append((one, two))
    return found


def outside(drawn):
    """Labels of ticks that an axis does not draw, since they are outside its range."""
    return {
        tick.label1
        for ax in drawn.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }


def test_studies_of_one_kind_among_others_are_called_by_their_names(six):
    """A model that is alone of its kind keeps its kind's name."""
    record = collect(str(six), names=("a", "mlp-16", "mlp"))

    assert [search.title for search in record.searches] == ["Linear model", "mlp-16", "mlp"]
    assert [search.key for search in record.searches] == ["linear", "mlp_2", "mlp_3"]


def test_the_command_takes_names(six, tmp_path):
    """Positions and the two options name the same studies, so that the report is the same."""
    by_place, by_option = (
        settings(six, tmp_path, *names)
        for names in (("mlp-16", "a"), ("--linear=mlp-16", "--mlp=a"))
    )

    assert by_place == by_option
    assert run_report(by_place, quiet=True, drawn=Undrawn()) == 0
    models = json.loads((tmp_path / "summary.json").read_text())["models"]
    assert [model["study"] for model in models.values()] == ["mlp-16", "a"]


def settings(storage, out, *names):
    """What a command's options say."""
    args = parser().parse_args(["--storage", str(storage), "--out", str(out), *names])
    return settings_of(args, names_of(args))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "--mlp=mlp"), "'a' and --mlp: name the studies twice"),
        (("a",) * 7, "7 studies .*'a'.*: too many for one page: name 6 at most"),
        (("a", "mlp", "a"), "study 'a': is named twice"),
    ],
    ids=["both ways", "seven", "twice"],
)
def test_wrong_names_are_refused(six, tmp_path, names, message):
    """In one line."""
    with pytest.raises(StudyError, match=message):
        run_report(settings(six, tmp_path, *names), quiet=True)


def test_without_names_every_kind_is_reported(original, tmp_path, monkeypatch):
    """In the order of the registry, each by the study that has its name."""
    monkeypatch.setitem(MODELS, "bottleneck", BOTTLENECK)
    storage = copied(original, tmp_path / "copy")
    searched(storage, "bottleneck", n_trials=1)

    assert [search.name for search in collect(str(storage)).searches] == [*MODELS]
    assert "Which of three small models errs less" in page_of(storage).text


def test_the_printed_commands_name_the_studies(page):
    """The report's own command finds the same six again."""
    last = page.text.index("Versions, machine and digests")
    line = page.text[page.text.rindex("python -m study.report", 0, last) : last]

    args = parser().parse_args(shlex.split(line)[3:])

    assert args.names == list(SIX)
