"""All rows of a person's own data, whatever it was read from, and what each reader holds to.

A reader (:mod:`study.dataset.npz`, ``csv_table``, ``parquet``, ``image_folder``) checks what a
file declares against the limits here before it reads it.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.dataset.pair import Label
from study.errors import StudyError
from study.text import did_you_mean

LARGEST = 2**30  # bytes of values: of a table 8 a number, of an image 1 a number
MOST_COLUMNS = 2**18  # numbers of a row, or of an image: 512 × 512 pixels
MOST_LABELS = 1_000
LONGEST_NAME = 200  # characters of a label or a column's name
FARTHEST = 1e30  # from 0: a number's size; float32 has 38 digits before the point
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})(\.0*)?")
_SHOWN = 6  # names that a message lists


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table, or images, of any number of classes, in the order of their file."""

    source: str  # what a message calls the file
    values: NDArray[Any]  # (N, H, W) or (N, H, W, 3) uint8; of a table (N, D) float64
    codes: NDArray[np.intp]  # (N,) places in ``names``
    names: tuple[Label, ...]  # the labels, sorted
    where: Callable[[int], str]  # what a message calls a row
    columns: tuple[str, ...] = ()  # D names, of a table
    label: str = ""  # the name of a table's column of labels

    def __post_init__(self) -> None:
        if self.values.ndim == 2:
            self._require_finite()

    def _require_finite(self) -> None:
        for start in range(0, len(self.values), 4096):
            block = self.values[start : start + 4096]
            bad = ~(np.abs(block) <= FARTHEST)  # NaN too
            if bad.any():
                row, column = (int(place) for place in np.argwhere(bad)[0])
                raise bad_cell(
                    self.source, self.where(start + row), self.columns[column], block[row, column]
                )

    @property
    def items(self) -> str:
        """What they are called, in a message."""
        return "rows" if self.values.ndim == 2 else "images"

    def two(self) -> tuple[Label, Label]:
        """The two classes, the smaller first, where there are only two.

        Raises:
            StudyError: There are others; the message lists the labels.
        """
        if len(self.names) != 2:
            least = "must have two" if len(self.names) < 2 else "pick two with --classes A B"
            labels = "label" if len(self.names) == 1 else "labels"
            raise StudyError(
                f"{self.source}: has {len(self.names):,} {labels} ({listed(self.names)}): {least}"
            )
        return self.names[0], self.names[1]

    def members(self, classes: tuple[Label, Label]) -> NDArray[np.intp]:
        """The places of the rows of two classes, in file order.

        Raises:
            StudyError: A class is not there, has one row, or is named twice.
        """
        first, second = classes
        if first == second:
            raise StudyError(f"classes {first} and {second}: the same class twice: name two")
        for name in classes:
            if name not in self.names:
                raise StudyError(
                    f"class {name!r} of {self.source}: no such label: must be two of "
                    f"{listed(self.names)}"
                )
            count = int((self.codes == self.names.index(name)).sum())
            if count < 2:
                raise StudyError(
                    f"class {name!r} of {self.source}: has one row: must have two or more, to "
                    "train and to validate"
                )
        kept = [self.names.index(name) for name in classes]
        return np.flatnonzero(np.isin(self.codes, kept))


class Labels:
    """Collects the labels of rows as small numbers."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.found: dict[object, int] = {}  # what the file has → place in ``names``
        self.names: dict[Label, int] = {}  # in the order in which they came

    def code(self, value: object, where: str) -> int:
        """The number of a label.

        Raises:
            StudyError: It is missing or too long, or there are too many different ones.
        """
        if (known := self.found.get(value)) is not None:
            return known
        if is_missing(value):
            raise StudyError(f"{self.source}: {where}: the label is missing: must be there")
        name = label_of(value)
        if isinstance(name, str) and len(name) > LONGEST_NAME:
            raise StudyError(
                f"{self.source}: {where}: the label has {len(name):,} characters: must have at "
                f"most {LONGEST_NAME}"
            )
        place = self.found[value] = self.names.setdefault(name, len(self.names))
        if len(self.found) > MOST_LABELS:
            raise StudyError(
                f"{self.source}: has more than {MOST_LABELS:,} different labels: must be classes, "
                "not numbers: name their column with --label"
            )
        return place

    def sorted(self, codes: Iterable[int]) -> tuple[NDArray[np.intp], tuple[Label, ...]]:
        """Codes (N,) and names, numbers first, then texts in alphabetical order."""
        names = sorted(self.names, key=lambda name: (isinstance(name, str), name))
        new = {self.names[name]: place for place, name in enumerate(names)}
        place_of = np.array([new[old] for old in range(len(names))], np.intp)
        old = np.fromiter(codes, np.intp)
        return (place_of[old] if len(old) else old), tuple(names)


def label_of(value: object) -> Label:
    """A label as it is stored: whole numbers as numbers (1.0 is 1), all else as text."""
    text = str(value).strip()
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else text


def is_missing(value: object) -> bool:
    """Whether a cell is empty, NaN, or one of the words that stand for nothing."""
    return value is None or str(value).strip().lower() in {
        *("", "na", "n/a", "nan", "<na>", "nat", "null", "none", "?")
    }


def bad_cell(source: str, where: str, column: str, value: object) -> StudyError:
    """The refusal of a cell that is no finite number."""
    text, wanted = repr(value) if isinstance(value, str) else str(value), "must be a number"
    if is_missing(value):
        text, wanted = "missing", "fill it in, or leave out the row or the column"
    elif not isinstance(value, str):
        wanted = f"must be a finite number, below {FARTHEST:g} in size"
    else:
        wanted = "must be a number: encode the text, or leave out the column"
    text = text if len(text) <= 60 else f"{text[:57]}…"
    return StudyError(f"{source}: {where}, column {column!r}: is {text}: {wanted}")


def require_columns(source: str, names: Sequence[str]) -> None:
    """Refuse names of columns that are missing, twice there, too long or too many.

    Raises:
        StudyError: The message names the column.
    """
    if len(names) > MOST_COLUMNS + 1:
        raise StudyError(
            f"{source}: has {len(names):,} columns: must have at most {MOST_COLUMNS:,}"
        )
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise StudyError(
                f"{source}: column {place} has no name: name it, or leave it out (an index?)"
            )
        if len(name) > LONGEST_NAME:
            raise StudyError(
                f"{source}: the name of column {place} has {len(name):,} characters: must have at "
                f"most {LONGEST_NAME}"
            )
        if name in seen:
            raise StudyError(f"{source}: two columns are named {name!r}: give each its own name")
        seen.add(name)


def label_place(source: str, names: Sequence[str], label: str) -> int:
    """The place of the column with the labels: the one of this name, or by default the last.

    Raises:
        StudyError: There is no such column, or no other one.
    """
    if label and label not in names:
        right = did_you_mean(label, names, f"must be one of {listed(names)}")
        raise StudyError(f"--label {label}: no such column in {source}: {right}")
    if len(names) < 2:
        raise StudyError(
            f"{source}: has one column ({listed(names)}): must have the labels and one or more "
            "others, with commas between them"
        )
    return names.index(label) if label else len(names) - 1


def require_size(source: str, count: int, shape: Sequence[int], itemsize: int) -> None:
    """Refuse what declares to be too large, before it is read.

    Args:
        source: What a message calls the file.
        count: The number of rows or images.
        shape: Of one of them.
        itemsize: Bytes of one number, once it is read.

    Raises:
        StudyError: The message names the limit.
    """
    numbers = math.prod(shape)
    if not 1 <= numbers <= MOST_COLUMNS:
        raise StudyError(
            f"{source}: has {numbers:,} numbers in a row or image: must have from 1 to "
            f"{MOST_COLUMNS:,}"
        )
    if count * numbers * itemsize > LARGEST:
        raise StudyError(
            f"{source}: has {count:,} × {numbers:,} numbers of {itemsize} bytes: must have at "
            f"most {LARGEST:,} bytes of them"
        )


def listed(names: Iterable[object]) -> str:
    """The first few names, for a message."""
    all_names = [str(name) for name in names]
    more = len(all_names) - _SHOWN
    shown = ", ".join(name if len(name) <= 40 else f"{name[:37]}…" for name in all_names[:_SHOWN])
    return f"{shown} and {more:,} more" if more > 0 else shown or "none"
