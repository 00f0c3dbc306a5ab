"""Figures of the winners' training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from study import formats
from study.report.figures.common import looks
from study.report.rendering import MUTED, PAPER

_PERCENTS = np.array([1, 2, 5, 10, 20, 50, 100]) / 100


def on_common_scales(
    curves: pd.DataFrame,
) -> list[tuple[str, Callable[[pd.DataFrame, Axes], None]]]:
    """:func:`loss` and :func:`error` with the axes that hold all of these curves."""
    names = ["train_loss", "val_loss", "val_loss_low", "val_loss_high"]
    losses = curves[names].to_numpy()
    seen = losses[np.isfinite(losses) & (losses > 0)]
    low, high = (seen.min(), seen.max()) if len(seen) else (0.1, 1.0)
    top = float(curves[["train_error", "val_error", "val_error_high"]].max().max())
    return [
        ("loss", partial(loss, limits=(low / 1.3, high * 1.3))),
        ("error", partial(error, limits=(0, max(top * 1.05, 0.01)))),
    ]


def loss(frame: pd.DataFrame, ax: Axes, limits: tuple[float, float] | None = None) -> None:
    """A winner's loss on training batches and validation images, from ``tables.curves``."""
    _curve(frame, ax, "loss")
    ax.set(yscale="log", ylabel="loss (cross-entropy)", ylim=limits)
    coarse, fine = (_within(*ax.get_ylim(), digits) for digits in ((1, 3), (1, 2, 3, 5, 7)))
    ticks = coarse if len(coarse) > 2 else fine
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)


def _within(low: float, high: float, digits: Sequence[int]) -> list[float]:
    """These digits times the powers of ten, between the ends of a log axis."""
    ticks = [digit * 10.0**e for e in range(-9, 9) for digit in digits]
    return [tick for tick in ticks if low < tick < high]


def error(frame: pd.DataFrame, ax: Axes, limits: tuple[float, float] | None = None) -> None:
    """A winner's error on training batches and validation images, from ``tables.curves``.

    On a root scale, which gives small errors room and has a place for 0.
    """
    _curve(frame, ax, "error")
    ax.set_yscale("function", functions=(_root, np.square))
    ax.set(ylim=limits, ylabel="error (root scale)")
    high = ax.get_ylim()[1]
    ticks = [0.0, *(float(tick) for tick in _PERCENTS if tick <= high)]
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
        "o",
        ms=8,
        mfc=PAPER,
        mec=colour,
        mew=1.8,
        ls="",
        label="best step",
    )
    ax.set_xlabel("training step")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(-0.12, 1),
        ncols=4,
        borderaxespad=0.2,
        columnspacing=0.9,
        handlelength=1.3,
    )
