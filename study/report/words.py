"""How the report says things: number formats, and the sentences of its first screen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from study.report.record import Record, Searched
from study.trials import StoredTrial

NAMES = {"linear": "the linear model", "mlp": "the MLP"}
SOURCES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(fraction: float) -> str:
    """``2.40 %``."""
    return f"{100 * fraction:.2f} %"


def short_percent(fraction: float) -> str:
    """``3.5 %``: as many digits as it has."""
    return f"{100 * fraction:.4g} %"


def error(errors: int, n: int) -> str:
    """``2.40 % (43 of 1,791)``."""
    return f"{percent(errors / n)} ({errors:,} of {n:,})"


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


def question(record: Record) -> str:
    """What was asked."""
    protocol = record.protocol
    first, second = (class_name(protocol.dataset, label) for label in protocol.classes)
    asked = f"Is this handwritten digit a {first} or a {second}?"
    if protocol.dataset != "mnist":
        source = SOURCES.get(protocol.dataset)
        asked = f"Is this {f'{source} image' if source else 'image'} of {first} or of {second}?"
    if len(record.searches) < 2:
        return f"{asked} How well can {NAMES[record.searches[0].model.name]} tell, once tuned?"
    return f"{asked} Which of two small models errs less, once both are tuned?"


def answer(record: Record) -> str:
    """The one sentence that a reader takes away."""
    winners = record.winners
    if not winners:
        return "No answer yet: no trial has been trained to the end."
    if len(winners) < 2:
        [(search, best)] = winners
        named = _capital(f"{NAMES[search.model.name]}’s best trial misread")
        return f"{named} {best.val_errors:,} of {best.n_val:,} validation images. {_lacks(record)}"
    (search, best), (other, second) = sorted(winners, key=lambda pair: pair[1].val_errors)
    if best.val_errors == second.val_errors:
        return (
            f"A tie: the best linear model and the best MLP each misread {best.val_errors:,} of"
            f" {best.n_val:,} validation images."
        )
    if record.comparison is not None:
        return verdict(record)
    gap = 100 * (second.val_error - best.val_error)
    return (
        f"{_capital(NAMES[search.model.name])} erred less: at its best it misread"
        f" {best.val_errors:,} of {best.n_val:,} validation images, {NAMES[other.model.name]}"
        f" {second.val_errors:,}, a difference of {gap:.2f} percentage points."
    )


def verdict(record: Record) -> str:
    """What the confirmation found, in one sentence that may be quoted."""
    c = record.comparison
    assert c is not None
    names = {"A": NAMES["linear"], "B": NAMES["mlp"]}
    said = {
        "A better": f"{names['A']} is better",
        "B better": f"{names['B']} is better",
        "suggestive": f"the evidence favours {names.get(c.verdict.leader or '', '')}, no more",
        "equivalent": "the two models are equivalent in practice",
        "not separated": "the two models are not separated",
    }[c.verdict.outcome]
    if c.verdict.separated and c.verdict.outcome == "not separated":
        said = "the two models differ on the holdouts, but not reliably on fresh seeds"
    return (
        f"{_capital(said)}: on images that played no part in tuning the MLP errs on"
        f" {percent(c.b.holdout.mean)}, the linear model on {percent(c.a.holdout.mean)}."
    )


def caveat(record: Record) -> str:
    """What the answer does not say."""
    if not record.winners:
        return "The trials that there are were pruned, or none has been run."
    both = len(record.winners) > 1
    counts = [plural(len(search.trials), "trial") for search, _ in record.winners]
    lowest = f"{'Each' if both else 'The'} error is the lowest of its study’s {listed(counts)}"
    if both and counts[0] == counts[1]:
        lowest = f"Each error is the lowest of its study’s {counts[0]}"
    return (
        f"{lowest} and of all the validations during training, chosen on the very images that it"
        f" is counted on, so it flatters {'both models' if both else 'the model'} a little. The"
        " intervals say how far another draw of images could move one error; they allow neither"
        f" for that choice nor for another seed. {_confirmed(record)}"
    )


def _confirmed(record: Record) -> str:
    if record.comparison is None:
        return "It has not been confirmed on fresh seeds here."
    return "What it is worth on fresh seeds and fresh images comes next."


def _lacks(record: Record) -> str:
    if len(record.searches) > 1:
        return "The other model has no trial that was trained to the end, so nothing is compared."
    return "There is no second study here to compare it with."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def parameters(best: StoredTrial) -> str:
    """``learning rate 0.0798, 115 hidden units``."""
    units = "" if best.hidden_units is None else f", {best.hidden_units} hidden units"
    return f"learning rate {rate(best.learning_rate)}{units}"


def weights_count(best: StoredTrial) -> int:
    """How many numbers the model learns: 784 pixels, its hidden units, one output."""
    hidden = best.hidden_units
    return 785 if hidden is None else 785 * hidden + hidden + 1


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
