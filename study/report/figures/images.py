"""Figures of images: examples of the data, and sheets of captioned pictures."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from study.report.figures.common import drawable
from study.report.rendering import INK, MUTED

COLUMNS = 10  # pictures a row of a sheet
SHOWN = 60  # pictures a group: a model that learnt nothing misreads half of all images
_STEP, _LINE, _HEAD, _GAP = 37, 6, 9, 5  # pixels of a sheet: a picture, a line of words, …


def examples(frame: pd.DataFrame, ax: Axes) -> None:
    """Raw and normalised images above one another, all on one colour range."""
    kinds = list(frame["kind"].unique())
    tiles = frame["value"].to_numpy().reshape(len(kinds), -1, 28, 28)
    sheet = np.full((30 * len(kinds), 30 * tiles.shape[1]), np.nan)
    for (kind, place), tile in _each(tiles):
        sheet[30 * kind + 1 : 30 * kind + 29, 30 * place + 1 : 30 * place + 29] = tile
    drawn = ax.imshow(sheet, cmap="cividis", interpolation="nearest")
    ax.set_yticks([30 * k + 14.5 for k in range(len(kinds))], kinds)
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    bar = ax.figure.colorbar(drawn, ax=ax, pad=0.02, label="SDs from the mean", shrink=0.95)
    bar.outline.set_visible(False)


def _each(tiles: np.ndarray) -> list[tuple[tuple[int, int], np.ndarray]]:
    return [((k, place), tiles[k, place]) for k, place in np.ndindex(*tiles.shape[:2])]


def pictures(frame: pd.DataFrame, ax: Axes) -> None:
    """A sheet of small captioned images under the headings of their groups.

    From ``tables.misread``, ``tables.predictions`` or ``tables.averages``; of each group the
    first :data:`SHOWN`.
    """
    sheet = np.full((_height(frame), _STEP * COLUMNS), 255, np.uint8)
    top = 0
    for group, rows in frame.groupby("group", sort=False):
        ax.text(0, top + 5, _words(group), weight="bold", size=9, va="baseline")
        below = top + _HEAD
        for place, row in enumerate(rows.head(SHOWN).to_dict("records")):
            left = _STEP * (place % COLUMNS)
            y = below + _row_height(rows) * (place // COLUMNS)
            tile = np.frombuffer(bytes.fromhex(row["pixels"]), np.uint8).reshape(28, 28)
            sheet[y : y + 28, left : left + 28] = 255 - tile
            _caption(ax, row["label"].split("; "), left + 14, y + 29)
        top = below + _group_height(rows)
    extent = (0.0, float(sheet.shape[1]), float(sheet.shape[0]), 0.0)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=extent)
    ax.set_axis_off()


def _words(text: object) -> str:
    return " ".join(drawable(word) for word in str(text).split())


def _caption(ax: Axes, lines: list[str], x: float, y: float) -> None:
    for k, line in enumerate(lines):
        text = textwrap.shorten(_words(line), 24, placeholder="…")
        colour = MUTED if k else INK
        ax.text(x, y + _LINE * k, text, ha="center", va="top", size=5.2, color=colour)


def _row_height(rows: pd.DataFrame) -> int:
    """Of pictures with as many lines of words as these have."""
    return 30 + _LINE * (1 + int(rows["label"].str.count("; ").max()))


def _group_height(rows: pd.DataFrame) -> int:
    return _row_height(rows) * -(-min(len(rows), SHOWN) // COLUMNS) + _GAP


def _height(frame: pd.DataFrame) -> int:
    groups = frame.groupby("group", sort=False)
    return sum(_HEAD + _group_height(rows) for _, rows in groups)


def sheet_size(frame: pd.DataFrame) -> tuple[float, float]:
    """Inches, wide and high, of the sheet that :func:`pictures` draws."""
    return 7.6, 0.1 + 7.6 * _height(frame) / (_STEP * COLUMNS)
