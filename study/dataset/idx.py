"""IDX files, the format of the MNIST family: read with a bound, checked in every field.

A file is two zero bytes, the data type (8: unsigned bytes), the number of dimensions,
each dimension as four bytes (big-endian), then the values. Source: "The IDX file format"
on the MNIST page, http://yann.lecun.com/exdb/mnist/.

torchvision's reader checks with ``assert`` only and reads a file of any length, so a file
passes through :func:`read` first. That takes at most the expected size in memory, twice for
a ``.gz``.
"""

import math
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.errors import StudyError

_GZIP = 31  # zlib's window bits for one gzip member, its CRC and length checked
_GZIP_COST = 65_536  # bytes that gzip may add to a content that it can't compress


@dataclass(frozen=True)
class Layout:
    """What one IDX file must hold."""

    dimensions: tuple[tuple[str, int], ...]  # name and size, outermost first
    highest: int  # the largest value allowed

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes alone."""
        return tuple(size for _, size in self.dimensions)

    @property
    def header(self) -> tuple[tuple[str, int, int], ...]:
        """The header's fields in order: name, width in bytes, value."""
        fixed = ("magic number", 2, 0), ("data type", 1, 8)
        sizes = ((f"number of {name}", 4, size) for name, size in self.dimensions)
        return (*fixed, ("number of dimensions", 1, len(self.dimensions)), *sizes)

    @property
    def offset(self) -> int:
        """Bytes before the first value."""
        return 4 + 4 * len(self.dimensions)

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.offset + math.prod(self.shape)


def images(count: int) -> Layout:
    """The layout of so many 28 × 28 images."""
    return Layout((("images", count), ("rows", 28), ("columns", 28)), highest=255)


def labels(count: int) -> Layout:
    """The layout of so many labels, each from 0 to 9."""
    return Layout((("labels", count),), highest=9)


def declared(path: Path) -> int:
    """The number of items that the file's header states; nothing else is checked.

    Raises:
        StudyError: if it is not a regular file with a header.
        OSError: if it can't be read.
    """
    start = _start(path, 8)
    if len(start) < 8:
        raise _refusal(path, "size", f"{len(start)} bytes, less than a header", "an IDX file's")
    return int.from_bytes(start[4:8], "big")


def read(path: Path, layout: Layout) -> bytes:
    """Return the content of an IDX file, unpacked if its name ends in ``.gz``.

    Raises:
        StudyError: if it is not a regular file of exactly this layout; the message names
            the file and the first field that is wrong.
        OSError: if it can't be read.
    """
    content, size = _start(path, layout.size), f"{layout.size:,} bytes"
    if len(content) < layout.offset:
        raise _refusal(path, "size", f"{len(content)} bytes, less than a header", size)
    start = 0
    for field, width, wanted in layout.header:
        found = int.from_bytes(content[start : start + width], "big")
        if found != wanted:
            raise _refusal(path, field, str(found), str(wanted))
        start += width
    if len(content) > layout.size:
        raise _refusal(path, "size", f"more than {size}", size)
    if len(content) < layout.size:
        raise _refusal(path, "size", f"{len(content):,} bytes", size)
    if layout.highest < 255:
        _check_labels(values(content, layout), path, layout.highest)
    return content


def values(content: bytes, layout: Layout) -> NDArray[np.uint8]:
    """View a content that :func:`read` returned as an array of the layout's shape."""
    return np.frombuffer(content, np.uint8, offset=layout.offset).reshape(layout.shape)


def read_array(path: Path, layout: Layout) -> NDArray[np.uint8]:
    """Return the values of an IDX file; raises what :func:`read` raises."""
    return values(read(path, layout), layout)


def encode(array: NDArray[np.uint8]) -> bytes:
    """Return the IDX file that holds an array of bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def _start(path: Path, limit: int) -> bytes:
    """Return at most ``limit`` + 1 bytes, unpacked, so that a longer file shows as longer."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a FIFO would wait for a writer
        raise _refusal(path, "file type", "not a regular file", "one")
    packed = path.suffix == ".gz"
    with path.open("rb") as file:
        content = file.read(limit + (_GZIP_COST if packed else 0) + 1)
    return _unpacked(path, content, limit) if packed else content


def _unpacked(path: Path, packed: bytes, limit: int) -> bytes:
    """Unpack one gzip member to at most ``limit`` + 1 bytes, whatever it claims to hold."""
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(packed, limit + 1)
    except zlib.error as error:
        raise _refusal(path, "gzip stream", f"damaged ({error})", "whole") from None
    if len(content) <= limit and not stream.eof:
        raise _refusal(path, "gzip stream", f"cut short after {len(packed):,} bytes", "whole")
    if stream.unused_data:
        raise _refusal(path, "gzip stream", "followed by other bytes", "the whole file")
    return content


def _check_labels(labels: NDArray[np.uint8], path: Path, highest: int) -> None:
    if (outside := np.flatnonzero(labels > highest)).size:
        first = int(outside[0])
        raise _refusal(path, f"label {first:,}", str(labels[first]), f"from 0 to {highest}")


def _refusal(path: Path, field: str, found: str, wanted: str) -> StudyError:
    return StudyError(f"{path}: {field} is {found}: must be {wanted}")
