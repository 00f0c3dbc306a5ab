"""Rows from arrays: the ``X`` and ``y`` of :func:`study.load`, and of an NPZ file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.dataset.rows import (
    Labels,
    Rows,
    bad_cell,
    require_columns,
    require_size,
)
from study.errors import StudyError

SHAPES = "(N, D), (N, H, W) or (N, H, W, 3)"


def rows_of(X: Any, y: Any, columns: Sequence[str] = (), source: str = "X and y") -> Rows:  # noqa: ANN401
    """Rows of a table (N, D), or images (N, H, W) or (N, H, W, 3), with their labels (N,).

    Args:
        X: Numbers; a pandas data frame brings the names of its columns.
        y: Whole numbers, booleans or text.
        columns: The D names of a table's columns; by default x0, x1, ….
        source: What a message calls them.

    Raises:
        StudyError: The message names what is wrong, with row and column.
    """
    names = tuple(map(str, columns)) or tuple(map(str, getattr(X, "columns", ())))
    values, labels = np.asarray(X), np.asarray(y)
    require_shapes(source, values.shape, labels.shape)
    is_table = values.ndim == 2
    require_size(source, len(values), values.shape[1:], 8 if is_table else 1)
    names = _names(source, names, values.shape[1]) if is_table else ()
    found = _table(values, source, names) if is_table else _images(values, source)
    codes, classes = _labels(labels, source)
    return Rows(source, found, codes, classes, where, names)


def where(row: int) -> str:
    """What a message calls a row: as NumPy does, counted from 0."""
    return f"X[{row}]"


def require_shapes(source: str, x: tuple[int, ...], y: tuple[int, ...]) -> None:
    """Refuse arrays that are no rows or images with a label each.

    Raises:
        StudyError: The message names both shapes.
    """
    if len(x) not in (2, 3, 4) or (len(x) == 4 and x[3] != 3):
        raise StudyError(f"{source}: X has the shape {x}: must be {SHAPES}")
    if y != x[:1]:
        raise StudyError(
            f"{source}: y has the shape {y}: must be {x[:1]}, a label for each row of X"
        )


def _names(source: str, names: tuple[str, ...], d: int) -> tuple[str, ...]:
    if not names:
        return tuple(f"x{column}" for column in range(d))
    if len(names) != d:
        raise StudyError(f"{source}: {len(names):,} names of columns: must be {d:,}, one for each")
    require_columns(source, names)
    return names


def _table(values: NDArray[Any], source: str, names: tuple[str, ...]) -> NDArray[np.float64]:
    if values.dtype.kind in "biuf":
        return np.array(values, np.float64, order="C")  # a copy: the caller may change theirs
    found = np.empty(values.shape)
    for row, column in np.ndindex(values.shape):
        cell = values[row, column]
        if isinstance(cell, str | None) or not np.isreal(cell):
            raise bad_cell(source, where(row), names[column], cell)
        try:
            found[row, column] = cell
        except (TypeError, ValueError):
            raise bad_cell(source, where(row), names[column], str(cell)) from None
    return found


def _images(values: NDArray[Any], source: str) -> NDArray[np.uint8]:
    if values.dtype.kind not in "biuf":
        raise StudyError(f"{source}: X holds {values.dtype}: must be numbers")
    for start in range(0, len(values), 256):
        block = values[start : start + 256]
        bad = ~((block >= 0) & (block <= 255) & (block == np.floor(block)))
        if values.dtype.kind != "b" and bad.any():
            place = tuple(map(int, np.argwhere(bad)[0]))
            raise StudyError(
                f"{source}: X[{start + place[0]}] has the value {block[place]}: images must have "
                "whole numbers from 0 to 255: scale them, or give rows of shape (N, D)"
            )
    return np.array(values, np.uint8, order="C")


def _labels(labels: NDArray[Any], source: str) -> tuple[NDArray[np.intp], tuple[int | str, ...]]:
    if labels.dtype.kind not in "biufUO" and labels.dtype != np.dtypes.StringDType():
        raise StudyError(f"{source}: y holds {labels.dtype}: must be whole numbers or text")
    collected = Labels(source)
    codes = np.empty(len(labels), np.intp)
    for start in range(0, len(labels), 4096):
        for row, label in enumerate(labels[start : start + 4096].tolist(), start):
            codes[row] = collected.code(label, f"y[{row}]")
    return collected.sorted(codes)
