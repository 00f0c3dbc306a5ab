"""The winners' learning curves."""

from __future__ import annotations

import pandas as pd

from study import formats
from study.report import general, tables
from study.report.content import Section
from study.report.figures.training import on_common_scales
from study.report.headline import NUMBERS
from study.report.record import Record
from study.report.rendering import Chart


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
            alt=general.CURVES_ALT.format(
                quantity=quantity,
                number=best.number,
                model=s.noun,
                items=record.items,
                steps=f"{s.protocol.steps:,}",
                lowest=formats.error(best.val_errors, best.n_val),
                step=f"{best.step:,}",
                last=formats.percent(best.final_error),
            ),
        )
        for (s, best), frame in zip(record.winners, frames, strict=True)
        for quantity, draw in draws
    ]
    text = [general.CURVES.format(batch=record.protocol.batch_size, items=record.items)]
    if record.comparison is not None:
        text[0] += (
            " The band spans the same hyperparameters on"
            f" {formats.plural(record.comparison.pairs[0].n_seeds, 'fresh seed')}, each with other"
            " initial weights and another batch order, from the lowest to the highest."
        )
    winners = f"How the {NUMBERS[len(frames)]} winners learnt"
    title = winners if len(frames) > 1 else "How the best trial learnt"
    return Section("training", title, text, charts)
