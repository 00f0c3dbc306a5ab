"""The sentences of the report's first screen, and what the parts of a study are called."""

from __future__ import annotations

import math

from study import formats
from study.report.record import Record, ReportedStudy
from study.trials import StoredTrial

SOURCES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST"}


def class_name(dataset: str, label: int | str) -> str:
    """What the images of a class are called."""
    return str(label) if dataset == "mnist" else f"class {label}"


def training_set(dataset: str) -> str:
    """What the images were taken from."""
    source = SOURCES.get(dataset)
    return f"{source}’s official training set" if source else "a training set of one’s own"


def a_class(dataset: str, label: int | str) -> str:
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
            f"A tie: {formats.listed(names)} each misread {best.val_errors:,} of"
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
    """What the confirmation found, in the sentence that may be quoted, and the cost."""
    assert record.comparison is not None
    took = [f"{formats.seconds(s.seconds)} for {s.noun}" for s in record.searches]
    return f"{record.comparison.verdict.sentence} Training took {formats.listed(took)}."


def _cost(search: ReportedStudy, other: ReportedStudy) -> str:
    own, others = (formats.seconds(each.seconds) for each in (search, other))
    return f"for a search of {own} instead of {others}"


def caveat(record: Record) -> str:
    """What the answer does not say."""
    if not record.winners:
        return "The trials that there are were pruned, or none has been run."
    both = len(record.winners) > 1
    counts = [formats.plural(len(search.trials), "trial") for search, _ in record.winners]
    lowest = (
        f"{'Each' if both else 'The'} lowest validation error is that of {formats.listed(counts)}"
    )
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
    return formats.parameters(best.parameters)


def counted(search: ReportedStudy) -> str:
    """``64 (1 diverged)``: all trials, and those that were not trained well to the end."""
    found = {k: search.outcomes[k] for k in ("diverged", "pruned") if search.outcomes[k]}
    found |= {state.lower(): count for state, count in search.stored.others.items()}
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.items())
    total = len(search.trials) + sum(search.stored.others.values())
    return f"{total:,}" + (f" ({kinds})" if kinds else "")


def finite(value: float) -> float | None:
    """``None`` for what JSON can't hold."""
    return value if math.isfinite(value) else None
