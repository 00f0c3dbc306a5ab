"""The sentences of the report's first screen: the question, the answer, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study import formats
from study.dataset import is_official
from study.report import general
from study.report.record import Record, ReportedStudy
from study.report.words import SOURCES, a_class, capital
from study.trials import StoredTrial

if TYPE_CHECKING:
    from study.confirm.side import Side

Winner = tuple[ReportedStudy, StoredTrial]
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def question(record: Record) -> str:
    """What was asked."""
    count = NUMBERS[len(record.searches)]
    every = "both" if count == "two" else "all"
    protocol = record.protocol
    if is_official(protocol.dataset):
        asked, on = _which_class(record), ""
    else:
        first, second = protocol.classes
        asked, on = f"Class {first} or {second}?", f" on {protocol.dataset}"
    if count == "one":
        return f"{asked} How well can {record.searches[0].noun} tell{on}, once tuned?"
    return f"{asked} Which of {count} small models errs less{on}, once {every} are tuned?"


def _which_class(record: Record) -> str:
    """Of an image of the official files, or of a person's own in their format."""
    protocol = record.protocol
    first, second = (a_class(protocol.dataset, label) for label in protocol.classes)
    if protocol.dataset == "mnist":
        return f"Is this handwritten digit {first} or {second}?"
    source = SOURCES.get(protocol.dataset)
    return f"Is this {f'{source} image' if source else 'image'} of {first} or of {second}?"


def answer(record: Record) -> str:
    """The one sentence that a reader takes away: which model, by how much, how sure.

    Of the lowest validation errors only where nothing was confirmed on fresh images.
    """
    winners = record.winners
    if not winners:
        return "No answer yet: no trial has been trained to the end."
    if len(winners) < 2:
        [(search, best)] = winners
        named = f"{capital(search.noun)}’s best trial {_misread(record, best)}"
        return f"{named}. {_lacks(record)}"
    if record.comparison is not None:
        return record.comparison.sentence
    ranked = sorted(winners, key=lambda pair: pair[1].val_errors)
    level = [search for search, best in ranked if best.val_errors == ranked[0][1].val_errors]
    if len(level) > 1:
        return _tie(record, level, ranked)
    return _lead(record, ranked) if len(ranked) == 2 else _lead_of_many(record, ranked)


def _misread(record: Record, best: StoredTrial) -> str:
    """``misread 27 of 1,791 validation images``."""
    verb = "misread" if record.items == "images" else "misclassified"
    return f"{verb} {best.val_errors:,} of {best.n_val:,} validation {record.items}"


def _tie(record: Record, level: list[ReportedStudy], ranked: list[Winner]) -> str:
    """The best models err alike; of the others, how often."""
    tied = formats.listed([f"the best of {search.noun}" for search in level])
    each = _misread(record, ranked[0][1])
    return f"A tie: {tied} each {each}{_others(ranked[len(level) :])}."


def _others(behind: list[Winner]) -> str:
    """What the models behind the leaders misread."""
    counts = [f"{search.noun} {best.val_errors:,}" for search, best in behind]
    return f", {formats.listed(counts)}" if counts else ""


def _lead(record: Record, ranked: list[Winner]) -> str:
    (search, best), (other, second) = ranked
    gap = 100 * (second.val_error - best.val_error)
    return (
        f"{capital(search.noun)} erred less: at its best it {_misread(record, best)}, {other.noun}"
        f" {second.val_errors:,}, a difference of {gap:.2f} percentage points, not yet confirmed"
        f" on fresh {record.items}, {_cost(search, other)}."
    )


def _lead_of_many(record: Record, ranked: list[Winner]) -> str:
    search, best = ranked[0]
    return (
        f"{capital(search.noun)} erred least: at its best it {_misread(record, best)}"
        f"{_others(ranked[1:])}; not yet confirmed on fresh {record.items}."
    )


def _cost(search: ReportedStudy, other: ReportedStudy) -> str:
    own, others = (formats.seconds(each.seconds) for each in (search, other))
    return f"for a search of {own} instead of {others}"


def caveats(record: Record) -> list[str]:
    """What the answer does not say, a paragraph each."""
    if not record.winners:
        return ["The trials that there are were pruned, or none has been run."]
    counts = [len(search.trials) for search, _ in record.winners]
    each = formats.listed([f"{count:,}" for count in counts[:-1]])
    last = formats.plural(counts[-1], "trial")
    lowest = general.LOWEST.format(
        The="Each" if len(counts) > 1 else "The",
        trials=last if len(set(counts)) == 1 else f"{each} and {last}",
        items=record.items,
    )
    c = record.comparison
    within = c is not None and any(pair.verdict.within_margin for pair in c.pairs)
    return [*([general.EQUIVALENT] if within else []), lowest, _optimism(record)]


def _optimism(record: Record) -> str:
    """By how much an error that a search chose by is too low, as the confirmation measured it."""
    c = record.comparison
    if c is None:
        why = f": {record.unconfirmed}" if record.unconfirmed else ""
        return (
            "Whether that makes it too low, and by how much, is not known: nothing was confirmed"
            f" here on held-out {record.items}, which play no part in a search{why}."
        )
    found = [_flattered(record.search_of(side.study).noun, side) for side in c.sides]
    return (
        f"{general.OPTIMISM.format(items=record.items)} In the searches that were judged it is on"
        f" average, in percentage points, {formats.listed(found)}."
    )


def _flattered(noun: str, side: Side) -> str:
    """``+0.25 for the MLP (16 % of the error there)``."""
    points = f"{100 * side.optimism:+.2f}"
    if float(points) == 0:
        return f"0.00 for {noun}"
    if side.optimism < 0:
        return f"{points} for {noun} (its searches looked worse than they were)"
    share = 100 * side.optimism / side.holdout.mean
    return f"{points} for {noun} ({share:.0f} % of the error there)"


def _lacks(record: Record) -> str:
    if len(record.searches) > 2:
        return "No other model has a trial that was trained to the end, so nothing is compared."
    if len(record.searches) > 1:
        return "The other model has no trial that was trained to the end, so nothing is compared."
    return "There is no second study here to compare it with."
