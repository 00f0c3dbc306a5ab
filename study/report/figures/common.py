"""What the figures share: each model's look, and axes of errors and of learning rates.

A model keeps one colour and one marker everywhere, by its place among the categories of the
column ``model``. The first two colours are Okabe and Ito's orange and blue, changed to stand 3 : 1
against white and against black, and apart in grey. The others stand apart from them and from each
other, in grey too and for each kind of colour blindness (in the model of Machado et al. 2009):
``tests/report/test_palette.py`` says how far.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.optimize import isotonic_regression

from study import formats
from study.report.palette import BLUE, INK, MAGENTA, MUTED, OLIVE, ORANGE, PAPER, PINK, VIOLET

LONGEST = 26  # letters of a name in a figure
OUTCOMES = {"diverged": "X", "pruned": "P"}
_FINE = np.array([0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50]) / 100
_PERCENTS = np.array([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]) / 100


@dataclass(frozen=True)
class Look:
    """How a model is drawn."""

    colour: str
    marker: str


LOOKS = (
    *(Look(ORANGE, "o"), Look(BLUE, "^"), Look(PINK, "D")),
    *(Look(OLIVE, "s"), Look(MAGENTA, "v"), Look(VIOLET, "*")),
)


def looks(models: pd.Series) -> dict[str, Look]:
    """Each model's look; those of plain strings in the order of their appearance."""
    is_categorical = isinstance(models.dtype, pd.CategoricalDtype)
    names = models.cat.categories if is_categorical else models.unique()
    return {str(name): LOOKS[place % len(LOOKS)] for place, name in enumerate(names)}


def present(models: pd.Series) -> list[str]:
    """The models that a frame has rows of, in the order of their looks."""
    there = set(models)
    return [name for name in looks(models) if name in there]


def drawable(name: object) -> str:
    """A name with the letters that the font has, on one line and not too long."""
    text = " ".join(str(name).split())
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    text = "".join(letter if ord(letter) in _letters() else "□" for letter in text)
    return f" {text}" if text.startswith("_") else text  # legends leave out what begins with _


def in_lines(name: object) -> str:
    """The same in lines that leave room beside them."""
    return "\n".join(textwrap.wrap(drawable(name), 13)) or "□"


@lru_cache
def _letters() -> frozenset[int]:
    font: Any = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return frozenset(font.get_charmap())


def marked(frame: pd.DataFrame) -> pd.DataFrame:
    """Add each trial's mark, and its height on a log axis: 0 errors stand at half an image."""
    lowest = 0.5 / frame["n_val"]
    heights = {"height": frame["val_error"].clip(lower=lowest)}
    if "best_so_far" in frame:
        heights["best_height"] = frame["best_so_far"].clip(lower=lowest)
    finished = frame["outcome"] == "finished"
    return frame.assign(
        mark=frame["model"].astype(str).where(finished, frame["outcome"]), **heights
    )


def values(marks: Iterable[tuple[float, float, str]]) -> pd.DataFrame:
    """What marks say: ``x`` and ``y`` in data coordinates, and ``text``, a row a mark."""
    return pd.DataFrame(marks, columns=["x", "y", "text"])


def trial_words(row: Mapping[Any, Any]) -> tuple[str, str]:
    """``Linear model, trial 7`` and ``2.40 % (43 of 1,791), pruned``, of a row of trials."""
    outcome = "" if row["outcome"] == "finished" else f", {row['outcome']}"
    error = formats.error(row["val_errors"], row["n_val"])
    return f"{row['model']}, trial {row['trial']}", f"{error}{outcome}"


def percent_axis(ax: Axes, values: pd.Series) -> None:
    """A plain horizontal axis of errors that holds these values."""
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 0.1 * high or 0.01
    ax.set_xlim(max(low - room, -0.02 * high), high + room)
    ax.xaxis.set_major_formatter(lambda value, _: formats.short_percent(value))


def error_axis(ax: Axes, heights: pd.Series, frame: pd.DataFrame) -> None:
    """Percent ticks on a log axis that holds every error and target; none of 0 can be on it."""
    values = np.concatenate([heights, frame.get("target", heights[:0])]).astype(float)
    positive = values[values > 0]
    low, high = (positive.min(), positive.max()) if len(positive) else (0.01, 0.1)
    ax.set_ylim(low / 1.25, max(high, low * 2) * 1.25)
    ticks = between(low / 1.25, max(high, low * 2) * 1.25)
    ax.set_yticks(ticks, [formats.short_percent(tick) for tick in ticks])
    ax.set_yticks([], minor=True)


def between(low: float, high: float) -> list[float]:
    """Ticks from ``low`` to ``high``; from a finer list where the coarse one has few."""
    coarse = [float(tick) for tick in _PERCENTS if low <= tick <= high]
    return coarse if len(coarse) > 2 else [float(t) for t in _FINE if low <= t <= high]


def inches(ax: Axes) -> tuple[float, float]:
    """The figure's width and height."""
    wide, high = ax.figure.get_size_inches()  # type: ignore[union-attr]
    return float(wide), float(high)


def line() -> float:
    """The height in inches of a line of words beside axes."""
    return 1.6 * float(mpl.rcParams["font.size"]) / 72


def apart(values: Iterable[float], gap: float) -> list[float]:
    """Places as near to these values as can be, in the same order, but this far apart."""
    heights = np.array(list(values))
    order = np.argsort(heights, kind="stable")
    if (np.diff(heights[order]) >= gap).all():
        return [float(height) for height in heights]
    steps = gap * np.arange(len(heights))
    found = np.empty(len(heights))
    found[order] = isotonic_regression(heights[order] - steps).x + steps
    return [float(height) for height in found]


def targets(ax: Axes, frame: pd.DataFrame) -> None:
    """A dashed line a target, named beyond the right edge, where no trial can lie."""
    if "target" not in frame:
        return
    drawn = frame.groupby("target")["model"].agg(lambda models: sorted(set(models.astype(str))))
    heights = [float(str(target)) for target in drawn.index]
    low, high = np.log10(ax.get_ylim())
    gap = 0 if len(drawn) < 3 else (high - low) * line() / inches(ax)[1]
    places = apart(np.log10(heights), gap)
    for height, place, models in zip(heights, places, drawn, strict=True):
        alone = len(models) == 1
        colour = looks(frame["model"])[models[0]].colour if alone else MUTED
        ax.axhline(height, color=colour, lw=1.2, dashes=(4, 3), zorder=1)
        who = f"{in_lines(models[0])}\ntarget" if alone and not gap else "target"
        ax.annotate(
            f"{who} {formats.short_percent(height)}",
            (1, 10**place if gap else height),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color=colour if gap else INK,
        )


def legend(ax: Axes, frame: pd.DataFrame, more: list[Line2D | Patch]) -> None:
    """The models and outcomes in a frame, above the axes."""
    found = {name: looks(frame["model"])[name] for name in present(frame["model"])}
    if "outcome" in frame:
        found |= {k: Look(MUTED, OUTCOMES[k]) for k in OUTCOMES if k in set(frame["outcome"])}
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=look.colour, marker=look.marker, ls="", ms=6, label=drawable(name))
        for name, look in found.items()
    ]
    entries = handles + more
    columns = legend_columns(entries, inches(ax)[0])
    ax.legend(
        handles=entries,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderaxespad=0.2,
        columnspacing=1.2,
    )


def legend_columns(entries: Sequence[Artist], wide: float) -> int:
    """How many columns of a legend fit into so many inches."""
    room = 90 * wide / mpl.rcParams["font.size"]  # letters
    letters = [len(str(entry.get_label())) + 4 for entry in entries]
    columns = max(1, int(len(letters) * min(1, room / sum(letters))))
    while columns > 1 and sum(map(max, np.array_split(letters, columns))) > 1.1 * room:
        columns -= 1
    return columns


def model_rows(ax: Axes, names: list[str]) -> None:
    """A horizontal row a model, the first on top, named at the left."""
    ax.set_yticks(range(len(names)), [in_lines(name) for name in names], weight="bold")
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")


ON_PAPER: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
RING: dict[str, Any] = {"marker": "o", "mfc": "none", "mec": INK, "mew": 1.4, "ls": ""}
