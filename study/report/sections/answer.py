"""The first screen: the question, the answer, the errors, one picture."""

from __future__ import annotations

import pandas as pd

from study import formats, stats
from study import notebook_html as cells
from study.report import figures, general, headline, tables
from study.report.content import Section
from study.report.record import Record
from study.report.rendering import Chart
from study.report.reproducibility import one_command
from study.report.sections import estimates


def answer(record: Record, trials: pd.DataFrame) -> Section:
    """What was asked and found, with which settings and at what cost."""
    frame = tables.answer(record)
    models, confirmed = len(record.winners), record.comparison is not None
    chart = Chart(
        "answer",
        f"Errors on {record.items} that played no part in the search"
        if confirmed
        else "The lowest validation error that each search found",
        figures.answer,
        frame,
        alt=_alt(record, frame),
        caption=_marks(record, frame) if confirmed else "",
        size=(7.2, 0.9 + 0.17 * confirmed + 0.75 * models),
        narrow=(3.7, 1.0 + 0.17 * confirmed + 0.75 * models),
        values=figures.answer_values,
    )
    one = one_command(record)
    return Section(
        "answer",
        headline.question(record),
        (*headline.answer(record), *headline.caveats(record)),
        [chart] if models else [],
        estimates.tables(record),
        commands=[one] if one else [],
        frames=[("trials", trials)],
    )


def _marks(record: Record, frame: pd.DataFrame) -> str:
    """What the marks of a confirmed report mean, and which searches they are of."""
    trials = dict.fromkeys(formats.plural(len(s.trials), "trial") for s in record.searches)
    aim = [" Line: the target that this one was given."] if "target" in frame else []
    return " ".join(
        [
            general.DIFFERENT_SEARCHES,
            general.FILLED.format(items=record.items),
            general.HOLLOW.format(trials=formats.listed(list(trials))) + "".join(aim),
        ]
    )


def _alt(record: Record, frame: pd.DataFrame) -> str:
    """What the figure shows, in words: of each model the judged error, then its own search's."""
    c, items = record.comparison, record.items
    judged = {s.study: s.holdout for s in c.sides} if c else {}
    said = []
    for search, best in record.winners:
        parts = [
            f"on held-out {items} {formats.percent(error.mean)}, interval"
            f" {formats.mean_interval(error)}"
            for study, error in judged.items()
            if study == search.name
        ]
        ends = formats.interval(stats.wilson(best.val_errors, best.n_val))
        lowest = formats.error(best.val_errors, best.n_val)
        parts.append(general.LOWEST_ALT.format(error=lowest, ends=ends))
        parts += [f"target {formats.short_percent(search.target)}"] if search.target else []
        said.append(f"{search.title}: {', '.join(parts)}")
    targets = " and targets" if "target" in frame else ""
    return f"{general.ANSWER_ALT}{targets}. {'; '.join(said)}."


def notebook(record: Record) -> str:
    """The question, the answer and the tables, for a notebook's cell."""
    first, *others = estimates.tables(record)
    said = headline.answer(record)
    caption = f"{headline.question(record)} {said.headline}. {said.numbers} {first.caption}"
    return cells.table(caption, first.header, first.rows) + "".join(
        cells.table(table.caption, table.header, table.rows) for table in others
    )
