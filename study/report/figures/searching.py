"""Figures of the searches."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

from study.report.figures.axes import rate_axis
from study.report.figures.common import (
    OUTCOMES,
    error_axis,
    legend,
    looks,
    marked,
    model_rows,
    targets,
)
from study.report.rendering import MUTED

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


def expected_trials(frame: pd.DataFrame, ax: Axes) -> None:
    """The expected lowest error against the number of trials, from ``tables.expected``."""
    _expected(frame, ax, "trials")
    ax.set_xlabel("trials")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


def expected_seconds(frame: pd.DataFrame, ax: Axes) -> None:
    """The expected lowest error against training time, from ``tables.expected``."""
    _expected(frame, ax, "seconds")
    ax.set(xscale="log", xlabel="training time, seconds")
    rate_axis(ax)


def _expected(frame: pd.DataFrame, ax: Axes, x: str) -> None:
    lowest = 0.5 / frame["n_val"]
    heights = frame.assign(height=frame["expected_error"].clip(lower=lowest))
    for model, group in heights.groupby("model", observed=True):
        look = looks(frame["model"])[str(model)]
        ax.plot(group[x], group["height"], color=look.colour, marker=look.marker, ms=4, lw=1.8)
    ax.set(yscale="log", ylabel="expected lowest validation error")
    error_axis(ax, heights["height"], frame)
    targets(ax, frame)
    legend(ax, frame, [])


def importance(frame: pd.DataFrame, ax: Axes) -> None:
    """How much of what decides the error lies with each hyperparameter."""
    for place, row in enumerate(frame.to_dict("records")):
        colour, share = looks(frame["model"])[row["model"]].colour, row["importance"]
        ax.barh(place, share, height=0.55, color=colour)
        ax.annotate(
            f"{100 * share:.0f} %",
            (share, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            weight="bold",
        )
    model_rows(ax, list(frame["parameter"]))
    ax.set(xlim=(0, 1.1), xlabel="share of the importance")
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
