"""NumPy's ``.npz``: ``X``, ``y`` and, if they are there, the names of X's ``columns``.

Nothing in it is unpickled. A member is read only if the zip's directory and the array's own
header declare the same size, and that size is allowed.
"""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from study.dataset.arrays import require_shapes, rows_of
from study.dataset.opening import opened
from study.dataset.rows import LARGEST, LONGEST_NAME, MOST_COLUMNS, Rows, listed, require_size
from study.errors import StudyError

_HEADER = 65_546  # bytes that an array's header may have
_DEFLATE_COST = 65_536  # bytes that packing and the zip's directory may add
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others may take much memory
_WIDEST = 4 * LONGEST_NAME  # bytes of one value: a number has 16 at most, a character 4

Header = tuple[tuple[int, ...], np.dtype[Any]]


def read(path: Path) -> Rows:
    """All rows of the file.

    Raises:
        StudyError: It is damaged, too large, or holds something else.
        ResourceError: It may not be read.
    """
    with opened(path, 2 * LARGEST + _DEFLATE_COST) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _rows(archive, path)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise StudyError(f"{path}: is damaged ({error}): must be a NumPy .npz file") from None


def _rows(archive: zipfile.ZipFile, path: Path) -> Rows:
    names = [info.filename for info in archive.infolist()]
    for name in ("X.npy", "y.npy"):
        if names.count(name) != 1:
            there = listed(name.removesuffix(".npy") for name in names)
            raise StudyError(
                f"{path}: has the arrays {there}: must have one X and one y: write it with "
                "numpy.savez(FILE, X=…, y=…)"
            )
    (x, x_type), (y, y_type) = (_header(archive, name, path) for name in ("X", "y"))
    for name, dtype, kinds in (("X", x_type, "biuf"), ("y", y_type, "biufU")):
        if dtype.kind not in kinds:
            what = "Python objects, which are not read" if dtype.hasobject else dtype
            raise StudyError(
                f"{path}: {name} holds {what}: must be numbers" + " or text" * (name == "y")
            )
    require_shapes(str(path), x, y)
    require_size(str(path), x[0], x[1:], 8 if len(x) == 2 else 1)
    columns = _columns(archive, path, x) if "columns.npy" in names and len(x) == 2 else []
    return rows_of(_array(archive, "X", path), _array(archive, "y", path), columns, str(path))


def _header(archive: zipfile.ZipFile, name: str, path: Path) -> Header:
    """Shape and type that an array's header declares, where the zip's directory agrees."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in _METHODS or info.flag_bits & 1:
        raise StudyError(f"{path}: {name} is packed in another way: must be written by NumPy")
    with archive.open(info) as member:
        shape, dtype = _start(member, f"{path}: {name}")
        declared = member.tell() + math.prod(shape) * dtype.itemsize
    if dtype.itemsize > _WIDEST or declared > LARGEST + _HEADER:
        raise StudyError(
            f"{path}: {name} declares {math.prod(shape):,} values of {dtype.itemsize:,} bytes: "
            f"must be at most {LARGEST:,} bytes, and {_WIDEST:,} each"
        )
    if declared != info.file_size and not dtype.hasobject:
        raise StudyError(
            f"{path}: {name} has {info.file_size:,} bytes: must have {declared:,}, as its header "
            "declares"
        )
    return shape, dtype


def _start(member: IO[bytes], what: str) -> Header:
    try:
        if npy.read_magic(member) != (1, 0):
            raise ValueError("another version of the format")
        shape, _, dtype = npy.read_array_header_1_0(member)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{what} is damaged ({reason}): must be a NumPy array") from None
    if min(shape, default=1) < 0:
        raise StudyError(f"{what} has the shape {shape}: must have no number below 0")
    return shape, dtype


def _columns(archive: zipfile.ZipFile, path: Path, x: tuple[int, ...]) -> list[str]:
    shape, dtype = _header(archive, "columns", path)
    if dtype.kind != "U" or len(shape) != 1 or shape[0] > MOST_COLUMNS:
        raise StudyError(f"{path}: columns holds {shape} of {dtype}: must be {x[1:]}, text")
    return [str(name) for name in _array(archive, "columns", path)]


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    try:
        with archive.open(f"{name}.npy") as member:
            found: NDArray[Any] = npy.read_array(member, allow_pickle=False)
            return found
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{path}: {name} is damaged ({reason}): must be a NumPy array") from None
