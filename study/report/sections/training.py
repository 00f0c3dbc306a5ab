"""The winners: their learning curves, and what their weights look at."""

from __future__ import annotations

import pandas as pd

from study import formats
from study.report import tables, words
from study.report.content import Section
from study.report.figures import linear_weights, unit_weights
from study.report.figures.training import on_common_scales
from study.report.headline import NUMBERS
from study.report.record import Record, ReportedStudy
from study.report.rendering import Chart
from study.trials import StoredTrial


def training(record: Record, trials: pd.DataFrame) -> Section | None:
    """The learning curves of the winners."""
    if not record.winners:
        return None
    frames = [tables.curves(record, s, best) for s, best in record.winners]
    draws = on_common_scales(pd.concat(frames))
    charts = [
        Chart(
            f"{s.key}_{quantity}",
            f"{s.title}: {quantity}",
            draw,
            frame,
            alt=f"Learning curve: {quantity} of trial {best.number}, the best of {s.noun}, on"
            f" training batches and on the validation {record.items}, over {s.protocol.steps:,}"
            f" steps. The lowest validation error, {formats.error(best.val_errors, best.n_val)},"
            f" is at step {best.step:,}; at the end it is {formats.percent(best.final_error)}.",
        )
        for (s, best), frame in zip(record.winners, frames, strict=True)
        for quantity, draw in draws
    ]
    text = [
        f"The grey line is one training batch of {record.protocol.batch_size} {record.items} a"
        " point, before the step’s update, so it jumps; the coloured line is all validation"
        f" {record.items}, after it. A search keeps the step with the fewest validation errors"
        " (ringed)."
    ]
    if record.comparison is not None:
        text[0] += (
            " The band spans the same hyperparameters on"
            f" {formats.plural(record.comparison.pairs[0].n_seeds, 'fresh seed')}, from the lowest"
            " to the highest."
        )
    winners = f"How the {NUMBERS[len(frames)]} winners learnt"
    title = winners if len(frames) > 1 else "How the best trial learnt"
    return Section("training", title, text, charts)


def weights(record: Record, trials: pd.DataFrame) -> Section | None:
    """What the models look at: the weights of a linear model, and of hidden units."""
    charts, text = [], []
    for s, best in record.winners:
        if s.weights is None:
            text.append(f"{s.title}: the weights can’t be shown, since {s.no_weights}.")
        elif "linear.weight" in s.weights:
            charts.append(_linear_weights(record, s, best))
        elif "hidden.weight" in s.weights and "output.weight" in s.weights:
            charts.append(_unit_weights(record, s, best))
        else:
            text.append(f"{s.title}: there is no picture for the weights of such a model.")
    if not charts and not text:
        return None
    return Section("weights", "What the models look at", text, charts)


def _linear_weights(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart:
    assert search.weights is not None
    first, second = _class_names(record)
    return Chart(
        f"{search.key}_weights",
        f"{search.title}: its 784 weights",
        linear_weights,
        tables.linear_weights(search.weights),
        alt=f"The weights of trial {best.number}, the best of {search.noun}, as a 28 by 28 image"
        " on a diverging scale.",
        caption=f"Ink on a green pixel is evidence for {second}, on a purple one for {first};"
        " white pixels hardly count. The model adds these up, and nothing else.",
        size=(4.7, 3.9),
    )


def _unit_weights(record: Record, search: ReportedStudy, best: StoredTrial) -> Chart:
    assert search.weights is not None
    first, second = _class_names(record)
    frame = tables.unit_weights(search.weights)
    shown, count = frame["unit"].nunique(), len(search.weights["hidden.weight"])
    return Chart(
        f"{search.key}_units",
        f"{search.title}: {shown} of its {count} hidden units",
        unit_weights,
        frame,
        alt=f"The incoming weights of {shown} hidden units of trial {best.number}, the best of"
        f" {search.noun}, each a 28 by 28 image on one diverging scale.",
        caption="Those with the largest outgoing weights, largest first. A unit fires when ink"
        f" falls on its green pixels; then it argues for {second} (+) or for {first} (−).",
        size=(4.7, 3.9),
    )


def _class_names(record: Record) -> tuple[str, str]:
    protocol = record.protocol
    first, second = (words.a_class(protocol.dataset, label) for label in protocol.classes)
    return first, second
