"""Figures of errors by class."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from study import formats
from study.report.figures.common import between, legend, looks, values
from study.report.palette import MUTED

DECADES = [10.0**power for power in range(-6, 1)]
SIDES = {"x": ("first_taken_for_second", "n_first"), "y": ("second_taken_for_first", "n_second")}


def thresholds(frame: pd.DataFrame, ax: Axes, *, first: str, second: str) -> None:
    """Both kinds of errors at every threshold, both axes logarithmic: a DET curve.

    The ROC curve, drawn by errors so that small ones can be told apart (Martin et al. 1997,
    *The DET curve in assessment of detection task performance*). Lower and further left is
    better. The mark is the threshold of one half.

    Args:
        frame: From ``tables.thresholds``.
        ax: The axes.
        first: The first class, as a reader knows it.
        second: The second one.
    """
    placed = _placed(frame)
    for model, group in placed.groupby("model", observed=True):
        look = looks(frame["model"])[str(model)]
        mark = group[group["is_half"]]
        ax.plot(group["x"], group["y"], color=look.colour, lw=2)
        ax.plot(mark["x"], mark["y"], look.marker, color=look.colour, ms=9)
    ax.set(xscale="log", yscale="log")
    for axis, side in ((ax.xaxis, "x"), (ax.yaxis, "y")):
        low = float(placed[side].min()) / 1.25
        decades = [tick for tick in DECADES if tick >= low]
        ticks = decades if len(decades) > 2 else between(low, 1)
        ax.set(**{f"{side}lim": (low, 1.25)})
        axis.set_ticks(ticks, [formats.short_percent(tick) for tick in ticks])
        axis.set_ticks([], minor=True)
    ax.set(xlabel=f"{first} taken for {second}", ylabel=f"{second} taken for {first}")
    half = Line2D([], [], color=MUTED, marker="o", ls="", ms=9, label="threshold one half")
    legend(ax, frame, [half])


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    """Add where each point lies: 0 errors stand at half an image."""
    return frame.assign(
        **{side: frame[errors].clip(lower=0.5) / frame[n] for side, (errors, n) in SIDES.items()}
    )


def thresholds_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the marks of :func:`thresholds` say, by model and from the highest threshold on."""
    return values(
        (
            row["x"],
            row["y"],
            f"{row['model']}, threshold {formats.percent(row['threshold'])}: the errors are"
            f" {formats.error(row['first_taken_for_second'], row['n_first'])} and"
            f" {formats.error(row['second_taken_for_first'], row['n_second'])}",
        )
        for row in _placed(frame).to_dict("records")
    )
