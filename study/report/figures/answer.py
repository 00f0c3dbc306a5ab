"""The figure of the first screen."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from study import formats
from study.report.figures.common import ON_PAPER, looks, model_rows, values
from study.report.palette import INK, MUTED, PAPER
from study.report.tables.answer import HELD_OUT, VALIDATION


def answer(frame: pd.DataFrame, ax: Axes) -> None:
    """Each model's error with its 95 % interval, and the target of its own search.

    Once it is confirmed, the error is that on held-out images, and the lowest validation error of
    the study's own search is a hollow mark beside it.
    """
    confirmed = bool((frame["on"] == HELD_OUT).any())
    shown = HELD_OUT if confirmed else VALIDATION
    models = list(dict.fromkeys(frame["model"]))
    for row in frame.to_dict("records"):
        look, place = looks(frame["model"])[row["model"]], models.index(row["model"])
        error = row["error"]
        if row["on"] != shown:
            ax.plot(error, place, look.marker, mfc=PAPER, mec=look.colour, ms=6)
        else:
            ends = [row["lower"], row["upper"]]
            ax.plot(ends, [place] * 2, color=look.colour, lw=7, alpha=0.3, solid_capstyle="butt")
            ax.plot(error, place, look.marker, color=look.colour, ms=9)
            _named(ax, formats.percent(error), (error, place + 0.2), -2, "top", weight="bold")
        if pd.notna(row.get("target")):
            _target(ax, row["target"], place)
    model_rows(ax, models)
    ax.set_ylim(len(models) - 0.3, -0.7)
    _errors_axis(ax, frame, shown)
    ax.set_xlabel(
        "filled: held-out error, 95 % interval\nhollow: lowest validation error"
        if confirmed
        else "validation error, 95 % interval"
    )


def answer_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the marks of :func:`answer` say."""
    models = list(dict.fromkeys(frame["model"]))
    marks: list[tuple[float, float, str]] = []
    for row in sorted(frame.to_dict("records"), key=lambda row: models.index(row["model"])):
        place, model = models.index(row["model"]), row["model"]
        kind = "error on held-out data" if row["on"] == HELD_OUT else "lowest validation error"
        ends = f"{formats.percent(row['lower'])} to {formats.percent(row['upper'])}"
        said = f"{model}: {kind} {formats.percent(row['error'])}, 95 % interval {ends}"
        marks.append((row["error"], place, said))
        if pd.notna(target := row.get("target")):
            marks.append((target, place, f"{model}: target {formats.short_percent(target)}"))
    return values(marks)


def _errors_axis(ax: Axes, frame: pd.DataFrame, shown: str) -> None:
    """From 0 to the highest of all errors, targets, and ends of the intervals that are drawn."""
    ends = frame["upper"].where(frame["on"] == shown, frame["error"])
    top = max(ends.max(), frame["target"].max() if "target" in frame else 0)
    ax.set_xlim(0, 1.08 * float(top) or 0.01)
    ax.xaxis.set_major_formatter(lambda value, _: formats.short_percent(value))


def _target(ax: Axes, target: float, place: int) -> None:
    ax.plot([target] * 2, [place - 0.3, place + 0.3], color=INK, lw=1.6)
    named = f"target {formats.short_percent(target)}"
    _named(ax, named, (target, place - 0.3), 2, "bottom", color=MUTED)


def _named(
    ax: Axes, text: str, spot: tuple[float, float], up: float, va: str, **font: object
) -> None:
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": va, **font}
    ax.annotate(text, spot, (0, up), bbox=ON_PAPER, **style)
