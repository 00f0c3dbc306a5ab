"""From a chart to a figure, and from a figure to PNG and SVG bytes that are always the same.

The one place that sets a style, and the one that knows file formats.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from study.report import matplotlib_import  # noqa: F401 (before matplotlib itself)

# isort: split
import joblib
import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from study.report.settings import usual_settings

INK, MUTED, GRID, PAPER = "#1c1d22", "#5b5e66", "#e2e3e7", "#fefefe"
ORANGE, BLUE, PURPLE = "#cc7a00", "#0b69b0", "#a35fb5"
OLIVE, PINK, VIOLET = "#737334", "#e64581", "#6a35e0"
_DARK = {
    **{INK: "#f0f0f2", MUTED: "#a9acb5", GRID: "#34363d", PAPER: "#15161a"},
    **{ORANGE: "#e8962a", BLUE: "#3f97dc", PURPLE: "#c084d0"},
}
_DARK_OF_MORE = {OLIVE: "#c2c07a", PINK: "#ff93b8", VIOLET: "#8f73f2"}  # models than three

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": PAPER,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handletextpad": 0.3,
    "svg.fonttype": "path",  # the page needs no font
    "svg.hashsalt": "study",  # ids that are the same in every run
    "text.color": INK,
    "text.parse_math": False,  # a $ in a name is a $
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.minor.size": 0,
}
_DPI = 200
_STYLED = re.compile(r'style="([^"]*)"')
_FINE = re.compile(r"(\.\d\d)\d+")


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure that is still to be drawn, with the words around it."""

    name: str  # of its PNG and its CSV
    title: str
    draw: Callable[[pd.DataFrame, Axes], None]  # a module's function, or a ``partial`` of one
    frame: pd.DataFrame
    alt: str  # what it shows, for who can't see it
    caption: str = ""
    size: tuple[float, float] = (4.7, 3.5)  # inches, wide and high
    narrow: tuple[float, float] | None = None  # the size on a telephone, where it differs

    @cached_property
    def digest(self) -> str:
        """SHA-1 of what is drawn, types and categories included."""
        return str(joblib.hash((self.draw, self.frame), hash_name="sha1"))


@contextmanager
def theme() -> Iterator[None]:
    """Compute, draw and save as a report does, whatever settings the caller or a folder has."""
    with usual_settings(), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def figure(chart: Chart, size: tuple[float, float] | None = None) -> Figure:
    """Draw a chart; to be called, like the three below, under :func:`theme`."""
    drawn = Figure(figsize=size or chart.size, layout="constrained")
    FigureCanvasAgg(drawn)
    chart.draw(chart.frame, drawn.subplots())
    layout = drawn.get_layout_engine()
    assert layout is not None
    layout.execute(drawn)
    drawn.set_layout_engine("none")  # laid out once, not anew for each file
    return drawn


def png(drawn: Figure) -> bytes:
    """The figure at print resolution, without a date or a version in it."""
    drawn.set_dpi(_DPI)
    canvas: Any = FigureCanvasAgg(drawn)
    canvas.draw()
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    buffer = io.BytesIO()
    # All is opaque. Of what zlib looks for, runs alone take half the time, and as few bytes
    pixels.convert("RGB").save(buffer, "PNG", dpi=(_DPI, _DPI), compress_type=Image.RLE)
    return buffer.getvalue()


def svg(drawn: Figure) -> str:
    """The figure as SVG whose colours follow the reader's light or dark setting."""
    text = _svg(drawn)
    darks = _DARK | {colour: dark for colour, dark in _DARK_OF_MORE.items() if colour in text}
    names = {colour: f"--c{k}" for k, colour in enumerate(darks)}
    for colour, name in names.items():
        text = text.replace(colour, f"var({name})")
    light = "".join(f"{name}:{colour};" for colour, name in names.items())
    dark = "".join(f"{name}:{darks[colour]};" for colour, name in names.items())
    style = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return text.replace("*{stroke-linejoin", style + "*{stroke-linejoin", 1)


def short_svg(drawn: Figure) -> str:
    """:func:`svg` in fewer bytes, for pages with many figures.

    Coordinates have a hundredth of a point, a style that many marks have is a class, and an image
    has a pixel a number, which the browser enlarges.
    """
    for image in drawn.findobj(AxesImage):
        image.set_interpolation("none")
    text = re.sub(r"\n? *<!--.*?-->", "", svg(drawn))
    text = re.sub(r' d="[^"]*"|<use [^>]*>', lambda found: _FINE.sub(r"\1", found[0]), text)
    styles = [style for style, n in Counter(_STYLED.findall(text)).items() if n > 9]
    rules = "".join(f".s{k}{{{style}}}" for k, style in enumerate(styles))
    for k, style in enumerate(styles):
        text = text.replace(f'style="{style}"', f'class="s{k}"')
    return text.replace("</style>", f"{rules}</style>", 1)


def _svg(drawn: Figure) -> str:
    """Without paper. ``Figure.savefig`` would draw everything twice."""
    buffer = io.StringIO()
    drawn.patch.set_visible(False)
    drawn.set_dpi(_DPI / 2)  # of what is pixels in it
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(drawn).print_svg(buffer, metadata=nothing)  # type: ignore[no-untyped-call]
    drawn.patch.set_visible(True)
    return buffer.getvalue()


SAVED: dict[str, Callable[[Figure], bytes]] = {
    "png": png,
    "svg": lambda drawn: svg(drawn).encode(),
    "short_svg": lambda drawn: short_svg(drawn).encode(),
}
"""How each kind of file is made of a figure; ``short_svg``, which changes the figure, last."""
