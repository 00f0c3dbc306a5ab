"""The words of the report's first screen: the question, the answer, and the numbers behind it."""

from __future__ import annotations

from typing import NamedTuple

from study import formats
from study.dataset import is_official
from study.report import general
from study.report.record import Record, ReportedStudy
from study.report.words import SOURCES, a_class
from study.trials import StoredTrial

Winner = tuple[ReportedStudy, StoredTrial]
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def question(record: Record) -> str:
    """What was asked."""
    count = NUMBERS[len(record.searches)]
    every = "both" if count == "two" else "all"
    protocol = record.protocol
    asked = which_class(record)
    on = "" if is_official(protocol.dataset) else f" on {protocol.dataset}"
    if count == "one":
        return f"{asked} How well can {record.searches[0].noun} tell{on}, once tuned?"
    return f"{asked} Which of {count} small models errs less{on}, once {every} are tuned?"


def which_class(record: Record) -> str:
    """What is asked of an image of the official files, or of a person's own data."""
    protocol = record.protocol
    if not is_official(protocol.dataset):
        first, second = map(str, protocol.classes)
        return f"Class {first} or {second}?"
    first, second = (a_class(protocol.dataset, label) for label in protocol.classes)
    if protocol.dataset == "mnist":
        return f"Is this handwritten digit {first} or {second}?"
    source = SOURCES.get(protocol.dataset)
    return f"Is this {f'{source} image' if source else 'image'} of {first} or of {second}?"


class Answer(NamedTuple):
    """What a reader takes away: which model, then by how much and how sure."""

    headline: str  # in 15 words at most, names of studies as they are
    numbers: str  # whole sentences


def answer(record: Record) -> Answer:
    """The verdict; of the lowest validation errors only where nothing was confirmed."""
    winners = record.winners
    if not winners:
        return Answer(
            "No answer yet: no trial has been trained to the end",
            "The trials that there are were pruned, or none has been run.",
        )
    if len(winners) < 2:
        [(search, best)] = winners
        return Answer(
            f"{formats.capital(search.noun)}’s best trial {_misread(record, best)}", _lacks(record)
        )
    if record.comparison is not None:
        verdict = record.comparison.verdict
        return Answer(verdict.headline, f"{verdict.evidence[:1].upper()}{verdict.evidence[1:]}")
    ranked = sorted(winners, key=lambda pair: pair[1].val_errors)
    level = [search for search, best in ranked if best.val_errors == ranked[0][1].val_errors]
    if len(level) > 1:
        return _tie(record, level, ranked)
    return _lead(record, ranked) if len(ranked) == 2 else _lead_of_many(record, ranked)


def _misread(record: Record, best: StoredTrial) -> str:
    """``misread 27 of 1,791 validation images``."""
    verb = "misread" if record.items == "images" else "misclassified"
    return f"{verb} {best.val_errors:,} of {best.n_val:,} validation {record.items}"


def _tie(record: Record, level: list[ReportedStudy], ranked: list[Winner]) -> Answer:
    """The best models err alike; of the others, how often."""
    nouns = [search.noun for search in level]
    between = formats.listed(nouns) if len(nouns) == 2 else f"{len(nouns)} models"
    tied = formats.listed([f"the best of {noun}" for noun in nouns])
    each = _misread(record, ranked[0][1])
    return Answer(
        f"A tie between {between}, {_unconfirmed(record)}",
        f"{formats.capital(tied)} each {each}{_others(ranked[len(level) :])}.",
    )


def _others(behind: list[Winner]) -> str:
    """What the models behind the leaders misread."""
    counts = [f"{search.noun} {best.val_errors:,}" for search, best in behind]
    return f", {formats.listed(counts)}" if counts else ""


def _lead(record: Record, ranked: list[Winner]) -> Answer:
    (search, best), (other, second) = ranked
    gap = 100 * (second.val_error - best.val_error)
    return Answer(
        f"{formats.capital(search.noun)} erred less, {_unconfirmed(record)}",
        f"At its best it {_misread(record, best)}, {other.noun} {second.val_errors:,}, a"
        f" difference of {gap:.2f} percentage points, for a search of"
        f" {formats.seconds(search.seconds)} instead of {formats.seconds(other.seconds)}.",
    )


def _lead_of_many(record: Record, ranked: list[Winner]) -> Answer:
    search, best = ranked[0]
    return Answer(
        f"{formats.capital(search.noun)} erred least, {_unconfirmed(record)}",
        f"At its best it {_misread(record, best)}{_others(ranked[1:])}.",
    )


def _unconfirmed(record: Record) -> str:
    return f"not yet confirmed on fresh {record.items}"


def _lacks(record: Record) -> str:
    if len(record.searches) > 2:
        return "No other model has a trial that was trained to the end, so nothing is compared."
    if len(record.searches) > 1:
        return "The other model has no trial that was trained to the end, so nothing is compared."
    return "There is no second study here to compare it with."


def caveats(record: Record) -> list[str]:
    """What a word of the answer means, where it is in it."""
    c = record.comparison
    within = c is not None and any(pair.verdict.within_margin for pair in c.pairs)
    return [general.EQUIVALENT] if within else []
