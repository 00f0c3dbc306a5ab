"""The images: the data, ten predictions, and the mistakes."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from study import formats, stats
from study.report import figures, tables, words
from study.report.content import Section, Table
from study.report.figures.images import sheet_size
from study.report.record import Record
from study.report.rendering import Chart
from study.trials import StoredTrial


def data(record: Record, trials: pd.DataFrame) -> Section:
    """Which images there are, and what is done to them."""
    protocol, pair = record.protocol, record.data
    names = [words.class_name(protocol.dataset, label) for label in protocol.classes]
    text = [
        f"The {formats.listed([f'{name}s' if name.isdigit() else name for name in names])} of"
        f" {words.training_set(protocol.dataset)}, in the file’s order: the first"
        f" {protocol.n_train:,} train, the rest validate. Each image is centred and scaled by its"
        " own mean and standard deviation, so that all have the same mean and the same contrast."
    ]
    if pair is None:
        return Section("data", "The data", [*text, f"Counts and images: {record.no_data}."])
    counts = tables.data_counts(pair)
    rows = [[row[0].capitalize(), *(f"{n:,}" for n in row[1:])] for row in counts.to_numpy()]
    header = ["Images", *(name.capitalize() for name in names), "All"]
    examples = Chart(
        "examples",
        "Training images, raw and normalised",
        figures.examples,
        tables.examples(pair),
        alt=f"The first {tables.images.EXAMPLES} training images of each class, above as they are"
        " in the file, below normalised, all on one colour range.",
        caption="All on one colour range. Raw pixels are shown in units of the standard deviation"
        " of all training pixels, from their mean; normalised ones in units of their own image’s.",
        size=(7.6, 1.85),
        narrow=(4.0, 1.3),
    )
    return Section(
        "data",
        "The data",
        text,
        [examples],
        [Table("Images of each class", header, rows)],
        sheets=[_sheet("averages", "The average digits", tables.averages(pair))],
        frames=[("data", counts)],
    )


def _sheet(name: str, title: str, frame: pd.DataFrame) -> Chart:
    return Chart(name, title, figures.pictures, frame, alt=title, size=sheet_size(frame))


def predictions(record: Record, trials: pd.DataFrame) -> Section | None:
    """What the winners say of ten images before and after training."""
    if record.data is None:
        return None
    frame = tables.predictions(record, record.data)
    if frame.empty:
        return None
    text = [
        "The probability that each winner gives to the right class, with its initial weights and"
        " with those of its best step. Untrained, a model is near 50 %: it guesses."
    ]
    title = "Ten predictions, before and after training"
    return Section("predictions", title, text, sheets=[_sheet("predictions", title, frame)])


def mistakes(record: Record, trials: pd.DataFrame) -> Section | None:
    """The validation images that each winner, and both, get wrong."""
    if not record.winners:
        return None
    title = "The images they get wrong"
    if record.data is None:
        return Section("mistakes", title, [f"Not shown: {record.no_data}."])
    frame = tables.misread(record, record.data)
    text = [
        "Each picture says what it is, what the model took it for, and the probability that"
        " the model gave to its own, wrong, answer where the weights are there."
    ]
    if len(record.winners) == 2:
        text.append(_paired(record))
    paired = [_paired_table(record)] if len(record.winners) > 2 else []
    sheets = [_sheet("misread", title, frame)] if len(frame) else []
    return Section("mistakes", title, text, tables=paired, sheets=sheets)


def _counts(record: Record, best: StoredTrial, other: StoredTrial) -> stats.PairedCounts:
    assert record.data is not None
    return stats.paired_counts(*(tables.wrong(record.data, trial) for trial in (best, other)))


def _paired(record: Record) -> str:
    (a, best_a), (b, best_b) = record.winners
    c = _counts(record, best_a, best_b)
    test, ends = stats.mcnemar(c.only_a, c.only_b), stats.newcombe(c)
    return (
        f"{words.capital(a.noun)} alone errs on {c.only_a:,} images, {b.noun} alone on"
        f" {c.only_b:,}, both on {c.both:,}, neither on {c.neither:,}. The difference of the two"
        f" errors is {100 * c.difference:+.2f} percentage points (95 % interval, paired:"
        f" {100 * ends.lower:+.2f} to {100 * ends.upper:+.2f}; McNemar’s mid-p ="
        f" {formats.p_value(test.mid_p)}), for these two trained models as they stand: choosing"
        " them on these images is not allowed for."
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
        "The same images, pair by pair",
        [*header, "Difference, points\npaired 95 % interval", "McNemar’s\nmid-p"],
        rows,
        "For these trained models as they stand: choosing them on these images is not allowed for,"
        " and neither intervals nor p are corrected for the number of pairs.",
        kind="paired",
    )
