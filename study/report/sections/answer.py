"""The first screen: the question, the answer, the two errors, one picture."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from study import formats, stats
from study import html_table as cells
from study.report import figures, headline, tables, words
from study.report.content import Section, Table
from study.report.record import Record, ReportedStudy
from study.report.rendering import Chart
from study.report.sections import pairs


def answer(record: Record, trials: pd.DataFrame) -> Section:
    """What was asked and found, with its cost."""
    frame = tables.answer(record)
    confirmed = record.comparison is not None
    chart = Chart(
        "answer",
        "What each model’s tuned error is worth"
        if confirmed
        else "The lowest validation error that each search found",
        partial(figures.answer, items=record.items),
        frame,
        alt="Dot plot of errors with their"
        f" intervals{' and targets' if 'target' in frame else ''}. {_found(frame, record.items)}.",
        caption=_marks(record, frame) if confirmed else "",
        size=(7.2, 0.9 + 0.75 * len(frame)),
        narrow=(3.7, 1.0 + 0.75 * len(frame)),
    )
    return Section(
        "answer",
        headline.question(record),
        (headline.answer(record), headline.caveat(record)),
        [chart] if len(frame) else [],
        [table(record), *([pairs.table(record)] if _has_pairs(record) else [])],
        frames=[("trials", trials)],
    )


def _marks(record: Record, frame: pd.DataFrame) -> str:
    """What the marks of a confirmed report mean."""
    aim = " Line: the target that it was given." if "target" in frame else ""
    return (
        f"Filled, with its interval: the error on {record.items} that played no part in the"
        f" search. Hollow: the lowest validation error that the search reported.{aim}"
    )


def _has_pairs(record: Record) -> bool:
    return record.comparison is not None and len(record.comparison.pairs) > 1


def _found(frame: pd.DataFrame, items: str) -> str:
    said = []
    for row in frame.to_dict("records"):
        ends = stats.Interval(row["wilson_lower"], row["wilson_upper"])
        lowest = formats.error(int(row["val_errors"]), int(row["n_val"]))
        fresh = ""
        if pd.notna(row["holdout_error"]):
            worth = stats.Interval(row["holdout_lower"], row["holdout_upper"])
            fresh = f", on fresh {items} {formats.percent(row['holdout_error'])}, interval "
            fresh += formats.interval(worth)
        target = row.get("target", np.nan)
        aim = f", target {formats.short_percent(target)}" if pd.notna(target) else ""
        said.append(
            f"{row['model']}: lowest validation error {lowest}, interval {formats.interval(ends)}"
            f"{fresh}{aim}"
        )
    return "; ".join(said)


def table(record: Record) -> Table:
    """A row a study: its errors as fractions and counts, its target, its cost."""
    fresh = [f"Error on fresh {record.items}\n95 % interval"] if record.comparison else []
    lowest = "Lowest validation error\n95 % interval"
    aims = any(search.target is not None for search in record.searches)
    header = ["Model", *fresh, lowest, *(["Target"] if aims else []), "Trials", "Training time"]
    rows = [
        [
            search.title,
            *_fresh(record, search),
            _lowest(search),
            *([_target(search)] if aims else []),
            words.counted(search).replace(" ", "\n", 1),
            formats.seconds(search.seconds),
        ]
        for search in record.searches
    ]
    return Table("The best trial of each study", header, rows)


def _lowest(search: ReportedStudy) -> str:
    best = search.best
    if best is None:
        return "no trial trained to the end"
    ends = stats.wilson(best.val_errors, best.n_val)
    lowest = formats.error(best.val_errors, best.n_val)
    return f"{lowest}\n{formats.counted_interval(ends, best.n_val)}"


def _fresh(record: Record, search: ReportedStudy) -> list[str]:
    c = record.comparison
    if c is None:
        return []
    [side] = [side for side in c.sides if side.study == search.name]
    mean, ends = side.holdout.mean, side.holdout.interval
    fresh = formats.error(mean * side.n_val, side.n_val)
    return [f"{fresh}\n{formats.counted_interval(ends, side.n_val)}"]


def _target(search: ReportedStudy) -> str:
    if search.target is None:
        return "none"
    rule = " for the interval’s upper end" if search.stored.plan.target_rule == "wilson" else ""
    met = "met" if search.target_met else "missed"
    return f"{formats.short_percent(search.target)}{rule}: {met}"


def notebook(record: Record) -> str:
    """The question, the answer and the table, for a notebook's cell."""
    shown = table(record)
    caption = f"{headline.question(record)} {headline.answer(record)}"
    return cells.table(caption, shown.header, shown.rows)
