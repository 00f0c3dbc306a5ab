"""The official training files of MNIST and its relatives, under a data root.

find → download what is missing → check → read. A file is checked before torchvision reads
it; torchvision reads and downloads (:mod:`study.dataset.torchvision_reader`).
"""

import hashlib
import io
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

import numpy as np
from numpy.typing import NDArray

from study import system
from study.dataset import idx
from study.errors import ResourceError, StudyError

FILES = {
    "train-images-idx3-ubyte": idx.images(60_000),
    "train-labels-idx1-ubyte": idx.labels(60_000),
}
_SILENCE_S = 5.0  # how long a server may send nothing
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Where a dataset's files lie, and what they are."""

    name: str  # torchvision's class, and its folder under the data root
    sha256: tuple[str, ...]  # of the unpacked FILES, in their order; empty: not published


DATASETS = {
    "mnist": Source(
        "MNIST",
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
    ),
    "fashion-mnist": Source(
        "FashionMNIST",
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
    ),
    "kmnist": Source("KMNIST", ()),  # torchvision checks the MD5 of what it downloads
}


def read(dataset: str, root: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a training set whole: (60000, 28, 28) images and (60000,) labels 0 to 9.

    Raises:
        StudyError: a file that is damaged, or missing and can't be downloaded.
        ResourceError: a file that may not be read or written, or a full disk.
    """
    with one_line(root):
        paths = find_in(_raw(dataset, root)) or find_in(root) or _download(dataset, root)
        contents = {path: _checked(dataset, path) for path in paths}
        from study.dataset import torchvision_reader

        with _unpacked(contents) as folder:
            return torchvision_reader.read(DATASETS[dataset].name, folder)


def wanted(dataset: str, root: Path) -> str:
    """Name the two files that a data root needs, for a message."""
    return f"{dataset}'s {' and '.join(FILES)} (or their .gz) into {_raw(dataset, root)}"


def _raw(dataset: str, root: Path) -> Path:
    """Where torchvision puts the files."""
    return root / DATASETS[dataset].name / "raw"


def find_in(folder: Path) -> list[Path]:
    """Return the two files in a folder, images first, or none."""
    choices = ((folder / name, folder / f"{name}.gz") for name in FILES)
    found = [next(filter(system.mode, pair), None) for pair in choices]
    return [path for path in found if path] if all(found) else []


def _checked(dataset: str, path: Path) -> bytes:
    """Return a file's unpacked content; where the official digest is known, it has that digest."""
    name = path.name.removesuffix(".gz")
    content = idx.read(path, FILES[name])
    digest = hashlib.sha256(content).hexdigest()
    owner = next((key for key, source in DATASETS.items() if digest in source.sha256), dataset)
    if owner != dataset:
        raise StudyError(f"{path}: SHA-256 is that of {owner}: must be {dataset}'s")
    known = dict(zip(FILES, DATASETS[dataset].sha256, strict=False))
    if digest != known.get(name, digest):
        raise StudyError(f"{path}: SHA-256 is {digest}: must be {known[name]}")
    return content


@contextmanager
def _unpacked(contents: dict[Path, bytes]) -> Iterator[Path]:
    """Yield a folder with both files unpacked: their own, or a temporary one.

    The root may be read-only, and stays as it is.
    """
    if not any(path.suffix == ".gz" for path in contents):
        yield next(iter(contents)).parent
        return
    with TemporaryDirectory(prefix="study-") as folder:
        for path, content in contents.items():
            Path(folder, path.name.removesuffix(".gz")).write_bytes(content)
        yield Path(folder)


def _download(dataset: str, root: Path) -> list[Path]:
    """Download the training files, check them, and put those that are missing into the root."""
    if root.exists() and not root.is_dir():
        raise StudyError(f"{root}: not a folder: must be a data root")
    raw = _raw(dataset, root)
    _log.info("downloading %s's training files to %s", dataset, raw)
    with TemporaryDirectory(prefix="study-") as folder:
        _fetch(dataset, Path(folder), root)
        for name in FILES:
            _checked(dataset, Path(folder, name))
        raw.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            _publish(Path(folder, name), raw / name)
    return [raw / name for name in FILES]


def _fetch(dataset: str, folder: Path, root: Path) -> None:
    """Run torchvision's downloader, without its output and with a limit on silence."""
    from study.dataset import torchvision_reader

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SILENCE_S)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            torchvision_reader.download(DATASETS[dataset].name, folder)
    except (URLError, HTTPException, TimeoutError, ConnectionError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise StudyError(
            f"{root}: training files are missing, and the download failed ({reason}): "
            f"put {wanted(dataset, root)}"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)


def _publish(source: Path, target: Path) -> None:
    """Copy a file to its place, whole or not at all; one that is there stays."""
    if not target.exists():
        part = target.with_name(f"{target.name}.part")
        shutil.copyfile(source, part)
        os.replace(part, target)


@contextmanager
def one_line(root: Path) -> Iterator[None]:
    """Turn an error of the operating system into one line: the file, and what is wrong."""
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or root
        raise ResourceError(
            f"{path}: {error.strerror or error}: must be readable, with room to unpack or download"
        ) from error
