"""Errors by class, and what the probabilities of the winners are worth: details, closed."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from study import formats
from study.dataset import Label
from study.report import general, tables, words
from study.report.content import Section, Table
from study.report.record import Record
from study.report.tables.classes import SURE


def classes(record: Record) -> list[Section]:
    """The details that this record has: errors by class, and what needs the weights."""
    frame = tables.by_class(record)
    if frame.empty:
        return []
    text = [general.BY_CLASS.format(items=record.items)]
    shown, frames = [_by_class(record, frame)], [("classes", frame)]
    found = [Section("classes", "Errors by class", text, tables=shown, frames=frames)]
    chances = None if record.data is None else tables.chances(record, record.data)
    if chances is not None and len(chances):
        found.append(_scores(record, chances))
    return found


def _by_class(record: Record, frame: pd.DataFrame) -> Table:
    """A row a class and kind of images, a column a model."""
    titles = _titles(record, frame)
    rows = []
    for _, cells in frame.groupby(["on", "class", "taken_for"], sort=False):
        errors = {row["study"]: row for row in cells.to_dict("records")}
        first = next(iter(errors.values()))  # whose labels are Python's: a key's are NumPy's
        label, other = _name(record, first["class"]), _name(record, first["taken_for"])
        rows.append(
            [
                f"{label} taken for {other}, {first['on']}",
                *(_error(errors[study]["errors"], errors[study]["images"]) for study in titles),
            ]
        )
    return Table("Errors by class", ["", *titles.values()], rows)


def _scores(record: Record, chances: pd.DataFrame) -> Section:
    scores, sure = tables.scores(chances), tables.sure(chances)
    second = _name(record, record.protocol.classes[1])
    text = [
        general.SCORES.format(items=record.items),
        general.AREA.format(items=record.items, second=second),
    ]
    return Section(
        "scores",
        "How good their probabilities are",
        text,
        tables=[_scored(record, scores), _sure(record, sure)],
        frames=[("scores", scores), ("sure", sure), ("thresholds", tables.thresholds(chances))],
    )


def _scored(record: Record, frame: pd.DataFrame) -> Table:
    """A row a score, a column a model."""
    found, titles = frame.to_dict("records"), _titles(record, frame)
    losses = {search.name: best.val_loss for search, best in record.winners}
    rows = [
        ["Area under the ROC curve (AUC)", *(f"{row['roc_auc']:.4f}" for row in found)],
        ["Brier score", *(f"{row['brier']:.4f}" for row in found)],
        ["Loss (cross-entropy)", *(f"{losses[str(row['study'])]:.3g}" for row in found)],
        [
            f"Error on the training {record.items}",
            *(_error(row["train_errors"], row["n_train"]) for row in found),
        ],
    ]
    return Table("Best trials, by other scores", ["", *titles.values()], rows)


def _sure(record: Record, frame: pd.DataFrame) -> Table:
    """A row a bin of probabilities, a column a model."""
    titles = _titles(record, frame)
    rows = []
    for low, high in pairwise(SURE):
        cells = frame[frame["from"] == low]
        errors = {row["study"]: row for row in cells.to_dict("records")}
        rows.append(
            [
                f"{formats.short_percent(low)} to {formats.short_percent(high)}",
                *(_error(errors[study]["errors"], errors[study]["images"]) for study in titles),
            ]
        )
    header = ["Sure of its answer by", *titles.values()]
    return Table("Errors by how sure the model is", header, rows, general.SURE)


def _error(errors: int, n: int) -> str:
    """An error on a line, its count below it."""
    return formats.error(errors, n).replace(" (", "\n(") if n else "–"


def _titles(record: Record, frame: pd.DataFrame) -> dict[str, str]:
    """The studies that a frame has rows of, with their titles."""
    there = set(frame["study"])
    return {search.name: search.title for search in record.searches if search.name in there}


def _name(record: Record, label: Label) -> str:
    return words.class_name(record.protocol.dataset, label)
