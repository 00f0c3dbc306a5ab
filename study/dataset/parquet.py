"""``.parquet``, with pyarrow: columns of numbers, and one with the labels.

pyarrow is an extra. What the file's metadata declares is checked before a row is read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

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

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

_CELLS = 2**20  # converted together


def read(path: Path, label: str = "") -> Rows:
    """All rows of the file.

    Args:
        path: The file.
        label: The column with the labels; by default the last.

    Raises:
        StudyError: pyarrow is absent, or the file is damaged, too large, or has a column that
            holds no numbers.
        ResourceError: It may not be read.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise StudyError(
            f"{path}: needs pyarrow, which is not installed: pip install 'study[parquet]'"
        ) from None
    with opened(path, 2 * LARGEST) as file:
        try:
            return _rows(path, file, label)
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise StudyError(f"{path}: is damaged ({reason}): must be a Parquet file") from None


def _rows(path: Path, file: BinaryIO, label: str) -> Rows:
    from pyarrow import parquet as pq

    table = pq.ParquetFile(file)
    names = list(table.schema_arrow.names)
    require_columns(str(path), names)
    place = label_place(str(path), names, label)
    columns = (*names[:place], *names[place + 1 :])
    _require_declared(path, table, columns)
    values = np.empty((table.metadata.num_rows, len(columns)))
    labels, codes = Labels(str(path)), np.empty(len(values), np.intp)
    for start, batch in _batches(table):
        if start + len(batch) > len(values):
            raise ValueError("more rows than it declares")
        for column, name in enumerate(columns):
            values[start : start + len(batch), column] = _numbers(path, start, batch, name)
        for row, value in enumerate(batch.column(place).to_pylist(), start):
            codes[row] = labels.code(value, where(row))
    found, classes = labels.sorted(codes)
    return Rows(str(path), values, found, classes, where, columns, names[place])


def where(row: int) -> str:
    """What a message calls a row: counted from 1."""
    return f"row {row + 1}"


def _require_declared(path: Path, table: "pq.ParquetFile", columns: tuple[str, ...]) -> None:
    """Refuse columns of anything but numbers, and more than can be held."""
    from pyarrow import types

    for name in columns:
        kind = table.schema_arrow.field(name).type
        if name == "__index_level_0__":
            raise StudyError(f"{path}: column {name!r}: is pandas' index: write with index=False")
        if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
            raise StudyError(
                f"{path}: column {name!r}: holds {kind}: must hold numbers: encode it, or leave "
                "it out"
            )
    metadata = table.metadata
    require_size(str(path), metadata.num_rows, (len(columns),), 8)
    groups = (metadata.row_group(group) for group in range(metadata.num_row_groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > 2 * LARGEST:
        raise StudyError(
            f"{path}: declares {unpacked:,} bytes unpacked: must declare at most {2 * LARGEST:,}"
        )


def _batches(table: "pq.ParquetFile") -> Iterator[tuple[int, "pa.RecordBatch"]]:
    start, width = 0, len(table.schema_arrow.names)
    for batch in table.iter_batches(max(1, _CELLS // width), use_threads=False):
        yield start, batch
        start += len(batch)
    if start != table.metadata.num_rows:
        raise ValueError("fewer rows than it declares")


def _numbers(path: Path, start: int, batch: "pa.RecordBatch", name: str) -> NDArray[np.float64]:
    import pyarrow as pa

    column = batch.column(name)
    if column.null_count:
        row = start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise bad_cell(str(path), where(row), name, None)
    numbers: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
    return numbers
