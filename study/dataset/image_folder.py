"""A folder of images, ``DIR/class/*.png``: a folder for each class, all images of one size.

Each file's header is checked before Pillow decodes it. Links are not followed.
"""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.dataset.opening import one_line, opened
from study.dataset.rows import Labels, Rows, require_size
from study.errors import StudyError

_HEADER = struct.Struct(">8sI4sIIBB")  # signature, the first chunk: its length, name, fields
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2  # colour types; https://www.w3.org/TR/png-3/#11IHDR
_LARGEST_FILE = 2**24  # bytes; an image of 512 × 512 has 786 kB unpacked

Shape = tuple[int, ...]


def read(folder: Path) -> Rows:
    """All images, by class and file name in alphabetical order.

    Raises:
        StudyError: A file is no PNG of grey or RGB, damaged, of another size, or a link.
        ResourceError: One may not be read.
    """
    labels = Labels(str(folder))
    paths, codes = [], []
    for name in _entries(folder, folders=True):
        for file in _entries(folder / name, folders=False):
            codes.append(labels.code(name, f"folder {name}"))
            paths.append(folder / name / file)
    if not paths:
        raise StudyError(
            f"{folder}: has no images: must have a folder for each class, with .png files in it"
        )
    found, names = labels.sorted(codes)
    return Rows(str(folder), _images(folder, paths), found, names, _Where(folder, paths))


class _Where:
    """What a message calls an image: its path in the folder."""

    def __init__(self, folder: Path, paths: list[Path]) -> None:
        self.folder, self.paths = folder, paths

    def __call__(self, row: int) -> str:
        return str(self.paths[row].relative_to(self.folder))


def _entries(folder: Path, *, folders: bool) -> Iterator[str]:
    """The names of the class folders, or of the images in one; hidden ones are passed over."""
    with one_line(folder):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise StudyError(f"{entry.path}: is a link: links are not followed: copy the file")
        if folders and entry.is_dir():
            yield entry.name
        elif not folders:
            if not entry.name.lower().endswith(".png"):
                raise StudyError(f"{entry.path}: is in a class's folder: must be a .png file")
            yield entry.name


def _images(folder: Path, paths: list[Path]) -> NDArray[np.uint8]:
    content, shape = _read(paths[0])
    require_size(str(folder), len(paths), shape, 1)
    images = np.empty((len(paths), *shape), np.uint8)
    for place, path in enumerate(paths):
        content, found = _read(path)
        if found != shape:
            raise StudyError(
                f"{path}: is {_words(found)}: must be {_words(shape)}, as {paths[0].name}"
            )
        images[place] = _decoded(path, content, shape)
    return images


def _read(path: Path) -> tuple[bytes, Shape]:
    """A file's content, and the shape that its header declares."""
    with opened(path, _LARGEST_FILE, follow=False) as file:
        content = file.read(_LARGEST_FILE)
    if len(content) < _HEADER.size:
        raise StudyError(f"{path}: has {len(content)} bytes: must be a PNG file")
    signature, _, chunk, width, height, depth, colour = _HEADER.unpack_from(content)
    if (signature, chunk) != (_SIGNATURE, b"IHDR"):
        raise StudyError(f"{path}: does not begin as a PNG file does: must be one")
    if colour not in (_GREY, _RGB) or depth > 8:
        raise StudyError(
            f"{path}: has the colour type {colour} with {depth} bits: must be grey or RGB, with "
            "at most 8 bits and no transparency"
        )
    shape = (height, width, 3) if colour == _RGB else (height, width)
    require_size(str(path), 1, shape, 1)
    return content, shape


def _decoded(path: Path, content: bytes, shape: Shape) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            pixels = np.asarray(image.convert("RGB" if len(shape) == 3 else "L"))
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise StudyError(f"{path}: is damaged ({error}): must be a whole PNG file") from None
    return pixels.reshape(shape)


def _words(shape: Shape) -> str:
    return f"{shape[1]} wide and {shape[0]} high, {'RGB' if len(shape) == 3 else 'grey'}"
