"""Figures of the searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

from study import formats
from study.report.figures.common import (
    OUTCOMES,
    error_axis,
    legend,
    looks,
    marked,
    targets,
    trial_words,
    values,
)
from study.report.palette import MUTED

MANY = 500  # points, from which on they are pixels in an SVG: as paths they take megabytes


def scatter(trials: pd.DataFrame, ax: Axes, x: str, options: dict[str, Any]) -> None:
    """Every trial of :func:`study.report.figures.common.marked` in its model's look."""
    found = looks(trials["model"])
    markers = {name: _marker(look.marker) for name, look in found.items()} | OUTCOMES
    ax.set(xlabel=x, ylabel="height")  # to name axes without names, seaborn lays out all ticks
    sns.scatterplot(
        trials,
        x=x,
        y="height",
        hue="model",
        style="mark",
        markers=markers,
        palette={name: look.colour for name, look in found.items()},
        legend=False,
        ax=ax,
        rasterized=len(trials) > MANY,
        **options,
    )


def _marker(name: str) -> str | MarkerStyle:
    """A star, too, as large as the other marks look."""
    return MarkerStyle(name, transform=Affine2D().scale(1.4)) if name == "*" else name


def history(frame: pd.DataFrame, ax: Axes) -> None:
    """Every trial's error in order, and the best so far."""
    trials = marked(frame)
    scatter(trials, ax, "trial", {"s": 24, "alpha": 0.55, "linewidth": 0})
    sns.lineplot(
        trials,
        x="trial",
        y="best_height",
        hue="model",
        estimator=None,
        palette={name: look.colour for name, look in looks(frame["model"]).items()},
        drawstyle="steps-post",
        linewidth=2,
        legend=False,
        ax=ax,
    )
    last = float(frame["trial"].max())
    ax.set(yscale="log", xlabel="trial", ylabel="lowest validation error")
    ax.set_xlim(-0.5 - 0.03 * last, 0.5 + 1.03 * last)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    error_axis(ax, trials["height"], frame)
    targets(ax, frame)
    legend(ax, frame, [Line2D([], [], color=MUTED, lw=2, label="best so far")])


def history_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the marks of :func:`history` say, by model and in order."""
    return values(
        (row["trial"], row["height"], f"{who}: error {error}{_best(row)}")
        for row in marked(frame).sort_values(["model", "trial"]).to_dict("records")
        for who, error in [trial_words(row)]
    )


def _best(row: Mapping[Any, Any]) -> str:
    best = row["best_so_far"]
    return "" if pd.isna(best) else f"; best so far {formats.percent(best)}"


def expected_trials(frame: pd.DataFrame, ax: Axes) -> None:
    """The expected lowest error against the number of trials, from ``tables.expected``."""
    heights = _expected(frame)
    for model, group in heights.groupby("model", observed=True):
        look = looks(frame["model"])[str(model)]
        ax.plot(group["trials"], group["height"], color=look.colour, marker=look.marker, ms=4)
    ax.set(yscale="log", xlabel="trials", ylabel="expected lowest validation error")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    error_axis(ax, heights["height"], frame)
    targets(ax, frame)
    legend(ax, frame, [])


def expected_trials_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the marks of :func:`expected_trials` say, by model and in order."""
    return values(
        (
            row["trials"],
            row["height"],
            f"{row['model']}: {formats.plural(row['trials'], 'trial')},"
            f" {formats.seconds(row['seconds'])}: expected lowest error"
            f" {formats.percent(row['expected_error'])}",
        )
        for row in _expected(frame).to_dict("records")
    )


def _expected(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(height=frame["expected_error"].clip(lower=0.5 / frame["n_val"]))
