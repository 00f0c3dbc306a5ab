"""The default pair, inside the package: MNIST's training 4s and 9s as gzipped IDX.

`study/data/README.md` says where they come from and under which licence.
"""

import gzip
import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.dataset import idx, official
from study.errors import ResourceError, StudyError

DATASET = "mnist"
CLASSES = (4, 9)
FOLDER = Path(__file__).parents[1] / "data"
IMAGES = "mnist-4-9-images-idx3-ubyte.gz"  # 11,791 images in the official order
LABELS = "mnist-4-9-labels-idx1-ubyte.gz"  # the digits themselves, 4 or 9
LAYOUTS = {IMAGES: idx.images(11_791), LABELS: idx.labels(11_791)}
SHA256 = {  # of the unpacked files
    IMAGES: "6951d21285c2617fe364a03d097a1c43d09b97d06c059fb6ed86ba5393d6d85c",
    LABELS: "495f6dbb23c2df8c3601778ea195a63b50cb0eaef56c2c7bcc2b471c02790b92",
}


def read() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the bundled (11791, 28, 28) images and (11791,) digits.

    Raises:
        StudyError: if the installed files are not those that were shipped.
    """
    return _checked(FOLDER / IMAGES), _checked(FOLDER / LABELS)


def make_bundle(data_root: Path, out: Path) -> None:
    """Write the two files anew, from the official training files under a data root.

    The same zlib writes the same bytes: the gzip headers hold neither name nor time.

    Raises:
        StudyError: if the official files can't be used.
        ResourceError: if a file can't be read or written.
    """
    images, labels = official.read(DATASET, data_root)
    kept = np.isin(labels, CLASSES)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, array in ((IMAGES, images[kept]), (LABELS, labels[kept])):
            (out / name).write_bytes(_packed(idx.encode(array)))
            _checked(out / name)
    except OSError as error:
        raise ResourceError(f"{out}: {error.strerror}: must be a folder to write to") from error


def _checked(path: Path) -> NDArray[np.uint8]:
    try:
        content = idx.read(path, LAYOUTS[path.name])
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}: reinstall the package") from error
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256[path.name]:
        raise StudyError(f"{path}: SHA-256 is {digest}: must be {SHA256[path.name]}")
    return idx.values(content, LAYOUTS[path.name])


def _packed(content: bytes) -> bytes:
    """Compress with a constant header; `gzip.compress` would use zlib's, which varies."""
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
