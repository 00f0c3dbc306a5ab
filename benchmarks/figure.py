"""The benchmark's figure: throughput as a multiple of plain Optuna's."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from benchmarks.rows import OURS, OWN_BATCHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {"linear": "Logistic regression", "mlp": "MLP, 50 hidden units"}
FAMILIES = {"Optuna": "0.62", "stacked models": "#7aa6c2", "this package": "#b5403a"}


def style() -> AbstractContextManager[None]:
    """Quiet axes and small type, for the figures of this folder alone."""
    quiet = sns.axes_style("ticks") | sns.plotting_context("paper", font_scale=1.1)
    return mpl.rc_context(quiet | {"axes.titleweight": "bold", "svg.fonttype": "none"})


def family(key: str) -> str:
    """Which bars share a colour."""
    peer = key.split("-", maxsplit=1)[0]
    if peer in OURS:
        return "this package"
    return "Optuna" if peer in OWN_BATCHES else "stacked models"


def draw(table: pd.DataFrame, square: float, machine: str, path: Path) -> None:
    """Bars of the ratio, a panel a model, and the ratio that the machine's sgemm would allow.

    Args:
        table: As :func:`benchmarks.table.summarise` gives it, with plain Optuna in it.
        square: GFLOP/s of a big square product.
        machine: The line that says where it was measured.
        path: The PNG to write.
    """
    models = list(table["model"].unique())
    with style():
        figure = Figure(figsize=(5.4 * len(models) + 1.2, 4.2), layout="constrained")
        figure.get_layout_engine().set(wspace=0.08)
        axes = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
        for ax, model in zip(axes, models, strict=True):
            _bars(ax, table[table["model"] == model], list(table["row"].unique()), square)
            ax.set_title(TITLES.get(model, model), loc="left")
        handles = [mpl.patches.Patch(color=colour, label=n) for n, colour in FAMILIES.items()]
        figure.legend(handles=handles, loc="outside upper right", ncols=3, frameon=False)
        figure.text(0, -0.02, machine, fontsize="x-small", color="0.4", va="top")
        figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.08)


def _bars(ax: Axes, part: pd.DataFrame, rows: list[str], square: float) -> None:
    """The bars of a model, each in the row that it has in all panels."""
    data = part.assign(family=part["key"].map(family))
    sns.barplot(
        data, x="ratio", y="row", order=rows, hue="family", palette=FAMILIES,
        dodge=False, width=0.72, legend=False, saturation=1, ax=ax,
    )  # fmt: skip
    limit = (square / part["gflop_per_s"] * part["ratio"]).median()
    ax.set_xscale("log")
    ax.set_xlim(0.5, 1.5 * max(limit, data["ratio"].max()))
    ax.axvline(limit, color="0.25", lw=0.9, ls=(0, (4, 3)), zorder=0)
    at = (limit, 1.0)
    ax.annotate(
        "best sgemm", at, (2, -3), xycoords=ax.get_xaxis_transform(), textcoords="offset points",
        rotation=90, va="top", fontsize="x-small", color="0.25",
    )  # fmt: skip
    for line in part.itertuples():
        _label(ax, rows.index(line.row), line)
    _beside(ax, -0.8, "ratio", "a trial", color="0.4", fontsize="small")
    ax.set(xlabel="trials per second, × plain Optuna (log scale)", ylabel="")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    ax.tick_params(axis="y", length=0)
    sns.despine(ax=ax, left=True)


def _label(ax: Axes, place: int, line: tuple) -> None:
    """A whisker over the repeats; beside the panel the ratio, and the time behind it."""
    if pd.isna(line.ratio):
        ax.text(1, place, f"  {line.note}", va="center", color="0.4", style="italic")
        return
    ax.plot([line.ratio_low, line.ratio_high], [place, place], color="0.15", lw=1.2)
    _beside(ax, place, f"{line.ratio:.3g}×", _duration(line.seconds_per_trial))


def _beside(ax: Axes, place: float, ratio: str, time: str, **font: str) -> None:
    """Two right-aligned cells in the panel's right margin."""
    for x, text in ((1.12, ratio), (1.33, time)):
        ax.text(
            x, place, text, transform=ax.get_yaxis_transform(), ha="right", va="center", **font
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1e3:.1f} ms"
