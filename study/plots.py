"""Figures of results: functions of a result and an ``Axes``, which they return.

    outcome = study.tune("mlp")
    study.plots.learning_rate(outcome)

A result is a storage's path or URL, what :func:`study.tune` or :func:`study.compare` returned, or
the record of :func:`study.report.collect.collect`. :func:`curves` and :func:`weights` also take
what :func:`study.fit` returned. Without an ``Axes`` a new figure is made with pyplot, which a
notebook shows. The figures are the report's, in its style.

Every function raises a StudyError for what is no such result, or lacks what the figure shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from study import baseline, formats
from study.confirm.comparison import Comparison, Comparisons
from study.errors import StudyError
from study.report.record import Record
from study.search.loop import Outcome
from study.shortcuts import arguments
from study.text import one_line
from study.training.history import History

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "against",
    "answer",
    "curves",
    "history",
    "learning_rate",
    "replicates",
    "splits",
    "weights",
]

Result = str | os.PathLike[str] | Outcome | Comparison | Comparisons | Record
_SIZE = (6.4, 3.6)  # inches, wide and high
_IMAGE = 28 * 28  # columns


def answer(result: Result, ax: Axes | None = None) -> Axes:
    """Each model's error with its 95 % interval; on held-out images once it is confirmed."""
    from study.report import figures, tables

    return _draw(ax, figures.answer, lambda: tables.answer(_record(result)))


def history(result: Result, ax: Axes | None = None) -> Axes:
    """Every trial's lowest validation error in order, and the best so far."""
    from study.report import figures, tables

    return _draw(ax, figures.history, lambda: tables.history(tables.trials(_record(result))))


def learning_rate(result: Result, ax: Axes | None = None) -> Axes:
    """Every trial's lowest validation error against its learning rate."""
    return against(result, "learning_rate", ax)


def against(result: Result, parameter: str, ax: Axes | None = None) -> Axes:
    """Every trial's lowest validation error against a hyperparameter, such as ``momentum``."""
    from study.report import figures, parameters, tables
    from study.report.figures.axes import Axis

    record = _record(result)
    spaces = [search.stored.plan.space for search in record.searches]
    arguments.one_of("parameter", parameter, parameters.names(record))
    having = [space[parameter] for space in spaces if parameter in space]
    column, choices = parameters.columns(record)[parameter], parameters.choices(record, parameter)
    axis = Axis.of(parameter, column, having[0], choices)
    return _draw(
        ax,
        lambda frame, ax: figures.against(frame, ax, axis),
        lambda: tables.against(tables.trials(record), column),
    )


def curves(result: Result | History, ax: Axes | None = None, *, quantity: str = "error") -> Axes:
    """The learning curves of a training, or of the best trial of one study.

    Args:
        result: What :func:`study.fit` or :func:`study.tune` returned.
        ax: Where it is drawn.
        quantity: ``error`` or ``loss``.
    """
    from study.report import figures

    drawers = {"error": figures.error, "loss": figures.loss}
    arguments.one_of("quantity", quantity, drawers)
    return _draw(ax, drawers[quantity], lambda: _curves(result))


def _curves(result: Result | History) -> pd.DataFrame:
    from study.report import tables

    if isinstance(result, History):
        model = result.model.name if isinstance(result, baseline.Fit) else "model"
        return baseline.curves(result, model)
    record = _record(result)
    if len(record.winners) != 1:
        count = formats.plural(len(record.winners), "best trial")
        raise StudyError(f"curves of {count}: must be of one: give what study.tune returned")
    return tables.curves(record)


def weights(result: History, ax: Axes | None = None) -> Axes:
    """The weights at the best step as images: the linear model's, or those of hidden units."""
    from study.report import figures, tables

    found = getattr(result, "weights", {})
    drawers = {
        "linear.weight": (figures.linear_weights, tables.linear_weights),
        "hidden.weight": (figures.unit_weights, tables.unit_weights),
    }
    for name, (draw, frame) in drawers.items():
        if name in found and found[name].shape[1] == _IMAGE:
            return _draw(ax, draw, lambda frame=frame: frame(found))  # type: ignore[misc]
    kind = type(result).__name__
    raise StudyError(
        f"weights of a {kind}: are no images: give what study.fit returned for the linear model "
        "or the mlp on images of 28 × 28"
    )


def replicates(result: Result, ax: Axes | None = None) -> Axes:
    """Each best trial's settings on fresh seeds, of studies that are confirmed."""
    from study.report import figures, tables

    return _draw(ax, figures.replicates, lambda: tables.replicates(_confirmed(result)))


def splits(result: Result, ax: Axes | None = None) -> Axes:
    """What each repeated search chose by and what it was worth, of studies that are confirmed."""
    from study.report import figures, tables

    return _draw(ax, figures.splits, lambda: tables.splits(_confirmed(result)))


def _record(result: object) -> Record:
    from study.report.collect import collect

    if isinstance(result, Record):
        return result
    if isinstance(result, Outcome) and result.storage:
        return collect(result.storage, names=[result.study_name])
    if isinstance(result, Comparison | Comparisons) and result.storage:
        return collect(result.storage, names=[side.study for side in result.sides])
    if isinstance(result, str | os.PathLike):
        return collect(os.fspath(result))
    raise StudyError(
        one_line(f"result of type {type(result).__name__}: can't be drawn")
        + ": give a storage, or what study.tune or study.compare returned"
    )


def _confirmed(result: Result) -> Record:
    record = _record(result)
    if record.comparison is None:
        raise StudyError(f"{record.storage}: has no confirmation: run study.compare first")
    return record


def _draw(
    ax: Axes | None,
    draw: Callable[[pd.DataFrame, Axes], None],
    frame: Callable[[], pd.DataFrame],
) -> Axes:
    """Compute and draw in the report's style, at the caller's ``font.size``."""
    from study.report.rendering import theme

    # isort: split
    from matplotlib import pyplot, rcParams
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes | None):
        raise StudyError(f"ax of type {type(ax).__name__}: must be an Axes of matplotlib")
    size = rcParams["font.size"]
    with theme(size):
        found = frame()
    # made outside of the style, as the first figure makes a notebook show all
    figure = pyplot.figure(figsize=_SIZE, layout="constrained") if ax is None else None
    with theme(size):
        if ax is None and figure is not None:
            figure.set_facecolor(rcParams["figure.facecolor"])
            ax = figure.subplots()
        assert ax is not None
        draw(found, ax)
        ax.figure.draw_without_rendering()  # type: ignore[union-attr] # ticks are made when drawn
    return ax
