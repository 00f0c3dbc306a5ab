"""A figure as SVG in the page itself, with a value at every mark.

matplotlib's SVG keeps its shapes. What a page can't have twice, or doesn't allow, changes: ids get
a prefix of the figure's own, styles become presentation attributes (the page's policy allows no
``style``), colours are the page's variables. Over the shapes lie unseen circles, one a mark, whose
titles say the marks' values.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from PIL import Image

from study.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from study.report.rendering import Chart

MANY = 500  # marks, from which on only the larger of two copies has their words
_PIXELS = 50_000  # of an image, from which on it is one of marks
_DIGITS = re.compile(r"(\.\d\d)\d+")
_SPACES = re.compile(r"\s*\n\s*")
_MOVED = re.compile(r"translate\([^)]*\)")
_LINK = re.compile(r"#([\w.-]+)")
_ROUNDED = {"cx", "cy", "d", "height", "transform", "width", "x", "y"}


def markup(svg: bytes, chart: Chart, drawn: Figure, *, is_copy: bool) -> bytes:
    """What stands between the page's ``<svg>`` and its end.

    Args:
        svg: The figure as a file.
        chart: What it shows.
        drawn: The figure, laid out.
        is_copy: Whether the page has another, larger one of the same chart.
    """
    root = ElementTree.fromstring(svg)
    prefix = re.sub(r"\W", "_", chart.name, flags=re.ASCII) + ("-s-" if is_copy else "-")
    linked = {name for each in root.iter() for name in _links(each)}
    shapes = "".join(_shape(child, prefix, linked) for child in root)
    return (shapes + _marks(chart, drawn, is_copy=is_copy)).encode()


def _links(element: ElementTree.Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name.endswith(("href", "clip-path", "style")):
            yield from _LINK.findall(value)


def _shape(element: ElementTree.Element, prefix: str, linked: set[str]) -> str:
    """An element and all in it; what only groups or describes is left out."""
    tag = element.tag.rpartition("}")[2]
    if tag in ("metadata", "style"):
        return ""
    inside = "".join(_shape(child, prefix, linked) for child in element)
    attributes = dict(_attributes(element, prefix, linked))
    if tag in ("g", "defs") and (not inside or (tag == "g" and not attributes)):
        return inside
    said = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>"


def _attributes(
    element: ElementTree.Element, prefix: str, linked: set[str]
) -> Iterator[tuple[str, str]]:
    for qualified, value in element.attrib.items():
        name = qualified.rpartition("}")[2]
        if name == "id":
            if value in linked:
                yield name, prefix + value
        elif name == "style":
            for rule in filter(None, map(str.strip, value.split(";"))):
                property_, _, what = rule.partition(":")
                yield property_, what.strip()
        elif name in ("href", "clip-path") and not value.startswith("data:"):
            yield name, value.replace("#", f"#{prefix}")
        elif name == "href":
            yield name, _smaller(value)
        else:
            yield name, _short(name, value) if name in _ROUNDED else value


def _smaller(uri: str) -> str:
    """An image; one of many marks has few colours and a third of the bytes."""
    head, _, text = uri.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    if image.width * image.height < _PIXELS:
        return uri
    buffer = io.BytesIO()
    image.quantize(64, Image.Quantize.FASTOCTREE).save(buffer, "PNG", optimize=True)
    return f"{head},{base64.b64encode(buffer.getvalue()).decode()}"


def _short(name: str, numbers: str) -> str:
    """Coordinates of a hundredth of a point; the scale of glyphs keeps all digits."""
    if name == "transform":
        return _MOVED.sub(lambda found: _DIGITS.sub(r"\1", found[0]), numbers)
    return _DIGITS.sub(r"\1", _SPACES.sub(" ", numbers).strip())


def _marks(chart: Chart, drawn: Figure, *, is_copy: bool) -> str:
    """The circles over the marks, in the order in which the arrow keys go through them."""
    if chart.values is None or not len(frame := _places(chart.values(chart.frame), drawn)):
        return ""
    silent = is_copy and len(frame) > MANY
    circles = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}"' + ("/>" if silent else _titled(text))
        for x, y, text in zip(frame["x"], frame["y"], frame["text"], strict=True)
    )
    return f'<g class="marks" fill="none" pointer-events="all">{circles}</g>'


def _titled(text: str) -> str:
    return f"><title>{escape(visible(text), quote=False)}</title></circle>"


def _places(values: pd.DataFrame, drawn: Figure) -> pd.DataFrame:
    """The same in points from the top left corner; what lies outside of its axes is left out."""
    places = values if "panel" in values else values.assign(panel=0)
    found = [
        _in_points(places[places["panel"] == panel], drawn, panel)
        for panel in places["panel"].unique()
    ]
    return pd.concat([places.head(0), *found])


def _in_points(values: pd.DataFrame, drawn: Figure, panel: int) -> pd.DataFrame:
    ax = drawn.axes[panel]
    pixels = ax.transData.transform(values[["x", "y"]].to_numpy(float))
    inside = np.isfinite(pixels).all(axis=1) & [
        ax.bbox.padded(1).contains(x, y) for x, y in np.nan_to_num(pixels)
    ]
    scale = 72 / drawn.dpi
    high = 72 * drawn.get_size_inches()[1]
    x, y = pixels[:, 0] * scale, high - pixels[:, 1] * scale
    return pd.DataFrame(values.assign(x=x, y=y)[inside])
