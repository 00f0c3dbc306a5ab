"""How the report says things: number formats, and the sentences of its first screen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from study.report.record import Record, Searched
from study.stats import Interval
from study.trials import StoredTrial

SOURCES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(fraction: float) -> str:
    """``2.40 %``."""
    return f"{100 * fraction:.2f} %"


def short_percent(fraction: float) -> str:
    """``3.5 %``: as many digits as it has."""
    return f"{100 * fraction:.4g} %"


def error(errors: float, n: int) -> str:
    """``2.40 % (43 of 1,791)``; a mean count has one decimal."""
    count = f"{errors:,}" if isinstance(errors, int) else f"{errors:,.1f}"
    return f"{percent(errors / n)} ({count} of {n:,})"


def interval(ends: Interval) -> str:
    """``1.93 % to 3.41 %``; an error is not below 0."""
    return f"{percent(max(ends.lower, 0))} to {percent(ends.upper)}"


def counted_interval(ends: Interval, n: int) -> str:
    """``1.93 % to 3.41 % (35 to 61)``."""
    return f"{interval(ends)} ({max(ends.lower, 0) * n:.0f} to {ends.upper * n:.0f})"


def p_value(p: float) -> str:
    """``0.038``, or a bound where it is tiny."""
    return f"{p:.2g}" if p >= 0.001 else rate(float(f"{p:.1e}"))


def power_of_ten(exponent: int) -> str:
    """``10⁻³``, and the small numbers that need no power."""
    if -2 <= exponent <= 1:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def rate(learning_rate: float) -> str:
    """A learning rate, three digits: ``0.0798``, ``2.5·10⁻⁵``, ``10⁻⁵``."""
    digits, _, exponent = f"{learning_rate:.3g}".partition("e")
    if not exponent:
        return digits
    power = power_of_ten(int(exponent))
    return power if digits == "1" else f"{digits}·{power}"


def seconds(duration: float) -> str:
    """A duration, as people say it."""
    if duration < 9.95:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes:,} min {rest} s" if minutes else f"{rest} s"


def plural(count: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else "none"


def class_name(dataset: str, label: int) -> str:
    """What the images of a class are called."""
    return str(label) if dataset == "mnist" else f"class {label}"


def training_set(dataset: str) -> str:
    """What the images were taken from."""
    source = SOURCES.get(dataset)
    return f"{source}’s official training set" if source else "a training set of one’s own"


def a_class(dataset: str, label: int) -> str:
    """The same in a sentence: ``a 4``, ``class 4``."""
    return ("a " if dataset == "mnist" else "") + class_name(dataset, label)


def capital(text: str) -> str:
    """Begin a sentence with it; a study's name stays as it is."""
    return f"T{text[1:]}" if text.startswith("the ") else text


def question(record: Record) -> str:
    """What was asked."""
    protocol = record.protocol
    first, second = (a_class(protocol.dataset, label) for label in protocol.classes)
    asked = f"Is this handwritten digit {first} or {second}?"
    if protocol.dataset != "mnist":
        source = SOURCES.get(protocol.dataset)
        asked = f"Is this {f'{source} image' if source else 'image'} of {first} or of {second}?"
    if len(record.searches) < 2:
        return f"{asked} How well can {record.searches[0].noun} tell, once tuned?"
    return f"{asked} Which of two small models errs less, once both are tuned?"


def answer(record: Record) -> str:
    """The one sentence that a reader takes away: which model, by how much, how sure, at what cost.

    Of the lowest validation errors only where nothing was confirmed on fresh images.
    """
    winners = record.winners
    if not winners:
        return "No answer yet: no trial has been trained to the end."
    if len(winners) < 2:
        [(search, best)] = winners
        named = f"{capital(search.noun)}’s best trial misread"
        return f"{named} {best.val_errors:,} of {best.n_val:,} validation images. {_lacks(record)}"
    if record.comparison is not None:
        return verdict(record)
    (search, best), (other, second) = sorted(winners, key=lambda pair: pair[1].val_errors)
    if best.val_errors == second.val_errors:
        names = [f"the best of {s.noun}" for s in record.searches]
        return (
            f"A tie: {listed(names)} each misread {best.val_errors:,} of"
            f" {best.n_val:,} validation images."
        )
    gap = 100 * (second.val_error - best.val_error)
    return (
        f"{capital(search.noun)} erred less: at its best it misread"
        f" {best.val_errors:,} of {best.n_val:,} validation images, {other.noun}"
        f" {second.val_errors:,}, a difference of {gap:.2f} percentage points, not yet confirmed"
        f" on fresh images, {_cost(search, other)}."
    )


def verdict(record: Record) -> str:
    """What the confirmation found, in one sentence that may be quoted."""
    c = record.comparison
    assert c is not None
    sides = list(zip(record.searches, (c.a, c.b), strict=True))
    (ahead, less), (behind, more) = sorted(sides, key=lambda side: side[1].holdout.mean)
    gap = c.difference.interval if ahead is sides[1][0] else c.difference.interval.mirrored()
    return (
        f"{_outcome(record)}: on images that played no part in tuning, {ahead.noun} errs on"
        f" {percent(less.holdout.mean)} and {behind.noun} on {percent(more.holdout.mean)}, a"
        f" difference of {100 * abs(c.difference.mean):.2f} percentage points (95 % interval"
        f" {100 * gap.lower:.2f} to {100 * gap.upper:.2f}), {_cost(ahead, behind)}."
    )


def _outcome(record: Record) -> str:
    c = record.comparison
    assert c is not None
    a, b = (search.noun for search in record.searches)
    said = {
        "A better": f"{capital(a)} is better",
        "B better": f"{capital(b)} is better",
        "suggestive": f"The evidence favours {b if c.verdict.leader == 'B' else a}, no more",
        "equivalent": "The two models are equivalent in practice",
        "not separated": "The two models are not separated",
    }[c.verdict.outcome]
    if c.verdict.separated and c.verdict.outcome == "not separated":
        return "The two models differ on the holdouts, but not reliably on fresh seeds"
    return said


def _cost(search: Searched, other: Searched) -> str:
    return f"for a search of {seconds(search.seconds)} instead of {seconds(other.seconds)}"


def caveat(record: Record) -> str:
    """What the answer does not say."""
    if not record.winners:
        return "The trials that there are were pruned, or none has been run."
    both = len(record.winners) > 1
    counts = [plural(len(search.trials), "trial") for search, _ in record.winners]
    lowest = f"{'Each' if both else 'The'} lowest validation error is that of {listed(counts)}"
    if both and counts[0] == counts[1]:
        lowest = f"Each lowest validation error is that of {counts[0]}"
    return (
        f"{lowest} and of all the validations during their training, chosen on the very images"
        f" that it is counted on, so it flatters {'both models' if both else 'the model'} a"
        " little. Its interval says how far another draw of images could move it; it allows"
        f" neither for that choice nor for another seed. {_confirmed(record)}"
    )


def _confirmed(record: Record) -> str:
    c = record.comparison
    if c is None:
        why = f": {record.unconfirmed}" if record.unconfirmed else ""
        return f"It has not been confirmed on fresh seeds here{why}."
    return (
        f"The error on fresh images comes from {c.n_splits} whole searches, each judged once on"
        " images that it had not seen; its interval covers images, seeds and the search."
    )


def _lacks(record: Record) -> str:
    if len(record.searches) > 1:
        return "The other model has no trial that was trained to the end, so nothing is compared."
    return "There is no second study here to compare it with."


def parameters(best: StoredTrial) -> str:
    """``learning rate 0.0798, 115 hidden units``."""
    units = "" if best.hidden_units is None else f", {best.hidden_units} hidden units"
    return f"learning rate {rate(best.learning_rate)}{units}"


def counted(search: Searched) -> str:
    """``64 (1 diverged)``: all trials, and those that were not trained well to the end."""
    found = {k: search.outcomes[k] for k in ("diverged", "pruned") if search.outcomes[k]}
    found |= {state.lower(): count for state, count in search.unfinished.items()}
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.items())
    total = len(search.trials) + sum(search.unfinished.values())
    return f"{total:,}" + (f" ({kinds})" if kinds else "")


def finite(value: float) -> float | None:
    """``None`` for what JSON can't hold."""
    return value if math.isfinite(value) else None
