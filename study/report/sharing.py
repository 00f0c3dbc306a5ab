"""What a search engine, a browser's tab or a shared link shows of a report."""

from study import formats
from study.report.headline import answer, which_class
from study.report.record import Record


def title(record: Record) -> str:
    """The answer in 60 letters at most, as a search engine and a shared link show it."""
    return shortened(answer(record).headline, 60)


def description(record: Record) -> str:
    """What was asked, and each model's error, in 160 letters at most."""
    c = record.comparison
    if c is None:
        kind = "Lowest validation error, not confirmed:"
        errors = [f"{search.noun} {formats.percent(b.val_error)}" for search, b in record.winners]
    else:
        kind = f"Error on held-out {record.items}:"
        nouns = {search.name: search.noun for search in record.searches}
        errors = [f"{nouns[s.study]} {formats.percent(s.holdout.mean)}" for s in c.sides]
    found = f" {kind} {formats.listed(errors)}." if errors else ""
    return shortened(f"{which_class(record)}{found}", 160)


def shortened(text: str, letters: int) -> str:
    """A text that is too long, up to the end of a word, where it has one."""
    if len(text) <= letters:
        return text
    return f"{text[: letters - 1].rsplit(' ', 1)[0]}…"
