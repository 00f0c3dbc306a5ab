"""Figures of hyperparameters: errors against one, and pairs of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from study import formats
from study.report.figures.axes import LEARNING_RATE, Axis
from study.report.figures.common import (
    between,
    error_axis,
    legend,
    looks,
    marked,
    targets,
    trial_words,
    values,
)
from study.report.figures.searching import MANY, scatter
from study.report.palette import INK, MUTED, PAPER


def learning_rate(frame: pd.DataFrame, ax: Axes) -> None:
    """Error against learning rate: every trial, the targets, and what is level with the best.

    From ``tables.learning_rates``.
    """
    against(frame, ax, LEARNING_RATE)


def against(frame: pd.DataFrame, ax: Axes, axis: Axis = LEARNING_RATE) -> None:
    """Error against a hyperparameter: every trial, the targets, and what is level with the best.

    From ``tables.against``.
    """
    trials = marked(frame).assign(place=axis.places(frame))
    solid = {"s": 38, "edgecolor": PAPER, "linewidth": 0.5, "zorder": 3}
    scatter(trials, ax, "place", solid)
    ax.set(yscale="log", ylabel="lowest validation error")
    if axis.log:
        ax.set_xscale("log")
    level = trials[trials["level_with_best"]]
    if not axis.choices:
        for model, group in level.groupby("model", observed=True):
            _box(ax, axis, group, looks(frame["model"])[str(model)].colour)
    axis.apply(ax, "x", trials["place"])
    error_axis(ax, trials["height"], frame)
    targets(ax, frame)
    shaded: list[Line2D | Patch] = [
        Patch(facecolor=MUTED, alpha=0.3, label="level with the best"),
    ]
    legend(ax, frame, [] if axis.choices else shaded)


def against_values(frame: pd.DataFrame, axis: Axis = LEARNING_RATE) -> pd.DataFrame:
    """What the marks of :func:`against` say, by model and from left to right."""
    trials = marked(frame).assign(place=axis.places(frame)).sort_values(["model", "place"])
    return values(
        (row["place"], row["height"], f"{who}: {axis.words(row)}, error {error}")
        for row in trials.to_dict("records")
        for who, error in [trial_words(row)]
    )


def _box(ax: Axes, axis: Axis, level: pd.DataFrame, colour: str) -> None:
    """Shade the trials that are level with the best: their values and errors."""
    left, right = level["place"].min(), level["place"].max()
    if axis.log:
        left, right = left / 1.12, right * 1.12
    else:
        room = 0.02 * (ax.get_xlim()[1] - ax.get_xlim()[0])
        left, right = left - room, right + room
    low, high = level["height"].min() / 1.03, level["height"].max() * 1.03
    ax.add_patch(
        Rectangle((left, low), right - left, high - low, facecolor=colour, alpha=0.2, lw=0)
    )


def pair(frame: pd.DataFrame, ax: Axes, x: Axis = LEARNING_RATE, y: Axis | None = None) -> None:
    """Two hyperparameters of a model's trials; the darker, the fewer errors.

    From ``tables.pair``; ``y`` is by default the frame's fifth column, on a plain axis.
    """
    y = y or _fifth(frame)
    errors = frame["val_error"].clip(lower=0.5 / frame["n_val"])
    low, high = float(errors.min()), min(float(errors.max()), 4 * float(errors.min())) * 1.001
    across, up = x.places(frame), y.places(frame)
    points = ax.scatter(
        across,
        up,
        c=errors,
        norm=LogNorm(low, high),
        s=42,
        cmap="cividis",
        edgecolor=MUTED,
        linewidth=0.5,
        zorder=3,
        rasterized=len(frame) > MANY,
    )
    rings: list[tuple[pd.Series, dict[str, Any]]] = [
        (frame["outcome"] != "finished", {"marker": "x", "ms": 9}),
        (
            errors == errors[frame["outcome"] != "pruned"].min(),
            {"marker": "o", "ms": 11, "mfc": "none"},
        ),
    ]
    for of, mark in rings:
        ax.plot(across[of], up[of], ls="", mec=INK, mew=1.4, zorder=4, **mark)
    if x.log:
        ax.set_xscale("log")
    y.apply(ax, "y", up)
    x.apply(ax, "x", across)
    bar = ax.figure.colorbar(
        points,
        ax=ax,
        label="lowest validation error",
        pad=0.02,
        extend="max" if errors.max() > high else "neither",
    )
    ticks = between(low, high)
    bar.set_ticks(ticks, labels=[formats.short_percent(tick) for tick in ticks])
    bar.minorticks_off()
    bar.outline.set_visible(False)


def pair_values(
    frame: pd.DataFrame, x: Axis = LEARNING_RATE, y: Axis | None = None
) -> pd.DataFrame:
    """What the marks of :func:`pair` say, from left to right."""
    y = y or _fifth(frame)
    trials = frame.assign(across=x.places(frame), up=y.places(frame)).sort_values("across")
    return values(
        (row["across"], row["up"], f"{who}: {x.words(row)}, {y.words(row)}, error {error}")
        for row in trials.to_dict("records")
        for who, error in [trial_words(row)]
    )


def _fifth(frame: pd.DataFrame) -> Axis:
    return Axis(str(frame.columns[4]), formats.parameter_name(str(frame.columns[4])))
