"""Figures of the winners' training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from study import formats
from study.report.figures.common import drawable, inches, legend_columns, looks, present
from study.report.palette import INK, MUTED, PAPER

WIDE = 5  # inches, from which on the two panels of a model stand side by side
MOST = 250  # marks of a curve that say their values
_BEST: dict[str, Any] = {"marker": "o", "ms": 8, "mfc": PAPER, "mew": 1.8, "ls": ""}
_PERCENTS = np.array([1, 2, 5, 10, 20, 50, 100]) / 100


def curves(frame: pd.DataFrame, ax: Axes) -> None:
    """The winners' learning curves from ``tables.curves``: of each model the loss, and the error.

    In the place of the ``Axes``, which has to be of a grid, as those of ``Figure.subplots`` are.
    """
    place, figure = ax.get_subplotspec(), ax.figure
    models = present(frame["model"])
    columns = 2 if inches(ax)[0] >= WIDE else 1
    assert isinstance(place, SubplotSpec)
    ax.remove()
    grid = place.subgridspec(2 * len(models) // columns, columns)
    panels = [figure.add_subplot(grid[k]) for k in range(2 * len(models))]
    for k, model in enumerate(models):
        own = frame[frame["model"] == model]
        draw_in = {"loss": _loss, "error": _error}
        for panel, (what, draw) in zip(panels[2 * k :], draw_in.items(), strict=False):
            draw(own, panel)
            panel.set_title(f"{drawable(model)}: {what}", loc="left", weight="bold")
    found = _entries(frame)
    fitting = legend_columns(found, inches(panels[0])[0])
    figure.legend(handles=found, loc="outside upper left", ncols=fitting)


def _entries(frame: pd.DataFrame) -> list[Artist]:
    """What the curves of any model are, in no model's colour."""
    band = [Patch(facecolor=MUTED, alpha=0.3, label="fresh seeds")]
    return [
        *(band if frame["val_loss_low"].notna().any() else []),
        Line2D([], [], color=MUTED, lw=0.8, label="training (batch)"),
        Line2D([], [], color=INK, lw=1.5, label="validation"),
        Line2D([], [], **_BEST, mec=INK, label="best step"),
    ]


def curves_values(frame: pd.DataFrame) -> pd.DataFrame:
    """What the curves of :func:`curves` say, panel by panel and step by step."""
    parts = [
        _values(frame[frame["model"] == model], what).assign(panel=2 * k + place)
        for k, model in enumerate(present(frame["model"]))
        for place, what in enumerate(("loss", "error"))
    ]
    return pd.concat(parts, ignore_index=True)


def _values(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Of one panel: the best step, and of a long curve every k-th."""
    shown = (np.arange(len(frame)) % -(-len(frame) // MOST) == 0) | frame["best"]
    return pd.DataFrame(
        {
            "x": row["step"],
            "y": row[f"val_{what}"],
            "text": f"{row['model']}, step {row['step']:,}: {', '.join(_said(row, what))}",
        }
        for row in frame[shown].to_dict("records")
    )


def _said(row: Mapping[Any, Any], what: str) -> Iterator[str]:
    number = formats.percent if what == "error" else "{:.3g}".format
    yield f"validation {what} {number(row[f'val_{what}'])}"
    yield f"training batch {number(row[f'train_{what}'])}"
    low, high = row[f"val_{what}_low"], row[f"val_{what}_high"]
    if np.isfinite([low, high]).all():
        yield f"fresh seeds {number(low)} to {number(high)}"
    if row["best"]:
        yield "best step"


def loss(frame: pd.DataFrame, ax: Axes) -> None:
    """A winner's loss on training batches and validation images, from ``tables.curves``."""
    _loss(frame, ax)
    _legend(ax)


def _loss(frame: pd.DataFrame, ax: Axes) -> None:
    _curve(frame, ax, "loss")
    ax.set(yscale="log", ylabel="loss (cross-entropy)")
    coarse, fine = (_within(*ax.get_ylim(), digits) for digits in ((1, 3), (1, 2, 3, 5, 7)))
    ticks = coarse if len(coarse) > 2 else fine
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)


def _within(low: float, high: float, digits: Sequence[int]) -> list[float]:
    """These digits times the powers of ten, between the ends of a log axis."""
    ticks = [digit * 10.0**e for e in range(-9, 9) for digit in digits]
    return [tick for tick in ticks if low < tick < high]


def error(frame: pd.DataFrame, ax: Axes) -> None:
    """A winner's error on training batches and validation images, from ``tables.curves``.

    Its axis gives small errors room and has a place for 0: heights are square roots.
    """
    _error(frame, ax)
    _legend(ax)


def _error(frame: pd.DataFrame, ax: Axes) -> None:
    _curve(frame, ax, "error")
    top = frame[["train_error", "val_error", "val_error_high"]].max().max()
    ax.set_yscale("function", functions=(_root, np.square))
    ax.set(ylim=(0, max(1.05 * float(top), 0.01)), ylabel="error")
    high = ax.get_ylim()[1]
    ticks = [0.0]
    for tick in _PERCENTS[high >= _PERCENTS]:
        if np.sqrt(tick) - np.sqrt(ticks[-1]) > 0.09 * np.sqrt(high):  # room for a number
            ticks.append(float(tick))
    ax.set_yticks(ticks, [formats.short_percent(tick) for tick in ticks])


def _root(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.maximum(values, 0)))


def _curve(frame: pd.DataFrame, ax: Axes, quantity: str) -> None:
    colour = looks(frame["model"])[str(frame["model"].iloc[0])].colour
    ends = frame[[f"val_{quantity}_low", f"val_{quantity}_high"]].to_numpy(float).T
    if np.isfinite(ends).any():
        ax.fill_between(frame["step"], *ends, color=colour, alpha=0.25, lw=0, label="fresh seeds")
    ax.plot(
        frame["step"],
        frame[f"train_{quantity}"],
        color=MUTED,
        lw=0.8,
        alpha=0.8,
        label="training (batch)",
    )
    ax.plot(frame["step"], frame[f"val_{quantity}"], color=colour, lw=1.5, label="validation")
    best = frame[frame["best"]]
    ax.plot(
        best["step"],
        best[f"val_{quantity}"],
        mec=colour,
        **_BEST,
        label="best step",
    )
    if quantity == "error" and "target" in frame and pd.notna(target := frame["target"].iloc[0]):
        _target(ax, float(target))
    ax.set_xlabel("training step")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _legend(ax: Axes) -> None:
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(-0.12, 1),
        ncols=4,
        borderaxespad=0.2,
        columnspacing=0.9,
        handlelength=1.3,
    )


def _target(ax: Axes, target: float) -> None:
    ax.axhline(target, color=INK, lw=1.2, dashes=(4, 3))
    ax.annotate(
        f"target\n{formats.short_percent(target)}",
        (1, target),
        (4, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
    )
