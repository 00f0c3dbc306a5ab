"""The data: which images or rows there are, and what is done to them."""

from __future__ import annotations

import pandas as pd

from study import formats
from study.dataset import Data, is_official
from study.report import figures, general, tables, words
from study.report.content import Section, Table
from study.report.figures.images import examples_size, sheet_size
from study.report.pictures import SIDE
from study.report.record import Record
from study.report.rendering import Chart

SHOWN_COLUMNS = 30  # of a table, on the page


def data(record: Record, trials: pd.DataFrame) -> Section:
    """Which images or rows there are, and what is done to them."""
    one_draw = general.ONE_DRAW.format(items=record.items)
    unread = [general.TEST_SET] if is_official(record.protocol.dataset) else []
    about = [f"{_which(record)} {_split(record)} {_normalised(record)}", one_draw, *unread]
    text = [" ".join(about)]
    if record.data is None:
        what = f"Counts and {record.items}"
        return Section("data", "The data", [*text, f"{what}: {record.no_data}."])
    counts = tables.data_counts(record.data)
    if record.data.is_table:
        return _of_rows(record.data, text, counts)
    averages = tables.averages(record.data)
    return Section(
        "data",
        "The data",
        text,
        tables=[_counts(record.data, counts)],
        sheets=[sheet("averages", "The average digits", averages)],
        frames=[("data", counts)],
        more=[_normalising(record.data)],
    )


def _normalising(data: Data) -> Section:
    """The first images of each class, and what normalisation does to them."""
    return Section("data", "The first training images", charts=[_examples(data)])


def _which(record: Record) -> str:
    """What the data are, up to their order."""
    protocol = record.protocol
    names = [words.class_name(protocol.dataset, label) for label in protocol.classes]
    if is_official(protocol.dataset):
        plural = formats.listed([f"{name}s" if name.isdigit() else name for name in names])
        return f"The {plural} of {words.training_set(protocol.dataset)},"
    size = "" if record.data is None else f", {_size(record.data)}"
    column = f", by the column {protocol.label}" if protocol.label else ""
    both = " and ".join(names)
    return f"The {record.items} of {protocol.dataset} of {both}{column}{size},"


def _size(data: Data) -> str:
    if data.is_table:
        return formats.plural(data.inputs, "column")
    colour = "in colour" if len(data.shape) == 3 else "in grey"
    return f"{data.shape[0]} × {data.shape[1]} pixels {colour}"


def _split(record: Record) -> str:
    """In which order they are, and which of them train."""
    protocol = record.protocol
    rest = general.SPLIT.format(train=f"{protocol.n_train:,}")
    if protocol.order is None:
        return f"in the file’s order: {rest}"
    return (
        f"shuffled (seed {protocol.order}) so that both parts have the same shares of the classes:"
        f" {rest}"
    )


def _normalised(record: Record) -> str:
    """What is done to the numbers before a model sees them."""
    each = record.item
    return {
        "image": f"Each {each} is centred and scaled by its own mean and standard deviation, so"
        " that all have the same mean and the same"
        f" {'contrast' if each == 'image' else 'spread'}.",
        "columns": f"Each {'pixel' if each == 'image' else 'column'} is centred and scaled by its"
        " mean and standard deviation in the training part; one that is constant there becomes 0.",
        "none": "The models see the numbers as they are in the file.",
    }[record.protocol.normalisation]


def _counts(data: Data, counts: pd.DataFrame) -> Table:
    names = [words.class_name(data.dataset, label) for label in data.classes]
    rows = [[row[0].capitalize(), *(f"{n:,}" for n in row[1:])] for row in counts.to_numpy()]
    items = data.items.capitalize()
    return Table(f"{items} of each class", [items, *map(_title, names), "All"], rows)


def _title(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def _examples(data: Data) -> Chart:
    frame = tables.examples(data)
    is_both = data.normalisation != "none"
    unit = "their own image’s" if data.normalisation == "image" else "each pixel’s own"
    large = " Of large images every k-th pixel is drawn." if max(data.shape[:2]) > SIDE else ""
    grey = " Of colours the mean is drawn." if len(data.shape) == 3 else ""
    below = ", above as they are in the file, below normalised" if is_both else ""
    return Chart(
        "examples",
        f"Training images{', raw and normalised' if is_both else ''}",
        figures.examples,
        frame,
        alt=f"{general.EXAMPLES_ALT}{below}, {general.ON_ONE_RANGE_ALT}",
        caption=f"{general.ONE_RANGE} {general.RAW_PIXELS}"
        + (f"; normalised ones in units of {unit}." if is_both else ".")
        + grey
        + large,
        size=examples_size(frame, 7.6, 1.85),
        narrow=examples_size(frame, 3.9, 1.3),
        values=figures.examples_values,
    )


def sheet(name: str, title: str, frame: pd.DataFrame) -> Chart:
    """A sheet of captioned pictures."""
    return Chart(name, title, figures.pictures, frame, alt=title, size=sheet_size(frame))


def _of_rows(data: Data, text: list[str], counts: pd.DataFrame) -> Section:
    """The section of a table: its counts, and its columns."""
    columns = tables.columns(data)
    rows = [
        [str(row[0]), *(f"{value:.4g}" for value in row[1:])]
        for row in columns.head(SHOWN_COLUMNS).itertuples(index=False)
    ]
    of = [f"Mean of {words.class_name(data.dataset, label)}" for label in data.classes]
    left = len(columns) - SHOWN_COLUMNS
    note = f"The first {SHOWN_COLUMNS}; all are in tables/columns.csv." if left > 0 else ""
    header = ["Column", "Mean", "Standard deviation", *of]
    shown = Table("The columns in the training part", header, rows, note, sortable=True)
    frames = [("data", counts), ("columns", columns)]
    return Section("data", "The data", text, tables=[_counts(data, counts), shown], frames=frames)
