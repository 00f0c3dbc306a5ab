"""Write a file so that a reader finds the old one or the new one, never half of one."""

import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

_DRAFT = re.compile(r"\.[0-9a-f]{16}\.tmp")


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``; a crash at any instant leaves one of the two whole.

    The bytes reach the disk under another name in the same folder before they take the
    name ``path``, and the folder is flushed after it.

    Raises:
        OSError: The folder is missing or read-only, or the disk is full; ``path`` is as before.
    """
    draft = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        _write_through(draft, content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def drafts(folder: Path) -> list[Path]:
    """What killed writers left in a folder, which is no link; none where it is not there."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        found = [e.path for e in entries if _DRAFT.fullmatch(e.name)]
    return [Path(path) for path in found if not os.path.islink(path) and os.path.isfile(path)]


def remove(paths: Iterable[Path]) -> None:
    """Delete files so that a power failure does not bring them back."""
    there = list(paths)
    for path in there:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in there}:
        _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
