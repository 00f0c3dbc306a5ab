"""The winners' learning curves."""

from __future__ import annotations

import pandas as pd

from study import formats
from study.report import figures, general, tables
from study.report.content import Section
from study.report.headline import NUMBERS
from study.report.record import Record
from study.report.rendering import Chart
from study.report.sections.predicting import predictions


def training(record: Record, trials: pd.DataFrame) -> Section | None:
    """The learning curves of the winners."""
    if not record.winners:
        return None
    said = [
        general.CURVE_ALT.format(
            number=best.number,
            model=s.noun,
            lowest=formats.error(best.val_errors, best.n_val),
            step=f"{best.step:,}",
            steps=f"{s.protocol.steps:,}",
            last=formats.percent(best.final_error),
        )
        for s, best in record.winners
    ]
    models = len(record.winners)
    chart = Chart(
        "curves",
        "Loss and error, step by step",
        figures.curves,
        tables.curves(record),
        alt=" ".join([general.CURVES_ALT.format(items=record.items), *said]),
        values=figures.curves_values,
        size=(7.6, 0.6 + 2.4 * models),
        narrow=(3.9, 0.8 + 4.2 * models),
    )
    text = [general.CURVES.format(batch=record.protocol.batch_size, items=record.items)]
    if record.comparison is not None:
        text[0] += (
            " The band spans the same hyperparameters on"
            f" {formats.plural(record.comparison.pairs[0].n_seeds, 'fresh seed')}, each with other"
            " initial weights and another batch order, from the lowest to the highest."
        )
    winners = f"How the {NUMBERS[models]} winners learnt"
    title = winners if models > 1 else "How the best trial learnt"
    ten = predictions(record)
    return Section("training", title, text, [chart], more=[ten] if ten else [])
