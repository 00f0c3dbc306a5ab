"""What the winners say of images or rows: ten predictions, and the mistakes."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from study import formats, stats
from study.dataset import Data
from study.report import general, tables
from study.report.content import Section, Table
from study.report.figures.images import SHOWN
from study.report.record import Record, ReportedStudy
from study.report.sections.classes import classes
from study.report.sections.data import sheet
from study.trials import StoredTrial


def predictions(record: Record) -> Section | None:
    """What the winners say of ten images or rows before and after training."""
    if record.data is None:
        return None
    frame = tables.predictions(record, record.data)
    if frame.empty:
        return None
    text = [f"{general.PREDICTIONS}{_untrained(record, frame)}"]
    title = f"{COUNTS.get(len(frame), len(frame))} predictions, before and after training"
    if record.data.is_table:
        shown = [_predicted(record, frame)]
        return Section("predictions", title, text, tables=shown, frames=[("predictions", frame)])
    return Section("predictions", title, text, sheets=[sheet("predictions", title, frame)])


COUNTS = {10: "Ten"}
GUESS = 0.1  # an untrained model guesses where its probabilities are so near a half


def _untrained(record: Record, frame: pd.DataFrame) -> str:
    """Which models guess before their training, where some do."""
    shown = [search for search, _ in record.winners if search.weights is not None]
    guess = [
        search.noun
        for search in shown
        if (frame[f"{search.key}_before"] - 0.5).abs().max() <= GUESS
    ]
    if not guess:
        return ""
    is_one = len(guess) == 1
    near = f"{'stays' if is_one else 'stay'} within {100 * GUESS:.0f} percentage points of 50 %"
    it = "it guesses" if is_one else "they guess"
    return f" Untrained, {formats.listed(guess)} {near}: {it}."


def _predicted(record: Record, frame: pd.DataFrame) -> Table:
    """A row of the table a row: what each winner said before its training, and says now."""
    shown = [search for search, _ in record.winners if search.weights is not None]
    rows = [
        [
            str(row["place"]),
            str(row["class"]),
            *(tables.predicting.before_and_after(row, search) for search in shown),
        ]
        for row in frame.to_dict("records")
    ]
    header = ["Row", "Class", *(search.title for search in shown)]
    return Table("The first validation rows of each class", header, rows)


def mistakes(record: Record, trials: pd.DataFrame) -> Section | None:
    """The validation images or rows that each winner, and all, get wrong."""
    if not record.winners:
        return None
    title, more = f"The {record.items} they get wrong", classes(record)
    if record.data is None:
        return Section("mistakes", title, [f"Not shown: {record.no_data}."], more=more)
    frame = tables.misread(record, record.data)
    text = [general.MISREAD if record.data.is_table else general.MISREAD_PICTURES]
    if len(record.winners) == 2:
        text.insert(0, _paired(record))
    if len(record.winners) > 1 and record.comparison is None:
        text.insert(0, general.MCNEMAR.format(items=record.items))
    paired = [_paired_table(record)] if len(record.winners) > 2 else []
    if record.data.is_table:
        shown = [_misread(record, record.data, frame)] if len(frame) else []
        both = [*paired, *shown]
        frames = [("misread", frame)]
        return Section("mistakes", title, text, tables=both, frames=frames, more=more)
    sheets = [sheet("misread", title, frame)] if len(frame) else []
    return Section("mistakes", title, text, tables=paired, sheets=sheets, more=more)


def _misread(record: Record, data: Data, frame: pd.DataFrame) -> Table:
    """A row of the table a row: what it is, and what each winner takes it for."""
    rows = [
        [
            str(row["place"]),
            str(row["class"]),
            *(_takes(row, search, data) for search, _ in record.winners),
        ]
        for row in frame.head(SHOWN).to_dict("records")
    ]
    left = len(frame) - SHOWN
    note = f"The first {SHOWN}; all are in tables/misread.csv." if left > 0 else ""
    header = ["Row", "Class", *(search.title for search, _ in record.winners)]
    caption = f"{formats.plural(len(frame), 'row')} that a model gets wrong"
    return Table(caption, header, rows, note)


def _takes(row: dict[Hashable, Any], search: ReportedStudy, data: Data) -> str:
    """``malignant, 83 %`` where the model is wrong; ``right`` where it is not."""
    if not row[f"{search.key}_wrong"]:
        return "right"
    said, p = row[f"{search.key}_says"], float(row[f"p_{search.key}"])
    sure = p if said == data.classes[1] else 1 - p
    return f"{said}, {100 * sure:.0f} %" if np.isfinite(p) else str(said)


def _counts(record: Record, best: StoredTrial, other: StoredTrial) -> stats.PairedCounts:
    assert record.data is not None
    return stats.paired_counts(*(tables.wrong(record.data, trial) for trial in (best, other)))


def _paired(record: Record) -> str:
    (a, best_a), (b, best_b) = record.winners
    c = _counts(record, best_a, best_b)
    test, ends = stats.mcnemar(c.only_a, c.only_b), stats.newcombe(c)
    return general.PAIRED_COUNTS.format(
        First=formats.capital(a.noun),
        only_first=f"{c.only_a:,}",
        items=record.items,
        second=b.noun,
        only_second=f"{c.only_b:,}",
        both=f"{c.both:,}",
        neither=f"{c.neither:,}",
        gap=f"{100 * c.difference:+.2f}",
        ends=f"{100 * ends.lower:+.2f} to {100 * ends.upper:+.2f}",
        p=formats.p_value(test.mid_p),
    )


def _paired_table(record: Record) -> Table:
    """A row a pair of models: the images that one, both or neither gets wrong."""
    header = ["Pair", "Only the first\nerrs on", "Only the second\nerrs on", "Both", "Neither"]
    rows = []
    for (a, best_a), (b, best_b) in combinations(record.winners, 2):
        c = _counts(record, best_a, best_b)
        test, ends = stats.mcnemar(c.only_a, c.only_b), stats.newcombe(c)
        counts = [f"{count:,}" for count in (c.only_a, c.only_b, c.both, c.neither)]
        gap = f"{100 * c.difference:+.2f}\n{100 * ends.lower:+.2f} to {100 * ends.upper:+.2f}"
        rows.append([f"{a.title} and {b.title}", *counts, gap, formats.p_value(test.mid_p)])
    return Table(
        f"The same {record.items}, pair by pair",
        [*header, "Difference, points\npaired 95 % interval", "McNemar’s\nmid-p"],
        rows,
        general.ALL_PAIRED.format(items=record.items),
        kind="paired",
    )
