"""Was it a fair comparison: what the models had alike, and what they had not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from study import formats
from study.report import general, parameters
from study.report.content import Section, Table
from study.report.record import Record
from study.report.reproducibility import facts

ABOUT = 1.1  # the longest training time is at most so many times the shortest: about equal


def fairness(record: Record, trials: pd.DataFrame) -> Section:
    """What all models had, side by side."""
    table = Table("", ["", *(s.title for s in record.searches)], facts(record))
    more = [Section("fairness", "What each model had", tables=[table])]
    return Section("fairness", "Was it a fair comparison?", [_answer(record)], more=more)


def _answer(record: Record) -> str:
    """Were trials, time and what was to be searched equal, and who had it easier."""
    if len(record.searches) == 1:
        return "Nothing is compared here: there is one study."
    trials = [len(search.trials) for search in record.searches]
    seconds = [search.seconds for search in record.searches]
    searched = [len(parameters.searched(search)) for search in record.searches]
    is_about = max(seconds) <= ABOUT * min(seconds)
    had = [
        f"{_equal(trials)} numbers of trials ({_of_each(record, trials)})",
        f"{'about equal' if is_about else 'unequal'} training times"
        f" ({_listed(record, [formats.seconds(each) for each in seconds])})",
        f"{_equal(searched)} numbers of hyperparameters to search ({_of_each(record, searched)})",
    ]
    first = f"The models had {formats.listed(had)}."
    return f"{first}{_advantage(record, trials, searched)} {general.ALL_THE_SAME}"


def _equal(counts: Sequence[int]) -> str:
    return "equal" if len(set(counts)) == 1 else "unequal"


def _of_each(record: Record, counts: Sequence[int]) -> str:
    """``64 each``, or ``64 for the linear model and 32 for the MLP``."""
    said = [f"{count:,}" for count in counts]
    return f"{said[0]} each" if len(set(counts)) == 1 else _listed(record, said)


def _listed(record: Record, said: Sequence[str]) -> str:
    models = (search.noun for search in record.searches)
    return formats.listed([f"{one} for {model}" for one, model in zip(said, models, strict=True)])


def _advantage(record: Record, trials: Sequence[int], searched: Sequence[int]) -> str:
    """What an unequal number of trials, or of hyperparameters, means for the lowest errors."""
    if len(set(trials)) > 1:
        return f" {general.MORE_TRIALS} {_most(record, trials)} had the most."
    if len(set(searched)) > 1:
        most = formats.capital(_most(record, searched))
        return f" {most} had more to search with the same trials."
    return ""


def _most(record: Record, counts: Sequence[int]) -> str:
    nouns = [
        search.noun
        for search, count in zip(record.searches, counts, strict=True)
        if count == max(counts)
    ]
    return formats.listed(nouns)
