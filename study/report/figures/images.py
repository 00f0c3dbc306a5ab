"""Figures of images: examples of the data, and sheets of captioned pictures."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from study.report.figures.common import drawable, values
from study.report.palette import INK, MUTED
from study.report.pictures import fitting, shown

COLUMNS = 10  # pictures a row of a sheet
SHOWN = 60  # pictures a group: a model that learnt nothing misreads half of all images
_SMALL, _LETTERS = 0.58, 14  # of the font size, and of a line: no wider than a picture's place
_SIDE = 28  # pixels of a picture
_STEP, _LINE, _HEAD, _GAP = 37, 6, 9, 5  # pixels of a sheet: a picture, a line of words, …


def examples(frame: pd.DataFrame, ax: Axes) -> None:
    """Raw and normalised images above one another, all on one colour range."""
    kinds = list(frame["kind"].unique())
    high, wide = int(frame["row"].max()) + 1, int(frame["column"].max()) + 1
    tiles = frame["value"].to_numpy().reshape(len(kinds), -1, high, wide)
    sheet = np.full(((high + 2) * len(kinds), (wide + 2) * tiles.shape[1]), np.nan)
    for (kind, place), tile in _each(tiles):
        top, left = (high + 2) * kind + 1, (wide + 2) * place + 1
        sheet[top : top + high, left : left + wide] = tile
    drawn = ax.imshow(sheet, cmap="cividis", interpolation="none")
    ax.set_yticks([(high + 2) * k + high / 2 + 0.5 for k in range(len(kinds))], kinds)
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    bar = ax.figure.colorbar(drawn, ax=ax, pad=0.02, label="SDs from the mean", shrink=0.95)
    bar.outline.set_visible(False)


def examples_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the images of :func:`examples` say."""
    kinds = list(frame["kind"].unique())
    high, wide = int(frame["row"].max()) + 1, int(frame["column"].max()) + 1
    pictures = frame.drop_duplicates(["kind", "image"])
    each = len(pictures) // len(kinds)
    return values(
        (
            (wide + 2) * (place % each) + wide / 2 + 0.5,
            (high + 2) * (place // each) + high / 2 + 0.5,
            f"image {row['image']}, class {row['class']}, {row['kind']}",
        )
        for place, row in enumerate(pictures.to_dict("records"))
    )


def examples_size(frame: pd.DataFrame, wide: float, high: float) -> tuple[float, float]:
    """Inches of :func:`examples`, with this width, and this height where images are square."""
    ratio = (frame["row"].max() + 1) / (frame["column"].max() + 1) * frame["kind"].nunique() / 2
    return wide, high if ratio == 1 else float(np.clip(high * ratio, 1.3, 5))


def _each(tiles: np.ndarray) -> list[tuple[tuple[int, int], np.ndarray]]:
    return [((k, place), tiles[k, place]) for k, place in np.ndindex(*tiles.shape[:2])]


def pictures(frame: pd.DataFrame, ax: Axes) -> None:
    """A sheet of small captioned images under the headings of their groups.

    From ``tables.misread``, ``tables.predictions`` or ``tables.averages``; of each group the
    first :data:`SHOWN`.
    """
    tiles = {text: fitting(shown(text), _SIDE) for text in frame["pixels"]}
    colours = max(tile.ndim for tile in tiles.values()) - 2
    sheet = np.full((_height(frame), _STEP * COLUMNS, *[3] * colours), 255, np.uint8)
    top = 0
    for group, rows in frame.groupby("group", sort=False):
        ax.text(0, top + 5, _words(group), weight="bold", va="baseline")
        below = top + _HEAD
        for place, row in enumerate(rows.head(SHOWN).to_dict("records")):
            left = _STEP * (place % COLUMNS)
            y = below + _row_height(rows) * (place // COLUMNS)
            tile = tiles[row["pixels"]]
            middle = left + (_SIDE - tile.shape[1]) // 2
            sheet[y : y + tile.shape[0], middle : middle + tile.shape[1]] = tile
            _caption(ax, row["label"], left + 14, y + 29)
        top = below + _group_height(rows)
    extent = (0.0, float(sheet.shape[1]), float(sheet.shape[0]), 0.0)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="none", extent=extent)
    ax.set_axis_off()


def _words(text: object) -> str:
    return " ".join(drawable(word) for word in str(text).split())


def _caption(ax: Axes, label: str, x: float, y: float) -> None:
    size = _SMALL * mpl.rcParams["font.size"]
    for k, (text, colour) in enumerate(_lines(label)):
        ax.text(x, y + _LINE * k, text, ha="center", va="top", size=size, color=colour)


def _lines(label: str) -> list[tuple[str, str]]:
    """A caption's lines, which leave room between pictures, each with its colour."""
    return [
        (line, MUTED if k else INK)
        for k, part in enumerate(label.split("; "))
        for line in textwrap.wrap(_words(part), _LETTERS)
    ]


def _row_height(rows: pd.DataFrame) -> int:
    """Of pictures with as many lines of words as these have."""
    return 30 + _LINE * max(len(_lines(label)) for label in rows["label"])


def _group_height(rows: pd.DataFrame) -> int:
    return _row_height(rows) * -(-min(len(rows), SHOWN) // COLUMNS) + _GAP


def _height(frame: pd.DataFrame) -> int:
    groups = frame.groupby("group", sort=False)
    return sum(_HEAD + _group_height(rows) for _, rows in groups)


def sheet_size(frame: pd.DataFrame) -> tuple[float, float]:
    """Inches, wide and high, of the sheet that :func:`pictures` draws."""
    return 7.6, 0.1 + 7.6 * _height(frame) / (_STEP * COLUMNS)
