"""Find the storages in a folder tree, without following a link out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from study.errors import StudyError
from study.storage.safe_files import kind, open_file
from study.storage.urls import label

_MAGIC = b"SQLite format 3\0"  # https://sqlite.org/fileformat2.html#magic_header_string
_SUFFIXES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True)
class Place:
    """Where a storage is, or something that was taken for one."""

    name: str  # as the page has it: its path in the folder, or its URL without password
    storage: str  # a path or a URL
    wrong: str = ""  # why it is not read; empty where it is


def places(source: str) -> Iterator[Place]:
    """The storages of a source, in the order of their names.

    Args:
        source: A folder, in which every file with SQLite's header is one, and every file that is
            called like one; or else a storage's path or URL.

    Raises:
        StudyError: The folder or the file is not there.
    """
    if "://" in source or Path(source).is_file():
        yield Place(label(source), source)
        return
    if not source or not Path(source).is_dir():  # an empty path would be the current folder
        named = label(source) or repr(source)
        raise StudyError(f"{named}: there is no such folder or file: name another")
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(source, onerror=unreadable.append):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*links, *files]):
            if found := _place(source, Path(folder, name), is_folder=name in links):
                yield found
    for error in unreadable:
        path = str(error.filename)
        yield Place(_named(source, Path(path)), path, f"can't be read: {error.strerror}")


def _place(source: str, path: Path, *, is_folder: bool) -> Place | None:
    """A storage; None for what has neither a storage's name nor its header."""
    found, wrong = kind(path), ""
    if found != "a file":
        wrong = f"is {found}"
    if not is_folder and path.suffix.lower() not in _SUFFIXES and not _is_sqlite(path):
        return None
    return Place(_named(source, path), str(path), wrong)


def _is_sqlite(path: Path) -> bool:
    """Whether an ordinary file has SQLite's header; a link or a pipe is not opened."""
    with suppress(OSError, StudyError), os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
    return False


def _named(source: str, path: Path) -> str:
    return path.relative_to(source).as_posix()
