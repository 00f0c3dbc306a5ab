"""What stands on the page, in the order a reader asks for it.

Each section is a function of the record that returns ``None`` where it has nothing to say.
The words are for a student who knows what a learning rate is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from study.report import tables
from study.report.content import Section
from study.report.record import Record
from study.report.sections import (
    answer,
    confirming,
    data,
    fairness,
    parameters,
    predicting,
    reproducibility,
    searching,
    training,
    trials,
    weights,
)

SECTIONS: Sequence[Callable[[Record, pd.DataFrame], Section | None]] = (
    answer.answer,
    confirming.comparison,
    fairness.fairness,
    parameters.hyperparameters,
    searching.search,
    trials.all_trials,
    training.training,
    weights.weights,
    predicting.mistakes,
    data.data,
    reproducibility.reproduce,
)


def compose(record: Record) -> list[Section]:
    """The sections that this record has; the first is the first screen."""
    frame = tables.trials(record)
    made = (section(record, frame) for section in SECTIONS)
    taken: Counter[str] = Counter()
    return [_told_apart(section, taken) for section in made if section is not None]


def _told_apart(section: Section, taken: Counter[str]) -> Section:
    """Charts of one name, as odd names of hyperparameters can give, get files of their own."""
    charts = []
    for chart in section.charts:
        taken[chart.name] += 1
        count = taken[chart.name]
        charts.append(chart if count == 1 else replace(chart, name=f"{chart.name}-{count}"))
    more = [_told_apart(detail, taken) for detail in section.more]
    return replace(section, charts=charts, more=more)
