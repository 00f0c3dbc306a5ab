"""``.csv``: a header row, then numbers, with commas between them; one column has the labels.

Read a bounded piece at a time by the standard library's reader. It has one dialect, and its
numbers are Python's: what was written with ``repr`` comes back to the last bit.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from study.dataset.opening import opened
from study.dataset.rows import (
    LARGEST,
    Labels,
    Rows,
    bad_cell,
    label_place,
    require_columns,
    require_size,
)
from study.errors import StudyError

_LONGEST_LINE = 2**24  # characters
_CELLS = 2**18  # converted together


def read(path: Path, label: str = "") -> Rows:
    """All rows of the file.

    Args:
        path: The file.
        label: The column with the labels; by default the last.

    Raises:
        StudyError: It is damaged, too large, or has a cell that is no number.
        ResourceError: It may not be read.
    """
    with opened(path, 4 * LARGEST) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            return _rows(path, text, label)
        except UnicodeDecodeError as error:
            raise StudyError(
                f"{path}: is not UTF-8 (byte {error.object[error.start]:#x}): save it as UTF-8"
            ) from None


def _rows(path: Path, text: TextIO, label: str) -> Rows:
    reader = _Reader(path, text)
    header = reader.header()
    place = label_place(str(path), header, label)
    columns = (*header[:place], *header[place + 1 :])
    labels, codes, lines = Labels(str(path)), [], []
    blocks = [np.empty((0, len(columns)))]
    records = iter(reader)
    while block := [*islice(records, max(1, _CELLS // len(header)))]:
        for line, cells in block:
            codes.append(labels.code(cells.pop(place), f"line {line}"))
            lines.append(line)
        blocks.append(_numbers(path, block, columns))
        require_size(str(path), len(lines), (len(columns),), 8)
    found, names = labels.sorted(codes)
    return Rows(
        str(path),
        np.concatenate(blocks),
        found,
        names,
        _Where(np.array(lines, np.int64)),
        columns,
        header[place],
    )


class _Where:
    """What a message calls a row: its line in the file, counted from 1."""

    def __init__(self, lines: NDArray[np.int64]) -> None:
        self.lines = lines

    def __call__(self, row: int) -> str:
        return f"line {self.lines[row]}"


class _Reader:
    """The records of a file, as many cells in each as the header has."""

    def __init__(self, path: Path, text: TextIO) -> None:
        self.path, self.text = path, text
        self.csv = csv.reader(self._lines(), skipinitialspace=True, strict=True)
        self.width = 0

    def _lines(self) -> Iterator[str]:
        while line := self.text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise StudyError(
                    f"{self.path}: line {self.csv.line_num + 1}: is longer than {_LONGEST_LINE:,} "
                    "characters: must be a row of a table"
                )
            yield line

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record that is not empty, with the line at which it ends."""
        try:
            for cells in self.csv:
                if cells:
                    yield self.csv.line_num, cells
        except csv.Error as error:
            raise StudyError(
                f"{self.path}: line {self.csv.line_num}: {error}: must be cells with commas "
                "between them"
            ) from None

    def header(self) -> list[str]:
        """The names of the columns, from the first record."""
        names = [name.strip() for name in next(self._records(), (0, []))[1]]
        if not names:
            raise StudyError(f"{self.path}: is empty: must have a header row and rows of numbers")
        if all(map(_is_number, names)):
            raise StudyError(
                f"{self.path}: line 1: has only numbers: must have the names of the columns"
            )
        require_columns(str(self.path), names)
        self.width = len(names)
        return names

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for line, cells in self._records():
            if len(cells) != self.width:
                raise StudyError(
                    f"{self.path}: line {line}: has {len(cells):,} cells: must have "
                    f"{self.width:,}, as the header"
                )
            yield line, cells


def _numbers(
    path: Path, block: Sequence[tuple[int, list[str]]], columns: tuple[str, ...]
) -> NDArray[np.float64]:
    try:
        return np.array([cells for _, cells in block], np.float64)
    except ValueError:
        return np.array(
            [
                [_number(path, line, *cell) for cell in zip(columns, cells, strict=True)]
                for line, cells in block
            ]
        )


def _number(path: Path, line: int, column: str, cell: str) -> float:
    """A cell's number: True is 1 and False is 0."""
    truth = {"true": 1.0, "false": 0.0}.get(cell.strip().lower())
    try:
        return float(cell) if truth is None else truth
    except ValueError:
        raise bad_cell(str(path), f"line {line}", column, cell) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
