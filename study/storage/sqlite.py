"""Look at an SQLite file without creating, changing or locking out anything."""

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from study.errors import ResourceError, StudyError
from study.storage.companions import require_journals
from study.storage.explain import explaining

# A journal has at most every page of the file as it was, which may have been longer, and eight
# bytes a page and a header a sector more, https://sqlite.org/fileformat2.html#the_rollback_journal
_PER_BYTE, _HEADER = 4, 1 << 20
TIMEOUT_S = 60.0  # how long to wait for another program's transaction
_OPTUNA = frozenset({"studies", "study_directions", "trials", "version_info"})


@dataclass(frozen=True)
class Contents:
    """What a file holds, as far as opening it depends on it."""

    tables: frozenset[str]  # and views
    views: frozenset[str]
    revision: str | None  # of Optuna's schema; None if it has none
    studies: tuple[str, ...]  # their names, oldest first

    @property
    def is_optuna(self) -> bool:
        """Whether the tables that make an Optuna storage are all there, and are tables.

        A view in the place of one may be computed without end.
        """
        posing = {
            name for name in self.views if re.match(r"stud(y|ies)|trial|version_|alem", name)
        }
        return self.tables >= _OPTUNA and not posing


def look(path: Path) -> Contents | None:
    """What the SQLite file at ``path`` holds; ``None`` if it is absent or has no tables yet.

    Raises:
        StudyError: It is not an SQLite database, or damaged, or in WAL mode, or what has its
            journal's name is no file.
        ResourceError: It can't be read.
    """
    with explaining(str(path)):
        require_journals(path)
        if not path.exists() or path.stat().st_size == 0:
            return None
        _check_header(path)
        with closing(connect_readonly(path)) as connection:
            _check_whole(connection, path)
            return _contents(connection)


def connect_readonly(path: Path) -> sqlite3.Connection:
    """A connection that can't write, nor create ``path`` or anything beside it.

    A writer that was killed leaves its transaction half done, with a journal that undoes
    it. Undoing needs writing, so what is connected to is then a copy in memory of the
    file as it was before; whoever opens the file for writing next undoes it there.
    """
    while True:
        require_journals(path)
        connection = _connect(f"file:{quote(str(path.absolute()))}?mode=ro")
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return connection
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
        copy = _undone_copy(path)
        if copy is not None:
            return copy


def require_writable(path: Path) -> None:
    """Refuse a file that can't be written, or can't have its journal beside it.

    Raises:
        ResourceError: Names the file or the folder.
    """
    for needed in (path, path.parent):
        if needed.exists() and not os.access(needed, os.W_OK):
            raise ResourceError(f"{needed}: is read-only: make it writable, or name another file")


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=TIMEOUT_S,
        isolation_level=None,  # transactions begin where we say
        check_same_thread=False,  # SQLAlchemy's pool hands it on
    )


def _check_header(path: Path) -> None:
    # https://sqlite.org/fileformat2.html#the_database_header. Closing the file drops the
    # locks that this process has on it, so this comes before any connection is opened.
    with path.open("rb") as file:
        header = file.read(20)
    if header and not header.startswith(b"SQLite format 3\0"):
        raise StudyError(f"{path}: is not an SQLite database: name another file")
    if header[18:20] == b"\2\2":  # even reading would leave two files beside it
        raise StudyError(
            f"{path}: is in WAL mode: run `sqlite3 {path} 'PRAGMA journal_mode=DELETE'` first"
        )


def _undone_copy(path: Path) -> sqlite3.Connection | None:
    """The file as its journal restores it, in memory; ``None`` if somebody just restored it."""
    real = require_journals(path)
    journal = real.with_name(f"{real.name}-journal")
    if not journal.exists():
        return None
    if journal.stat().st_size > _PER_BYTE * real.stat().st_size + _HEADER:
        raise StudyError(f"{journal}: is no journal of {path.name}, which is smaller: remove it")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        try:
            before = journal.stat()
            shutil.copyfile(journal, f"{copy}-journal")
            shutil.copyfile(real, copy)
            if _changed(before, journal.stat()):
                return None
        except FileNotFoundError:
            return None
        memory = _connect("file::memory:")
        with closing(sqlite3.connect(copy)) as source:
            source.backup(memory)
    memory.execute("PRAGMA query_only = ON")
    return memory


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    fields = ("st_ino", "st_size", "st_mtime_ns")
    return any(getattr(before, field) != getattr(after, field) for field in fields)


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise StudyError(f"{path}: is damaged: restore it from a copy, or name another file")


def _contents(connection: sqlite3.Connection) -> Contents | None:
    listed = connection.execute("SELECT name, type FROM sqlite_master").fetchall()
    views = frozenset(name for name, kind in listed if kind == "view")
    tables = views | frozenset(name for name, kind in listed if kind == "table")
    if not tables:
        return None
    found = Contents(tables, views, None, ())
    if not found.is_optuna:
        return found
    revision = None
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = str(row[0]) if row else None
    studies = connection.execute("SELECT study_name FROM studies ORDER BY study_id").fetchall()
    return Contents(tables, views, revision, tuple(str(name) for (name,) in studies))
