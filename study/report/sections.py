"""What stands on the page, in the order a reader asks for it.

Each section is a function of the record that returns ``None`` where it has nothing to say.
The words are for a student who knows what a learning rate is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from study import stats
from study.report import confirmed, evidence, figures, pictures, tables, words
from study.report.drawing import Chart
from study.report.parts import Section, Table
from study.report.record import Record, Searched
from study.report.reproducing import commands, facts


def compose(record: Record) -> list[Section]:
    """The sections that this record has; the first is the first screen."""
    trials = tables.trials(record)
    made = (section(record, trials) for section in SECTIONS)
    return [section for section in made if section is not None]


def answer(record: Record, trials: pd.DataFrame) -> Section:
    """The first screen: the question, the answer, the two errors, one picture."""
    frame = tables.answer(record)
    rows = [_answer_row(search) for search in record.searches]
    header = ("Model", "Validation error", "95 % interval", "Target", "Trials", "Training time")
    found = "; ".join(
        f"{figures.TITLES[row['model']]} {words.error(row['val_errors'], row['n_val'])}, interval"
        f" {words.percent(row['wilson_lower'])} to {words.percent(row['wilson_upper'])}, target"
        f" {words.short_percent(row['target'])}"
        for row in frame.to_dict("records")
    )
    chart = Chart(
        "answer",
        "The lowest validation error that each search found",
        figures.answer,
        frame,
        alt=f"Dot plot of the lowest validation errors. {found}.",
        size=(7.2, 0.9 + 0.75 * len(frame)),
        narrow=(3.7, 1.0 + 0.75 * len(frame)),
    )
    return Section(
        "answer",
        words.question(record),
        (words.answer(record), words.caveat(record)),
        [chart] if len(frame) else [],
        [Table("The best trial of each study", header, rows)],
        frames=[("trials", trials)],
    )


def _answer_row(search: Searched) -> list[str]:
    best = search.best
    cost = (words.counted(search), words.seconds(search.seconds))
    if best is None:
        return [search.title, "no trial trained to the end", "", _target(search), *cost]
    interval = stats.wilson(best.val_errors, best.n_val)
    ends = f"{words.percent(interval.lower)} to {words.percent(interval.upper)}"
    return [search.title, words.error(best.val_errors, best.n_val), ends, _target(search), *cost]


def _target(search: Searched) -> str:
    rule = " for the interval’s upper end" if search.target_rule == "wilson" else ""
    met = "met" if search.target_met else "missed"
    return f"{words.short_percent(search.target)}{rule}: {met}"


def data(record: Record, trials: pd.DataFrame) -> Section:
    """Which images there are, and what is done to them."""
    protocol = record.protocol
    names = [words.class_name(protocol.dataset, label) for label in protocol.classes]
    text = [
        f"The {words.listed([f'{name}s' if name.isdigit() else name for name in names])} of"
        f" {words.training_set(protocol.dataset)}, in the file’s order: the first"
        f" {protocol.n_train:,} train, the rest validate. Each image is centred and scaled by its"
        " own mean and standard deviation."
    ]
    if record.pair is None:
        return Section("data", "The data", [*text, f"Counts and images: {record.no_pair}."])
    counts = tables.data_counts(record.pair)
    rows = [[row[0].capitalize(), *(f"{n:,}" for n in row[1:])] for row in counts.to_numpy()]
    header = ["Images", *(name.capitalize() for name in names), "All"]
    return Section("data", "The data", text, tables=[Table("Images of each class", header, rows)],
                   strips=pictures.averages(record.pair), frames=[("data", counts)])  # fmt: skip


def fairness(record: Record, trials: pd.DataFrame) -> Section:
    """What both models had, side by side."""
    table = Table("", ["", *(s.title for s in record.searches)], facts(record))
    return Section("fairness", "Was it a fair comparison?", (), tables=[table])


def reproduce(record: Record, trials: pd.DataFrame) -> Section:
    """How to get the same numbers, and what was not done."""
    text = [
        "With the versions above, on the same kind of processor, these commands give the same"
        " trials, bit for bit.",
        f"SHA-256 of the images and labels: {record.searches[0].manifest['data_sha256']}",
    ]
    return Section("reproduce", "How to reproduce it", text, commands=commands(record))


def not_done(record: Record, trials: pd.DataFrame) -> Section:
    """What the numbers can't say, and why."""
    test_set = "The official test set was neither read nor downloaded."
    if record.comparison is not None:
        return Section("not-done", "What was not done", [test_set])
    text = [
        test_set,
        "The winners were not retrained on fresh seeds. The validation images chose the learning"
        " rate, the hidden units and the step, so the errors above are not free of that choice,"
        " and the same models would probably err more on new images.",
    ]
    return Section("not-done", "What was not done", text)


SECTIONS: Sequence[Callable[[Record, pd.DataFrame], Section | None]] = (
    answer,
    confirmed.comparison,
    evidence.learning_rate,
    evidence.search,
    evidence.training,
    evidence.weights,
    evidence.mistakes,
    data,
    fairness,
    reproduce,
    not_done,
)
