"""What a person is told of their own data before anything is trained on it."""

import logging
from collections.abc import Callable, Iterator
from hashlib import blake2b

from study.dataset.pair import Data

_log = logging.getLogger(__name__)
_SHOWN = 3  # columns that a line names


def summary(data: Data) -> str:
    """Rows, columns, classes, split, order and normalisation, on one line."""
    first, second = data.classes
    ones = int(data.labels.sum())
    size = " × ".join(map(str, data.shape[:2]))
    parts = [
        f"{len(data.raw):,} rows of {data.inputs:,} column" + "s" * (data.inputs > 1)
        if data.is_table
        else f"{len(data.raw):,} images of {size} pixels" + " in colour" * (len(data.shape) == 3),
        f"class {first} ({len(data.raw) - ones:,}) against {second} ({ones:,})"
        + (f", by column {data.label}" if data.label else ""),
        f"{data.n_train:,} train and {len(data.raw) - data.n_train:,} validate, "
        + ("in file order" if data.order is None else f"drawn by class with seed {data.order}"),
        {
            "image": f"each {data.items[:-1]} normalised by itself",
            "columns": "columns normalised by the training part",
            "none": "not normalised",
        }[data.normalisation],
    ]
    return f"{data.dataset}: {'; '.join(parts)}"


def warn(data: Data, where: Callable[[int], str]) -> None:
    """Log what may be a mistake in the data, a line each.

    Args:
        data: What is searched.
        where: What a message calls a row of it.
    """
    for words in (*_constant(data), *_repeated(data, where)):
        _log.warning("%s: %s", data.dataset, words)


def _constant(data: Data) -> Iterator[str]:
    """Columns of a table that teach a model nothing."""
    if data.is_table and data.scaling and (places := data.scaling.constant).size:
        names = ", ".join(repr(data.columns[place]) for place in places[:_SHOWN])
        more = " and more" * (places.size > _SHOWN)
        yield (
            f"{places.size:,} of {data.inputs:,} columns have one value in all {data.n_train:,} "
            f"training rows ({names}{more}): they are normalised to 0"
        )


def _repeated(data: Data, where: Callable[[int], str]) -> Iterator[str]:
    """Rows that validate and are also in the training part, whatever their labels."""
    trained: dict[bytes, int] = {}
    for row in range(data.n_train):
        trained.setdefault(_digest(data, row), row)
    pairs = [
        (trained[digest], row)
        for row in range(data.n_train, len(data.raw))
        if (digest := _digest(data, row)) in trained
    ]
    if pairs:
        first, second = (where(row) for row in pairs[0])
        yield (
            f"{len(pairs):,} of the {len(data.raw) - data.n_train:,} {data.items} that validate "
            f"equal one that trains (first: {second} and {first}): the errors may be too low"
        )


def _digest(data: Data, row: int) -> bytes:
    return blake2b((data.raw[row] + 0).tobytes(), digest_size=16).digest()  # −0.0 + 0 is 0.0
