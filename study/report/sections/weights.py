"""What the winners look at: the weights of a linear model, and of hidden units."""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.report import figures, general, tables, words
from study.report.content import Section
from study.report.figures.weights import BARS
from study.report.pictures import is_ink
from study.report.record import Record, ReportedStudy
from study.report.rendering import Chart
from study.trials import StoredTrial

MNIST = (28, 28)


def weights(record: Record, trials: pd.DataFrame) -> Section | None:
    """What the models look at: as images where the data are images, else by column."""
    charts, text = [], []
    for s, best in record.winners:
        if s.weights is None:
            text.append(f"{s.title}: the weights can’t be shown, since {s.no_weights}.")
        elif (chart := _chart(record, s, best)) is not None:
            charts.append(chart)
        else:
            text.append(f"{s.title}: there is no picture for the weights of such a model.")
    if not charts and not text:
        return None
    return Section("weights", "What the models look at", text, charts)


def _chart(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart | None:
    """Of a model with the layers of a built-in one; None of any other, or without the data."""
    assert search.weights is not None
    shapes = {name: tensor.shape for name, tensor in search.weights.items()}
    inputs = search.stored.plan.inputs
    is_table = record.items == "rows"
    if shapes.get("linear.weight") == (1, inputs):
        return (_coefficients if is_table else _linear_weights)(record, search, best)
    hidden = shapes.get("hidden.weight", (0, 0))
    if hidden[1] == inputs and shapes.get("output.weight") == (1, hidden[0]):
        return (_unit_columns if is_table else _unit_weights)(record, search, best)
    return None


def _shape(record: Record, search: ReportedStudy) -> tuple[int, ...] | None:
    """Of one image; without the images, that of the official ones."""
    if record.data is not None:
        return record.data.shape
    return MNIST if search.stored.plan.inputs == np.prod(MNIST) else None


def _linear_weights(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart | None:
    shape = _shape(record, search)
    if shape is None:
        return None
    assert search.weights is not None
    first, second = _class_names(record)
    ink = _ink(record)
    return Chart(
        f"{search.key}_weights",
        f"{search.title}: its {search.stored.plan.inputs:,} weights",
        figures.linear_weights,
        tables.linear_weights(search.weights, shape),
        alt=general.WEIGHTS_ALT.format(
            number=best.number, model=search.noun, high=shape[0], wide=shape[1]
        ),
        caption=general.WEIGHTS.format(Ink=ink.capitalize(), first=first, second=second)
        + _colours(shape),
        size=(3.9, 3.3),
    )


def _unit_weights(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart | None:
    shape = _shape(record, search)
    if shape is None:
        return None
    assert search.weights is not None
    first, second = _class_names(record)
    frame = tables.unit_weights(search.weights, shape)
    shown, count = frame["unit"].nunique(), len(search.weights["hidden.weight"])
    return Chart(
        f"{search.key}_units",
        f"{search.title}: {shown} of its {count} hidden units",
        figures.unit_weights,
        frame,
        alt=general.UNITS_ALT.format(
            shown=shown, number=best.number, model=search.noun, high=shape[0], wide=shape[1]
        ),
        caption=general.UNITS.format(ink=_ink(record), first=first, second=second)
        + _colours(shape),
        size=(3.9, 3.3),
        values=figures.unit_weights_values,
    )


def _ink(record: Record) -> str:
    """What makes a pixel's value high."""
    return "ink" if record.data is None or is_ink(record.data) else "light"


def _colours(shape: tuple[int, ...]) -> str:
    return " Each pixel is the mean of its three colours’ weights." if len(shape) == 3 else ""


def _coefficients(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart | None:
    if record.data is None:
        return None
    assert search.weights is not None
    first, second = _class_names(record)
    frame = tables.coefficients(search.weights, record.data.columns)
    few = len(frame) <= BARS
    what = (
        f"its {len(frame)} weights" if few else f"the {BARS} largest of its {len(frame):,} weights"
    )
    unit = (
        "The columns were scaled to one deviation each, so the bars can be held against each"
        " other."
        if record.protocol.normalisation == "columns"
        else "The columns were not scaled to one deviation, so each bar has a unit of its own."
    )
    return Chart(
        f"{search.key}_weights",
        f"{search.title}: {what}",
        figures.coefficients,
        frame,
        alt=general.COEFFICIENTS_ALT.format(
            number=best.number, model=search.noun, largest=_largest(frame)
        ),
        caption=f"{general.COEFFICIENTS.format(first=first, second=second)} {unit}",
        size=(3.9, 0.9 + 0.24 * min(len(frame), BARS)),
        values=figures.coefficients_values,
    )


def _largest(frame: pd.DataFrame) -> str:
    top = frame.head(3).to_dict("records")
    return ", ".join(f"{row['column']} {row['weight']:+.3g}" for row in top)


def _unit_columns(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart | None:
    if record.data is None:
        return None
    assert search.weights is not None
    first, second = _class_names(record)
    frame = tables.unit_columns(search.weights, record.data.columns)
    units, columns = frame["unit"].nunique(), frame["column"].nunique()
    count = len(search.weights["hidden.weight"])
    return Chart(
        f"{search.key}_units",
        f"{search.title}: {units} of its {count} hidden units",
        figures.unit_columns,
        frame,
        alt=general.UNIT_COLUMNS_ALT.format(
            units=units,
            number=best.number,
            model=search.noun,
            shown=columns,
            columns=f"{record.data.inputs:,}",
        ),
        caption=general.UNIT_COLUMNS.format(first=first, second=second),
        size=(3.9, 1.2 + 0.24 * columns),
        values=figures.unit_columns_values,
    )


def _class_names(record: Record) -> tuple[str, str]:
    protocol = record.protocol
    first, second = (words.a_class(protocol.dataset, label) for label in protocol.classes)
    return first, second
