"""The sentences of a sweep's page, and what it calls the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study import formats
from study.report import words
from study.sweep.rows import Content, Row
from study.training.registry import model_named

NUMBERS = ("two", "three", "four", "five", "six")


def noun(model: str) -> str:
    """What a sentence calls a model: ``the linear model``."""
    return f"the {model_named(model).label or model}"


def short(model: str) -> str:
    """What a cell calls it: ``linear``, ``MLP``."""
    return model_named(model).label.removesuffix(" model") or model


def heading(model: str) -> str:
    """What a column is called: ``Linear``, ``MLP``; a model without a label by its name."""
    label = short(model)
    return label[0].upper() + label[1:] if model_named(model).label else label


def title(content: Content, row: Row) -> str:
    """What the table calls a data set: ``4 against 9``; ``MNIST 4 against 9`` beside others."""
    beside = row.data.pair and not content.only_pairs
    return f"{_source(content)} {row.data.title}" if beside else row.data.title


def _source(content: Content) -> str:
    return words.SOURCES.get(content.dataset, content.dataset)


def winner(row: Row) -> str:
    """The best model, or which of several tie."""
    if row.winner != "tie":
        return short(row.winner)
    whole = len(row.leaders) == len(row.sides)
    return "tie" if whole else f"tie of {formats.listed([short(m) for m in row.leaders])}"


def size(row: Row) -> str:
    """``569 rows, 30 columns; benign against malignant``."""
    rows, classes = row.n_train + row.n_val, " against ".join(map(str, row.classes))
    return f"{rows:,} rows, {formats.plural(row.columns, 'column')}; {classes}"


def trials(row: Row) -> str:
    """``64 of 64`` trials were trained to the end, of each model where they differ."""
    counts = [f"{side.complete} of {side.trials}" for side in row.sides.values()]
    return ", ".join(counts if len(set(counts)) > 1 else counts[:1])


def question(content: Content) -> str:
    """What was asked."""
    count = NUMBERS[len(content.models) - 2]
    every = "both" if count == "two" else "all"
    data = formats.plural(len(content.rows), content.noun)
    if content.only_pairs:
        counted = "Every pair" if content.is_matrix else data
        data = f"{counted} of {_source(content)}’s classes"
    return f"{data}: which of {count} small models errs less, once {every} are tuned?"


def answer(content: Content) -> str:
    """How often each model erred least, in one sentence, over the rows that are counted."""
    counted = [row for row in content.rows if not row.note]
    if not counted:
        return f"No {content.noun} has been searched to its end yet."
    wins = {model: sum(row.winner == model for row in counted) for model in content.models}
    ties = formats.plural(len(counted) - sum(wins.values()), "tie")
    data = formats.plural(len(counted), content.noun)
    if len(wins) > 2:
        return f"{_wins(wins, data)}, with {ties}{_lead(content, counted)}."
    first, second = wins
    row = max(counted, key=lambda row: row.gap)  # the first of several
    return (
        f"At its best {noun(second)} erred less on {wins[second]} of {data}, {noun(first)} on "
        f"{wins[first]}, with {ties}; they differ most on {title(content, row)}, by "
        f"{_points(row)}."
    )


def _wins(wins: Mapping[str, int], data: str) -> str:
    """On how many data sets each of three or more models erred less than every other."""
    order = sorted((model for model in wins if wins[model]), key=lambda model: -wins[model])
    if not order:
        return f"No model erred less than every other on any of {data}"
    first, *others = order
    rest = [f"{noun(model)} on {wins[model]}" for model in others]
    rest += ["no other on any"] if len(order) < len(wins) else []
    return ", ".join([f"At its best {noun(first)} erred least on {wins[first]} of {data}", *rest])


def _lead(content: Content, counted: Sequence[Row]) -> str:
    """Where the winner is farthest ahead of the next model, if one wins anywhere."""
    row = max(counted, key=lambda row: row.gap)
    where = f"; the best leads most on {title(content, row)}, by {_points(row)}"
    return where if row.gap else ""


def _points(row: Row) -> str:
    return f"{100 * row.gap:.2f} percentage points"


def apart(content: Content) -> str:
    """What is not counted, in one sentence; empty where all is."""
    count = sum(bool(row.note) for row in content.rows)
    if not count:
        return ""
    return (
        f"{formats.plural(count, content.noun)} {'is' if count == 1 else 'are'} shown and not "
        "counted: searched with fewer trials than were asked for, or with other settings than "
        "most, as is listed below the table."
    )
