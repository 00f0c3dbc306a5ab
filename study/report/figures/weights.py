"""Figures of the winners' weights: as images where the data are images, else by column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from study.report.figures.common import drawable, values
from study.report.palette import GREEN, GRID, INK, MAUVE

BARS = 20  # columns of a table, at most
_SIGNS = LinearSegmentedColormap.from_list(
    "signs", [(0, MAUVE), (0.5, f"{MAUVE}00"), (0.5, f"{GREEN}00"), (1, GREEN)]
)  # a weight of 0 is the paper, light or dark


def linear_weights(frame: pd.DataFrame, ax: Axes) -> None:
    """The linear model's weights as an image, zero as the paper."""
    image = frame.pivot_table(index="row", columns="column", values="weight").to_numpy()
    _diverging(ax, image, "weight")


def unit_weights(frame: pd.DataFrame, ax: Axes) -> None:
    """Hidden units' incoming weights as a sheet of images on one scale, zero as the paper."""
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
        x, y = (wide + 2) * (place % columns) + 0.5, (high + 2) * (place // columns) + 0.5
        ax.add_patch(Rectangle((x, y), wide, high, fill=False, edgecolor=GRID, linewidth=0.8))
        sign = "+" if outgoing > 0 else "−"
        ax.annotate(sign, (x + 1, y + 0.5), color=INK, va="top", weight="bold")


def unit_weights_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the images of :func:`unit_weights` say: a unit each, the largest first."""
    high, wide = int(frame["row"].max()) + 1, int(frame["column"].max()) + 1
    units = frame.drop_duplicates("unit")
    columns = min(5, len(units))
    return values(
        (
            (wide + 2) * (place % columns) + wide / 2 + 0.5,
            (high + 2) * (place // columns) + high / 2 + 0.5,
            f"unit {row['unit']}: outgoing weight {row['outgoing']:+.3g}",
        )
        for place, row in enumerate(units.to_dict("records"))
    )


def _diverging(ax: Axes, image: np.ndarray, label: str) -> None:
    extent = float(np.nanmax(np.abs(image))) or 1.0
    drawn = ax.imshow(image, cmap=_SIGNS, vmin=-extent, vmax=extent, interpolation="none")
    ax.set_axis_off()
    bar = ax.figure.colorbar(drawn, ax=ax, label=label, pad=0.03, shrink=0.85)
    bar.outline.set_visible(False)


def coefficients(frame: pd.DataFrame, ax: Axes) -> None:
    """The linear model's largest weights as bars, a row a column of the table."""
    shown = frame.head(BARS)
    ax.barh(range(len(shown)), shown["weight"], height=0.6, color=GREEN, edgecolor="none")
    for bar, weight in zip(ax.patches, shown["weight"], strict=True):
        bar.set_facecolor(GREEN if weight > 0 else MAUVE)
    ax.axvline(0, color=INK, lw=1)
    ax.set_yticks(range(len(shown)), [drawable(name) for name in shown["column"]])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("weight")


def unit_columns(frame: pd.DataFrame, ax: Axes) -> None:
    """Hidden units' incoming weights as a heat map, a row a column of the table."""
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


def coefficients_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the bars of :func:`coefficients` say, from the top."""
    return values(
        (row["weight"], place, f"{row['column']}: {row['weight']:+.3g}")
        for place, row in enumerate(frame.head(BARS).to_dict("records"))
    )


def unit_columns_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the cells of :func:`unit_columns` say, unit by unit."""
    columns = frame["column"].nunique()
    return values(
        (place // columns, place % columns, _cell(row))
        for place, row in enumerate(frame.to_dict("records"))
    )


def _cell(row: Mapping[Any, Any]) -> str:
    weights = f"{row['column']} {row['weight']:+.3g}, outgoing weight {row['outgoing']:+.3g}"
    return f"unit {row['unit']}: {weights}"
