"""The sentences of a sweep's page, and what it calls the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study import formats
from study.report import words
from study.stats.decision import ALPHA
from study.sweep.differences import Difference
from study.sweep.rows import NO_DIFFERENCE, NO_WINNER, Content, Row
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
    """The best model, or that none is, and which are level where others are not."""
    if row.is_counted and row.winner:
        return short(row.winner)
    is_part = row.is_counted and len(row.level) < len(row.sides)
    return row.kind + f": {formats.listed([short(m) for m in row.level])}" * is_part


def gap(found: Difference) -> str:
    """``1.23 (0.45 to 2.01)``: a difference and its 95 % interval, in percentage points."""
    numbers = (found.mean, found.interval.lower, found.interval.upper)
    mean, lower, upper = (points(number) for number in numbers)
    return f"{mean} ({lower} to {upper})"


def points(fraction: float) -> str:
    """``−0.27``, in percentage points."""
    return f"{100 * fraction:.2f}".replace("-0.00", "0.00").replace("-", "−")


def adjusted_p(found: Difference) -> str:
    """Holm's p, or a dash where the row is not counted."""
    return "–" if found.p_adjusted is None else formats.p_value(found.p_adjusted)


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
    """How often each model errs clearly less, in one sentence, over the rows that are counted."""
    counted = content.counted
    if not counted:
        return f"No {content.noun} has been searched to its end yet."
    wins = {model: sum(row.winner == model for row in counted) for model in content.models}
    said = _wins(wins, formats.plural(len(counted), content.noun))
    none = _without_winner(len(counted) - sum(wins.values()), len(wins))
    lead = "Once tuned" if any(row.held_out for row in counted) else "At its best"
    return f"{lead}, {said}; {none}{_most(content)}."


def _wins(wins: Mapping[str, int], data: str) -> str:
    """On how many data sets each model errs clearly less than every other, the most first."""
    is_pair = len(wins) == 2
    less = "errs clearly less" if is_pair else "errs clearly less than every other"
    order = sorted(wins, key=lambda model: -wins[model])
    first, *others = order
    if not wins[first]:
        return f"{'neither' if is_pair else 'no'} model {less} on any of {data}"
    rest = [f"{noun(model)} on {wins[model]}" for model in others if wins[model]]
    if not wins[order[-1]]:
        rest.append(f"{noun(order[-1])} on none" if is_pair else "no other on any")
    return ", ".join([f"{noun(first)} {less} on {wins[first]} of {data}", *rest])


def _without_winner(count: int, n_models: int) -> str:
    verb = "shows" if count == 1 else "show"
    return f"{count or 'none'} {verb} {NO_DIFFERENCE if n_models == 2 else NO_WINNER}"


def _most(content: Content) -> str:
    """Where the models differ most, if any differ clearly."""
    row = max((row for row in content.counted if row.winner), key=lambda r: r.gap, default=None)
    if row is None:
        return ""
    said = "they differ most" if len(content.models) == 2 else "the best leads most"
    return f"; {said} on {title(content, row)}, by {points(row.gap)} percentage points"


def basis(content: Content) -> list[str]:
    """What “clearly” rests on, a paragraph for each kind of evidence."""
    kinds = (False, _of_validation), (True, _of_confirmation)
    groups = [
        ([row for row in content.counted if bool(row.held_out) is k], say) for k, say in kinds
    ]
    return [say(content, group) for group, say in groups if group]


def _of_validation(content: Content, rows: Sequence[Row]) -> str:
    items, both = items_of(content), "both" if len(content.models) == 2 else "all"
    return (
        f"{_clearly(content, rows)} It is the p of McNemar’s test, which looks at the {items} "
        "that only one of two models gets wrong (the mid-p, in which results just as likely as "
        "the one that was found count by half). The test compares the best trials, which were "
        f"chosen on the same validation {items}. So it describes these trials, and flatters "
        f"{both}; --confirm gives a verdict."
    )


def _of_confirmation(content: Content, rows: Sequence[Row]) -> str:
    alone = f" A verdict in the table is about its {content.noun} alone." * (len(rows) > 1)
    return (
        f"{_clearly(content, rows)} It is the p of the confirmation’s difference, on "
        f"{items_of(content)} that played no part in tuning.{alone}"
    )


def _clearly(content: Content, rows: Sequence[Row]) -> str:
    is_part = len(rows) < len(content.counted)
    where = f" on {formats.plural(len(rows), content.noun)}" * is_part
    count = sum(len(row.differences) for row in rows)
    holm = f" after Holm’s correction, which allows for all {count} tests" * (count > 1)
    return f"“Clearly”{where} means that p is below {ALPHA}{holm}."


def items_of(content: Content) -> str:
    """What the errors are counted on."""
    return "images" if content.only_pairs else "data"


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
