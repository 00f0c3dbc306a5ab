"""Figures of the confirmation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from study import formats
from study.report.figures.common import RING, in_lines, legend, looks, percent_axis, present
from study.report.rendering import INK, MUTED

WHEN = {"val_error": "best step", "final_error": "last step"}


def replicates(frame: pd.DataFrame, ax: Axes) -> None:
    """The best trial's configuration on fresh seeds, a dot a seed; the search's own ringed.

    A ring at the left edge of its dots was a lucky draw of weights and batches.
    """
    names: list[str] = []
    for model in present(frame["model"]):
        own = frame[(frame["model"] == model) & frame["of_best"]]
        look = looks(frame["model"])[model]
        for column, when in WHEN.items():
            place = len(names)
            heights = place - 0.11 * _stacked(own[column])
            ax.plot(own[column], heights, look.marker, color=look.colour, ms=5, alpha=0.75)
            ax.plot(own[f"search_{column}"].iloc[0], place + 0.3, **RING, ms=7)
            names.append(f"{in_lines(model)}\n{when}")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.9)
    percent_axis(ax, pd.concat([frame["val_error"], frame["final_error"]]))
    ax.set_xlabel("validation error")
    legend(ax, frame, [Line2D([], [], **RING, ms=7, label="the search’s best trial")])


def _stacked(values: pd.Series) -> np.ndarray:
    """How many equal values come before each: dots at one place form a heap."""
    return values.groupby(values).cumcount().to_numpy()


def splits(frame: pd.DataFrame, ax: Axes) -> None:
    """What each resampled search chose by, and what it was worth: a line a split."""
    for model, group in frame.groupby("model", observed=True):
        look = looks(frame["model"])[str(model)]
        pairs = group[["val_error", "holdout_error"]].to_numpy().T
        ax.plot([0, 1], pairs, color=look.colour, lw=1, alpha=0.55, marker=look.marker, ms=5)
        means = pairs.mean(axis=1)
        ax.plot([0, 1], means, color=look.colour, lw=3)
        for side, mean in enumerate(means):
            ax.annotate(
                formats.percent(mean),
                (side, mean),
                (8 * (2 * side - 1), 0),
                textcoords="offset points",
                va="center",
                ha="right" if side == 0 else "left",
                weight="bold",
            )
    ax.set_xticks([0, 1], ["lowest on validation:\nchosen by it", "on the holdout:\nseen once"])
    ax.set_xlim(-0.45, 1.45)
    high = float(frame[["val_error", "holdout_error"]].max().max())
    ax.set_ylim(0, 1.1 * high or 0.01)
    ax.yaxis.set_major_formatter(lambda value, _: formats.short_percent(value))
    ax.set_ylabel("error")
    ax.grid(visible=False, axis="x")
    legend(ax, frame, [Line2D([], [], color=MUTED, lw=3, label="mean")])


def outperforming(frame: pd.DataFrame, ax: Axes) -> None:
    """The probability that the leader errs less on a fresh seed, against ½ and ¾."""
    [row] = frame.to_dict("records")
    look = looks(frame["model"])[row["model"]]
    for place, name in ((0.5, "½"), (0.75, "¾")):
        ax.axvline(place, color=INK, lw=1.2, dashes=(4, 3))
        ax.annotate(
            name,
            (place, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="bottom",
        )
    ends = [row["lower"], row["upper"]]
    ax.plot(ends, [0, 0], color=look.colour, lw=7, alpha=0.3, solid_capstyle="butt")
    ax.plot(row["probability"], 0, look.marker, color=look.colour, ms=9, clip_on=False)
    ax.annotate(
        f"{row['probability']:.2f}",
        (row["probability"], 0),
        (0, -9),
        va="top",
        textcoords="offset points",
        ha="center",
        weight="bold",
    )
    ax.set(xlim=(0, 1.02), ylim=(-1, 1), yticks=[])
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_xlabel("probability of erring less")
