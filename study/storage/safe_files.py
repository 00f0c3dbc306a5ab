"""Write, read and list the files beside a storage, whatever others may have put there.

The path of the storage is the person's own, links in it included. Below its folder, in
``study.db.files/linear`` and beside the database, only ordinary files and folders are used.
"""

import os
import re
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from study.errors import StudyError
from study.system import SAFELY, flush_folder

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link (symbolic links are not followed)",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
_DRAFT = re.compile(r"\.[0-9a-f]{16}\.tmp")
_WEIGHTS = re.compile(r"trial-(0\d{4}|[1-9]\d{4,})\.safetensors", re.ASCII)
_JOURNALS = ("-journal", "-wal", "-shm")  # that SQLite opens by itself
# https://sqlite.org/fileformat2.html#the_rollback_journal
_MAGIC = bytes.fromhex("d9d505f920a163d7")


def kind(path: Path) -> str | None:
    """What lies at ``path``, in words: ``a file``, ``a folder``, …; ``None`` for nothing."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _KINDS.get(stat.S_IFMT(mode), "a device")


def require_folder(folder: Path) -> bool:
    """Whether a study's companion folder is there.

    Raises:
        StudyError: Something else has its name, or that of the folder above it.
    """
    for part in (folder.parent, folder):
        found = kind(part)
        if found not in ("a folder", None):
            raise StudyError(f"{part}: is {found}: put a folder there, or remove it")
    return found is not None


def make_folder(folder: Path) -> None:
    """Make a study's companion folder, if it is not there; raises as :func:`require_folder`."""
    require_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)


def require_file(path: Path) -> bool:
    """Whether the file is there.

    Raises:
        StudyError: Something else than an ordinary file has its name.
    """
    found = kind(path)
    if found not in ("a file", None):
        raise StudyError(f"{path}: is {found}, and has to be a file: remove it")
    return found is not None


def require_companion(path: Path) -> bool:
    """Whether a file of a companion folder is there; see the two functions above."""
    return require_folder(path.parent) and require_file(path)


def open_file(path: Path, flags: int, longest: int = sys.maxsize) -> int:
    """A descriptor of an ordinary file; a link or a pipe in its place is not opened.

    Raises:
        StudyError: It is no ordinary file, has more than ``longest`` bytes, or is to be
            written and has a second name.
    """
    require_file(path)
    descriptor = os.open(path, flags | SAFELY, 0o666)
    about, wrong = os.fstat(descriptor), None
    if about.st_size > longest or not stat.S_ISREG(about.st_mode):
        wrong = f"is no file of a search ({about.st_size:,} bytes)"
    elif flags & os.O_RDWR and about.st_nlink > 1:  # writing to it would change another's file
        wrong = "is a file elsewhere too (a hard link)"
    if wrong is None:
        return descriptor
    os.close(descriptor)
    raise StudyError(f"{path}: {wrong}: remove it")


def read(path: Path, longest: int) -> bytes:
    """The content of a file of a companion folder; see the two functions above."""
    require_companion(path)
    with os.fdopen(open_file(path, os.O_RDONLY, longest), "rb") as file:
        return file.read(os.fstat(file.fileno()).st_size)


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
    flush_folder(path.parent)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove(paths: Iterable[Path]) -> None:
    """Delete files so that a power failure does not bring them back."""
    there = list(paths)
    for path in there:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in there}:
        flush_folder(folder)


def drafts(folder: Path) -> list[Path]:
    """The files that killed writers left in a folder; none where it is a link or not there."""
    there = folder.iterdir() if kind(folder) == "a folder" else ()
    return [path for path in there if _DRAFT.fullmatch(path.name) and kind(path) == "a file"]


def left_files(folder: Path) -> Iterator[tuple[Path, int | None]]:
    """The weights and drafts in a companion folder: paths, and trials' numbers (no draft's)."""
    for path in sorted(folder.iterdir()) if require_folder(folder) else ():
        weights, draft = _WEIGHTS.fullmatch(path.name), _DRAFT.fullmatch(path.name)
        if (weights or draft) and kind(path) == "a file":
            yield path, int(weights[1]) if weights else None


def require_journals(database: Path) -> Path:
    """Refuse a database beside whose file SQLite would open a pipe, a device or a link.

    Returns:
        The path without links: SQLite keeps the journal there.

    Raises:
        StudyError: Names the file.
    """
    real = database.resolve()
    for suffix in _JOURNALS:
        require_file(real.with_name(f"{real.name}{suffix}"))
    _require_lone(real.with_name(f"{real.name}-journal"))
    return real


def _require_lone(journal: Path) -> None:
    """Refuse a journal whose end names a journal of several databases.

    SQLite would delete the file of that name, whatever it is, after it has read the journal.
    """
    if kind(journal) is None:
        return
    with suppress(FileNotFoundError), os.fdopen(open_file(journal, os.O_RDONLY), "rb") as file:
        file.seek(-min(len(_MAGIC), os.fstat(file.fileno()).st_size), os.SEEK_END)
        if file.read() == _MAGIC:
            raise StudyError(f"{journal}: names another file, which would be deleted: remove it")
