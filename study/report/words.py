"""What the parts of a study are called in the report's sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from study import formats
from study.report.record import Record, ReportedStudy
from study.trials import StoredTrial

if TYPE_CHECKING:
    import pandas as pd

HANDWRITTEN = ("mnist", "own")  # digits, as the page's words take them
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


def zeros(record: Record, frame: pd.DataFrame) -> str:
    """A note on a log scale that has no place for an error of 0."""
    half = "half an image" if record.items == "images" else "half a row"
    return f" An error of 0 is drawn as {half}." if (frame["val_errors"] == 0).any() else ""


def finite(value: float) -> float | None:
    """``None`` for what JSON can't hold."""
    return value if math.isfinite(value) else None
