"""The figures: plain functions that draw a data frame onto an ``Axes``.

Each takes the frame that the function of the same name in ``tables`` returns. The two models
keep one colour and one marker everywhere; the colours are Okabe and Ito's orange and blue,
darkened to stand 3 : 1 against white and against black, and apart in grey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from study.report import words
from study.report.drawing import INK, MUTED, PAPER

COLOURS = {"linear": "#cc7a00", "mlp": "#0b69b0"}
MARKERS = {"linear": "o", "mlp": "^", "diverged": "X", "pruned": "P"}
TITLES = {"linear": "Linear", "mlp": "MLP"}
_FINE = np.array([0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50]) / 100
_PERCENTS = np.array([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]) / 100


def answer(frame: pd.DataFrame, ax: Axes) -> None:
    """Each winner's error, its 95 % interval, and its target."""
    on_paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
    beside: dict[str, Any] = {"ha": "center", "textcoords": "offset points", "bbox": on_paper}
    for place, row in enumerate(frame.to_dict("records")):
        colour, target, error = COLOURS[row["model"]], row["target"], row["val_error"]
        ends = [row["wilson_lower"], row["wilson_upper"]]
        ax.plot(ends, [place] * 2, color=colour, lw=7, alpha=0.3, solid_capstyle="butt")
        ax.plot(error, place, MARKERS[row["model"]], color=colour, ms=9)
        ax.plot([target] * 2, [place - 0.3, place + 0.3], color=INK, lw=1.6)
        named = f"target {words.short_percent(target)}"
        ax.annotate(
            named, (target, place - 0.3), (0, 2), va="bottom", size=8, color=MUTED, **beside
        )
        shown = words.percent(error)
        ax.annotate(shown, (error, place + 0.2), (0, -2), va="top", weight="bold", **beside)
    names = [TITLES[model] for model in frame["model"]]
    top = float(frame[["wilson_upper", "target"]].max().max())
    ax.set(xlim=(0, 1.08 * top), ylim=(len(frame) - 0.3, -0.7), yticks=range(len(frame)))
    ax.set_yticklabels(names, weight="bold", size=10)
    ax.set_xlabel("validation error, with its 95 % Wilson interval")
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(lambda value, _: words.short_percent(value))


def learning_rate(frame: pd.DataFrame, ax: Axes) -> None:
    """Error against learning rate: every trial, the targets, and what is level with the best."""
    marked = _marked(frame)
    sns.scatterplot(
        marked, x="learning_rate", y="height", hue="model", style="mark", palette=COLOURS,
        markers=MARKERS, s=38, edgecolor=PAPER, linewidth=0.5, legend=False, ax=ax, zorder=3,
    )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="lowest validation error")
    for model, level in marked[marked["level_with_best"]].groupby("model"):
        _box(ax, level, COLOURS[str(model)])
    _rate_axis(ax)
    _error_axis(ax, marked["height"], frame["target"])
    _targets(ax, frame)
    region = Patch(facecolor=MUTED, alpha=0.3, label="level with the best")
    _legend(ax, marked["mark"], [region])


def _marked(frame: pd.DataFrame) -> pd.DataFrame:
    """Add each trial's mark, and its height on a log axis: 0 errors stand at half an image."""
    lowest = 0.5 / frame["n_val"]
    return frame.assign(
        mark=frame["model"].where(frame["outcome"] == "finished", frame["outcome"]),
        height=frame["val_error"].clip(lower=lowest),
        **{"best_height": frame["best_so_far"].clip(lower=lowest)}
        if "best_so_far" in frame
        else {},
    )


def hidden_units(frame: pd.DataFrame, ax: Axes) -> None:
    """Learning rate and hidden units of every MLP; the darker, the fewer errors."""
    errors = frame["val_error"].clip(lower=0.5 / frame["n_val"])
    low, high = float(errors.min()), min(float(errors.max()), 4 * float(errors.min())) * 1.001
    ticks = _between(low, high)
    units = frame["hidden_units"].astype(float)
    points = ax.scatter(
        frame["learning_rate"], units, c=errors, norm=LogNorm(low, high), s=42,
        cmap="cividis", edgecolor=MUTED, linewidth=0.5, zorder=3,
    )  # fmt: skip
    rings: list[tuple[pd.Series, dict[str, Any]]] = [
        (frame["outcome"] != "finished", {"marker": "x", "ms": 9}),
        (
            errors == errors[frame["outcome"] != "pruned"].min(),
            {"marker": "o", "ms": 11, "mfc": "none"},
        ),
    ]
    for of, mark in rings:
        ax.plot(frame["learning_rate"][of], units[of], ls="", mec=INK, mew=1.4, zorder=4, **mark)
    ax.set(xscale="log", xlabel="learning rate", ylabel="hidden units")
    ax.set_yscale("log", base=2)
    _units_axis(ax, units.min(), units.max())
    _rate_axis(ax)
    bar = ax.figure.colorbar(points, ax=ax, label="lowest validation error", pad=0.02,
                             extend="max" if errors.max() > high else "neither")  # fmt: skip
    bar.set_ticks(list(ticks), labels=[words.short_percent(tick) for tick in ticks])
    bar.minorticks_off()
    bar.outline.set_visible(False)


def _units_axis(ax: Axes, low: float, high: float) -> None:
    ax.set_ylim(low / 1.15, high * 1.15)
    units = [2**k for k in range(14) if low / 1.15 <= 2**k <= high * 1.15] or [round(low)]
    ax.set_yticks(units, [str(n) for n in units])
    ax.set_yticks([], minor=True)


def history(frame: pd.DataFrame, ax: Axes) -> None:
    """Every trial's error in order, and the best so far."""
    marked = _marked(frame)
    sns.scatterplot(
        marked, x="trial", y="height", hue="model", style="mark", palette=COLOURS,
        markers=MARKERS, s=24, alpha=0.55, linewidth=0, legend=False, ax=ax,
    )  # fmt: skip
    sns.lineplot(
        marked, x="trial", y="best_height", hue="model", palette=COLOURS, estimator=None,
        drawstyle="steps-post", linewidth=2, legend=False, ax=ax,
    )  # fmt: skip
    last = float(frame["trial"].max())
    ax.set(yscale="log", xlabel="trial", ylabel="lowest validation error")
    ax.set_xlim(-0.5 - 0.03 * last, 0.5 + 1.03 * last)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    _error_axis(ax, marked["height"], frame["target"])
    _targets(ax, frame)
    _legend(ax, marked["mark"], [Line2D([], [], color=MUTED, lw=2, label="best so far")])


def on_common_scales(
    curves: pd.DataFrame,
) -> list[tuple[str, Callable[[pd.DataFrame, Axes], None]]]:
    """:func:`loss` and :func:`error` with the axes that hold all of these curves."""
    losses = curves[["train_loss", "val_loss"]].to_numpy()
    seen = losses[np.isfinite(losses) & (losses > 0)]
    low, high = (seen.min(), seen.max()) if len(seen) else (0.1, 1.0)
    top = float(curves[["train_error", "val_error"]].max().max())
    return [
        ("loss", partial(loss, limits=(low / 1.3, high * 1.3))),
        ("error", partial(error, limits=(0, max(top * 1.05, 0.01)))),
    ]


def loss(frame: pd.DataFrame, ax: Axes, limits: tuple[float, float] | None = None) -> None:
    """A winner's loss on the training batches and the validation images."""
    _curve(frame, ax, "loss")
    ax.set(yscale="log", ylabel="loss (cross-entropy)", ylim=limits)
    low, high = ax.get_ylim()
    ticks = [tick for e in range(-9, 9) for tick in (10.0**e, 3 * 10.0**e) if low < tick < high]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)


def error(frame: pd.DataFrame, ax: Axes, limits: tuple[float, float] | None = None) -> None:
    """A winner's error on the training batches and the validation images, on a root scale."""
    _curve(frame, ax, "error")
    ax.set_yscale("function", functions=(_root, np.square))
    ax.set(ylim=limits, ylabel="error (root scale)")
    high = ax.get_ylim()[1]
    ticks = [0.0, *(tick for tick in _PERCENTS if 0.01 <= tick <= high)]
    ax.set_yticks(ticks, [words.short_percent(tick) for tick in ticks])


def _root(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.maximum(values, 0)))


def _curve(frame: pd.DataFrame, ax: Axes, quantity: str) -> None:
    colour = COLOURS[str(frame["model"].iloc[0])]
    ax.plot(frame["step"], frame[f"train_{quantity}"], color=MUTED, lw=0.8, alpha=0.8,
            label="training (batch)")  # fmt: skip
    ax.plot(frame["step"], frame[f"val_{quantity}"], color=colour, lw=1.8, label="validation")
    best = frame[frame["best"]]
    ax.plot(best["step"], best[f"val_{quantity}"], "o", ms=8, mfc=PAPER, mec=colour, mew=1.8,
            label="best step")  # fmt: skip
    ax.set_xlabel("training step")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)


def linear_weights(frame: pd.DataFrame, ax: Axes) -> None:
    """The linear model's weights as an image, zero white."""
    image = frame.pivot_table(index="row", columns="column", values="weight").to_numpy()
    _diverging(ax, image, "weight")


def unit_weights(frame: pd.DataFrame, ax: Axes) -> None:
    """Hidden units' incoming weights as a sheet of images on one scale, zero white."""
    tiles = frame["weight"].to_numpy().reshape(-1, 28, 28)
    columns = min(5, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * 30, columns * 30), np.nan)
    for place, tile in enumerate(tiles):
        top, left = 30 * (place // columns) + 1, 30 * (place % columns) + 1
        sheet[top : top + 28, left : left + 28] = tile
    _diverging(ax, sheet, "incoming weight")
    for place, outgoing in enumerate(frame["outgoing"].to_numpy()[::784]):
        spot = (30 * (place % columns) + 1.5, 30 * (place // columns) + 1)
        ax.annotate("+" if outgoing > 0 else "−", spot, color="#1c1d23", va="top", weight="bold")


def _diverging(ax: Axes, image: np.ndarray, label: str) -> None:
    extent = float(np.nanmax(np.abs(image))) or 1.0
    drawn = ax.imshow(image, cmap="PRGn", vmin=-extent, vmax=extent, interpolation="nearest")
    ax.set_axis_off()
    bar = ax.figure.colorbar(drawn, ax=ax, label=label, pad=0.03, shrink=0.85)
    bar.outline.set_visible(False)


def _rate_axis(ax: Axes) -> None:
    low, high = ax.get_xlim()
    exponents = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    if len(exponents) > 1:
        ax.set_xticks([10.0**e for e in exponents], [words.power_of_ten(e) for e in exponents])
    else:
        middle = (low * high) ** 0.5
        ticks = [float(f"{tick:.1g}") for tick in (low * 1.05, middle, high / 1.05)]
        ticks = sorted({tick for tick in ticks if low <= tick <= high})
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)


def _error_axis(ax: Axes, *shown: Iterable[float]) -> None:
    """Percent ticks on a log axis that holds every error; none of 0 can be on it."""
    values = np.concatenate([np.asarray(list(each), float) for each in shown])
    positive = values[values > 0]
    low, high = (positive.min(), positive.max()) if len(positive) else (0.01, 0.1)
    ax.set_ylim(low / 1.25, max(high, low * 2) * 1.25)
    ticks = _between(low / 1.25, max(high, low * 2) * 1.25)
    ax.set_yticks(ticks, [words.short_percent(tick) for tick in ticks])
    ax.set_yticks([], minor=True)


def _between(low: float, high: float) -> list[float]:
    """Ticks from ``low`` to ``high``; from a finer list where the coarse one has few."""
    coarse = [float(tick) for tick in _PERCENTS if low <= tick <= high]
    return coarse if len(coarse) > 2 else [float(t) for t in _FINE if low <= t <= high]


def _box(ax: Axes, level: pd.DataFrame, colour: str) -> None:
    """Shade the trials that are level with the best: their learning rates and errors."""
    left, right = level["learning_rate"].min() / 1.12, level["learning_rate"].max() * 1.12
    low, high = level["height"].min() / 1.03, level["height"].max() * 1.03
    ax.add_patch(
        Rectangle((left, low), right - left, high - low, facecolor=colour, alpha=0.2, lw=0)
    )


def _targets(ax: Axes, frame: pd.DataFrame) -> None:
    """A dashed line a target, named beyond the right edge, where no trial can lie."""
    targets = frame.groupby("target")["model"].agg(lambda models: sorted(set(models)))
    for target, models in targets.items():
        colour = COLOURS[models[0]] if len(models) == 1 else MUTED
        ax.axhline(float(str(target)), color=colour, lw=1.2, dashes=(4, 3), zorder=1)
        who = f"{TITLES[models[0]]} target" if len(models) == 1 else "target"
        ax.annotate(
            f"{who}\n{words.short_percent(float(str(target)))}", (1, float(str(target))), (4, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", va="center", size=8,
        )  # fmt: skip


def _legend(ax: Axes, marks: pd.Series, more: list[Line2D | Patch]) -> None:
    found = [mark for mark in MARKERS if mark in set(marks)]
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=COLOURS.get(mark, MUTED), marker=MARKERS[mark], ls="", ms=6,
               label=TITLES.get(mark, mark))
        for mark in found
    ]  # fmt: skip
    columns = 5 if ax.figure.get_size_inches()[0] > 5 else 3  # type: ignore[union-attr]
    ax.legend(handles=handles + more, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns,
              borderaxespad=0.2, columnspacing=1.2)  # fmt: skip
