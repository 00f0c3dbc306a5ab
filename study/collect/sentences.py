"""The sentences of the page, each true of what was collected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from study import formats
from study.collect.content import Content
from study.collect.entries import Entry
from study.sweep.sentences import noun


def answer(content: Content) -> str:
    """How often each model errs least, in one sentence."""
    leaders = [_leaders(entry) for entry in content.entries]
    counts = Counter(found[0] for found in leaders if len(found) == 1)
    ahead = {noun(model): count for model, count in counts.most_common()}
    level = len(leaders) - counts.total()
    (first, count), *others = [*ahead.items(), *([("no one model", level)] if level else [])]
    best = "lower" if len(content.models) == 2 else "lowest"
    said = [f"{first} has the {best} error in {count}", *(f"{who} in {n}" for who, n in others)]
    return f"{formats.plural(len(leaders), 'submission')}: {', '.join(said)}."


def _leaders(entry: Entry) -> list[str]:
    """The models with the lowest error; several where they are level."""
    errors = {model: side.errors for model, side in entry.row.sides.items()}
    return [model for model, count in errors.items() if count == min(errors.values())]


def basis(content: Content) -> Iterator[str]:
    """How the errors spread, what was confirmed, and what the notes mean; a paragraph each."""
    yield " ".join(_spread(content.entries, model) for model in content.models)
    yield (
        "Each error is the lowest of its search, chosen on the very data that it is counted on, "
        "so it flatters its model."
    )
    if verdicts := Counter(entry.row.verdict for entry in content.entries if entry.row.held_out):
        listed = "; ".join(f"“{words}” {count}" for words, count in verdicts.most_common())
        yield (
            f"{verdicts.total()} of {len(content.entries)} are confirmed on data that played no "
            f"part in tuning. How often each verdict was found: {listed}."
        )
    if any(entry.notes for entry in content.entries):
        yield (
            "A note names what more than half of the submissions have otherwise, and who handed "
            "in the same trials. Searches with the same settings and seed have the same trials; a "
            "copy of a storage also has the same times."
        )


def _spread(entries: Sequence[Entry], model: str) -> str:
    errors = sorted(entry.row.sides[model].errors / entry.row.n_val for entry in entries)
    lowest, middle, highest = map(formats.percent, (errors[0], median(errors), errors[-1]))
    who = formats.capital(noun(model))
    return f"{who} errs on {lowest} to {highest}, with a median of {middle}."


def skipped(content: Content) -> str:
    """What was left out, in one sentence."""
    count = formats.plural(len(content.skipped), "place")
    return f"{count} could not be read as a submission."
