"""Figures of the confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from study import formats
from study.report.figures.common import (
    RING,
    apart,
    in_lines,
    inches,
    legend,
    line,
    looks,
    percent_axis,
    present,
    values,
)
from study.report.palette import INK, MUTED

WHEN = {"val_error": "best step", "final_error": "last step"}


def replicates(frame: pd.DataFrame, ax: Axes) -> None:
    """The best trial's configuration on fresh seeds, a dot a seed; the search's own ringed.

    A ring at the left edge of its dots was a lucky draw of weights and batches.
    """
    rows = list(_rows(frame))
    for row in rows:
        look = looks(frame["model"])[row.model]
        ax.plot(row.errors, row.heights, look.marker, color=look.colour, ms=5, alpha=0.75)
        ax.plot(row.own, row.place + 0.3, **RING, ms=7)
    ax.set_yticks(range(len(rows)), [f"{in_lines(row.model)}\n{row.when}" for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.9)
    percent_axis(ax, pd.concat([frame["val_error"], frame["final_error"]]))
    ax.set_xlabel("validation error")
    legend(ax, frame, [Line2D([], [], **RING, ms=7, label="the search’s best trial")])


def replicates_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the marks of :func:`replicates` say, row by row and from left to right."""
    marks: list[tuple[float, float, str]] = []
    for row in _rows(frame):
        who = f"{row.model}, {row.when}"
        marks += [
            (error, height, f"{who}: {formats.percent(error)} on fresh seed {seed}")
            for error, height, seed in sorted(zip(row.errors, row.heights, row.seeds, strict=True))
        ]
        ring = f"{who}: {formats.percent(row.own)}, the search’s best trial"
        marks.append((row.own, row.place + 0.3, ring))
    return values(marks)


@dataclass(frozen=True)
class _Row:
    """One row of :func:`replicates`: a model's errors at one step of its trainings."""

    model: str
    when: str
    place: int
    errors: pd.Series
    heights: np.ndarray
    seeds: pd.Series
    own: float  # the search's best trial


def _rows(frame: pd.DataFrame) -> Iterator[_Row]:
    place = 0
    for model in present(frame["model"]):
        own = frame[(frame["model"] == model) & frame["of_best"]]
        for column, when in WHEN.items():
            heights = place - 0.11 * _stacked(own[column])
            search = float(own[f"search_{column}"].iloc[0])
            yield _Row(model, when, place, own[column], heights, own["replicate"], search)
            place += 1


def _stacked(values: pd.Series) -> np.ndarray:
    """How many equal values come before each: dots at one place form a heap."""
    return values.groupby(values).cumcount().to_numpy()


def splits(frame: pd.DataFrame, ax: Axes) -> None:
    """What each split's search chose by, and what it was worth: a line a split."""
    ends = ["val_error", "holdout_error"]
    top = 1.1 * float(frame[ends].max().max()) or 0.01
    means = frame.groupby("model", observed=True)[ends].mean()
    gap = top * line() / inches(ax)[1]
    named = {end: dict(zip(means.index, apart(means[end], gap), strict=True)) for end in ends}
    for model, group in frame.groupby("model", observed=True):
        look = looks(frame["model"])[str(model)]
        pairs = group[["val_error", "holdout_error"]].to_numpy().T
        ax.plot([0, 1], pairs, color=look.colour, lw=1, alpha=0.55, marker=look.marker, ms=5)
        mean = pairs.mean(axis=1)
        ax.plot([0, 1], mean, color=look.colour, lw=3)
        for side, end in enumerate(ends):
            ax.annotate(
                formats.percent(mean[side]),
                (side, named[end][model]),
                (8 * (2 * side - 1), 0),
                textcoords="offset points",
                va="center",
                ha="right" if side == 0 else "left",
                weight="bold",
                color=INK if len(means) < 3 else look.colour,
            )
    ax.set_xticks([0, 1], ["lowest on validation:\nchosen by it", "held out:\nseen once"])
    ax.set_xlim(-0.45, 1.45)
    ax.set_ylim(0, top)
    ax.yaxis.set_major_formatter(lambda value, _: formats.short_percent(value))
    ax.set_ylabel("error")
    ax.grid(visible=False, axis="x")
    legend(ax, frame, [Line2D([], [], color=MUTED, lw=3, label="mean")])


def splits_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the marks of :func:`splits` say: a model's splits, then their mean."""
    marks: list[tuple[float, float, str]] = []
    ends = {"val_error": "lowest on validation", "holdout_error": "held out"}
    for model, group in frame.groupby("model", observed=True):
        for side, (end, where) in enumerate(ends.items()):
            marks += [
                (
                    side,
                    row[end],
                    f"{model}, split {row['split']}: {where} {formats.percent(row[end])}",
                )
                for row in group.to_dict("records")
            ]
            mean = float(group[end].mean())
            marks.append((side, mean, f"{model}, mean: {where} {formats.percent(mean)}"))
    return values(marks)
