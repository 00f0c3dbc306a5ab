"""From a chart to a figure, and from a figure to PNG, SVG and PDF bytes that are always the same.

The one place that sets a style, and the one that knows file formats.
"""

from __future__ import annotations

import io
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
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from study.report import palette
from study.report.palette import GRID, INK, MUTED, PAPER
from study.report.settings import usual_settings

Values = Callable[[pd.DataFrame], pd.DataFrame]

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": "medium",
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.facecolor": PAPER,
    "font.family": "DejaVu Sans",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": "medium",
    "legend.frameon": False,
    "legend.handletextpad": 0.3,
    "pdf.fonttype": 42,  # TrueType, which journals ask for
    "svg.fonttype": "path",  # the page needs no font
    "svg.hashsalt": "study",  # ids that are the same in every run
    "text.color": INK,
    "text.parse_math": False,  # a $ in a name is a $
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": "medium",
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": "medium",
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.minor.size": 0,
}
_DPI = 200


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure that is still to be drawn, with the words around it."""

    name: str  # of its PNG and its CSV
    title: str
    draw: Callable[[pd.DataFrame, Axes], None]  # a module's function, or a ``partial`` of one
    frame: pd.DataFrame
    alt: str  # what it shows, for who can't see it
    values: Values | None = None  # what each mark says: see :mod:`study.report.inline`
    caption: str = ""
    size: tuple[float, float] = (4.7, 3.5)  # inches, wide and high
    narrow: tuple[float, float] | None = None  # the size on a telephone, where it differs

    @cached_property
    def digest(self) -> str:
        """SHA-1 of what is drawn and named, types and categories included."""
        return str(joblib.hash((self.name, self.draw, self.values, self.frame), hash_name="sha1"))


@contextmanager
def theme(points: float = 9) -> Iterator[None]:
    """Compute, draw and save as a report does, whatever settings the caller or a folder has.

    Args:
        points: The font size, which all words follow.
    """
    with usual_settings(), mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE | {"font.size": points})
        yield


def figure(chart: Chart, size: tuple[float, float] | None = None) -> Figure:
    """Draw a chart; to be called, like the functions below, under :func:`theme`."""
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


def svg(drawn: Figure) -> bytes:
    """The figure as SVG whose colours follow the reader's light or dark setting."""
    text, rules = palette.svg_css(_svg(drawn))
    return text.replace("*{stroke-linejoin", f"{rules}*{{stroke-linejoin", 1).encode()


def _svg(drawn: Figure) -> str:
    """Without paper. ``Figure.savefig`` would draw everything twice."""
    buffer = io.StringIO()
    drawn.patch.set_visible(False)
    drawn.set_dpi(_DPI / 2)  # of what is pixels in it
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(drawn).print_svg(buffer, metadata=nothing)  # type: ignore[no-untyped-call]
    drawn.patch.set_visible(True)
    return buffer.getvalue()


def pdf(drawn: Figure) -> bytes:
    """The figure as PDF without paper, its text as text, without a date or a version in it."""
    buffer = io.BytesIO()
    drawn.patch.set_visible(False)
    drawn.set_dpi(_DPI)  # of what is pixels in it, whatever was drawn before
    nothing = dict.fromkeys(("CreationDate", "Creator", "Producer"))
    FigureCanvasPdf(drawn).print_pdf(buffer, metadata=nothing)  # type: ignore[no-untyped-call]
    drawn.patch.set_visible(True)
    return buffer.getvalue()


SAVED: dict[str, Callable[[Figure], bytes]] = {"png": png, "svg": svg, "pdf": pdf}
"""How each kind of file is made of a figure."""
