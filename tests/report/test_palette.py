"""The colours keep what they promise: seen on their papers, and told apart by everyone."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from study.report import palette
from study.report.figures.common import LOOKS, OUTCOMES
from study.report.palette import DARK, GREEN, INK, MAUVE, MUTED, PAPER

COLOURS = [look.colour for look in LOOKS]
PAPERS = {"light": (COLOURS, PAPER), "dark": ([DARK[c] for c in COLOURS], DARK[PAPER])}
SEEN = {
    "by most": np.eye(3),
    "without red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Linear RGB as it is seen: Machado, Oliveira and Fernandes (2009), table 1, severity 1.0."""
_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # of linear sRGB, IEC 61966-2-1
_WHITE = _XYZ.sum(axis=1)  # D65


def linear(colour):
    """Linear RGB."""
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """WCAG's ratio of luminances."""
    low, high = sorted(float(_XYZ[1] @ linear(colour)) for colour in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """CIE L*a*b* of linear RGB."""
    ratio = _XYZ @ np.clip(rgb, 0, 1) / _WHITE
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distances(colours, seen):
    """CIE 1976 distances of each pair of colours, as they are seen."""
    found = [lab(np.array(seen) @ linear(colour)) for colour in colours]
    return [np.linalg.norm(a - b) for a, b in combinations(found, 2)]


def test_lab_is_that_of_the_standard():
    """Known values: sRGB's red, and the distance of black and white."""
    np.testing.assert_allclose(lab(linear("#ff0000")), [53.24, 80.09, 67.20], atol=0.05)
    assert distances(["#000000", "#ffffff"], np.eye(3)) == [pytest.approx(100, abs=0.01)]


@pytest.mark.parametrize("paper", PAPERS)
def test_marks_show_on_their_paper(paper):
    """3 : 1 at least, WCAG 2.2's 1.4.11 for graphical objects; so do weights of either sign."""
    colours, ground = PAPERS[paper]
    weights = [GREEN, MAUVE] if paper == "light" else [GREEN, MAUVE, DARK[GREEN], DARK[MAUVE]]

    assert min(contrast(colour, ground) for colour in [*colours, *weights]) >= 3


@pytest.mark.parametrize("paper", PAPERS)
def test_words_can_be_read_on_their_paper(paper):
    """4.5 : 1 at least, WCAG 2.2's 1.4.3 for text; ink on paper, and what is said in grey."""
    words = [INK, MUTED] if paper == "light" else [DARK[INK], DARK[MUTED]]

    assert min(contrast(colour, PAPERS[paper][1]) for colour in words) >= 4.5


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("seen", SEEN)
def test_the_models_colours_stand_apart(seen, paper):
    """Of two models and of three, 20 apart: eight just noticeable steps of 2.3, for small marks.

    Of six, 10: beside the colour each has a marker of its own.
    """
    colours, _ = PAPERS[paper]

    assert min(distances(colours[:3], SEEN[seen])) >= 20
    assert min(distances(colours, SEEN[seen])) >= 10


@pytest.mark.parametrize("paper", PAPERS)
def test_the_models_colours_stand_apart_in_grey(paper):
    """A copier leaves lightness alone: 8 apart of two models, and 3 of six, above one step."""
    lightness = [lab(linear(colour))[0] for colour in PAPERS[paper][0]]

    assert abs(lightness[0] - lightness[1]) >= 8
    assert min(np.diff(sorted(lightness))) >= 3


def test_the_signs_of_weights_stand_apart():
    """Green and mauve, for each kind of sight, 20 apart."""
    for seen in SEEN.values():
        assert min(distances([GREEN, MAUVE], seen)) >= 20
        assert min(distances([DARK[GREEN], DARK[MAUVE]], seen)) >= 20


def test_every_model_and_outcome_has_a_marker_of_its_own():
    """Where colours are close, shapes are not."""
    assert len({look.marker for look in LOOKS} | set(OUTCOMES.values())) == len(LOOKS) + 2


def test_the_colours_are_those_of_the_page():
    """The page's style sheet has each with its dark one, once."""
    css = palette.css()

    for light, dark in DARK.items():
        assert css.count(f"light-dark({light}, {dark})") == 1
