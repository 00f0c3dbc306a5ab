"""Figures of the winners' weights: as images where the data are images, else by column."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from study.report.figures.common import drawable
from study.report.rendering import INK

BARS = 20  # columns of a table, at most


def linear_weights(frame: pd.DataFrame, ax: Axes) -> None:
    """The linear model's weights as an image, zero white."""
    image = frame.pivot_table(index="row", columns="column", values="weight").to_numpy()
    _diverging(ax, image, "weight")


def unit_weights(frame: pd.DataFrame, ax: Axes) -> None:
    """Hidden units' incoming weights as a sheet of images on one scale, zero white."""
    high, wide = int(frame["row"].max()) + 1, int(frame["column"].max()) + 1
    tiles = frame["weight"].to_numpy().reshape(-1, high, wide)
    columns = min(5, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (high + 2), columns * (wide + 2)), np.nan)
    for place, tile in enumerate(tiles):
        top, left = (high + 2) * (place // columns) + 1, (wide + 2) * (place % columns) + 1
        sheet[top : top + high, left : left + wide] = tile
    _diverging(ax, sheet, "incoming weight")
    for place, outgoing in enumerate(frame["outgoing"].to_numpy()[:: high * wide]):
        spot = (
            (wide + 2) * (place % columns) + 1.5,
            (high + 2) * (place // columns) + 1,
        )
        ax.annotate("+" if outgoing > 0 else "−", spot, color="#1c1d23", va="top", weight="bold")


def _diverging(ax: Axes, image: np.ndarray, label: str) -> None:
    extent = float(np.nanmax(np.abs(image))) or 1.0
    drawn = ax.imshow(image, cmap="PRGn", vmin=-extent, vmax=extent, interpolation="nearest")
    ax.set_axis_off()
    bar = ax.figure.colorbar(drawn, ax=ax, label=label, pad=0.03, shrink=0.85)
    bar.outline.set_visible(False)


def coefficients(frame: pd.DataFrame, ax: Axes) -> None:
    """The linear model's largest weights as bars, a row a column of the table."""
    shown = frame.head(BARS)
    ax.barh(range(len(shown)), shown["weight"], height=0.6, color=_GREEN, edgecolor="none")
    for bar, weight in zip(ax.patches, shown["weight"], strict=True):
        bar.set_facecolor(_GREEN if weight > 0 else _MAUVE)
    ax.axvline(0, color=INK, lw=1)
    ax.set_yticks(range(len(shown)), [drawable(name) for name in shown["column"]])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("weight")


def unit_columns(frame: pd.DataFrame, ax: Axes) -> None:
    """Hidden units' incoming weights as a heat map, a row a column of the table, zero white."""
    units, columns = frame["unit"].unique(), frame["column"].unique()
    image = frame["weight"].to_numpy().reshape(len(units), len(columns)).T
    _diverging(ax, image, "incoming weight")
    ax.set_axis_on()
    ax.set_aspect("auto")
    ax.set_yticks(range(len(columns)), [drawable(name) for name in columns])
    outgoing = frame["outgoing"].to_numpy()[:: len(columns)]
    ax.set_xticks(range(len(units)), ["+" if weight > 0 else "−" for weight in outgoing])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel("hidden units, and what they argue for")


_GREEN, _MAUVE = "#2f7d46", "#8b5fa0"  # as in the images of weights, 3 : 1 on white and on black
