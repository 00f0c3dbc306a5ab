"""Look at an SQLite file without creating, changing or locking out anything."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from study.errors import StudyError
from study.explain import explaining
from study.storage.rows import MAX_VALUE, require_rows
from study.storage.safe_files import require_journals
from study.storage.schema import require_revision
from study.storage.sqlite_schema import Row, listed, refusal, require_plain, require_structure
from study.storage.urls import shown
from study.system import shell

# A journal has at most every page of the file as it was, which may have been longer, and eight
# bytes a page and a header a sector more, https://sqlite.org/fileformat2.html#the_rollback_journal
_PER_BYTE, _HEADER = 4, 1 << 20
TIMEOUT_S = 60.0  # how long to wait for another program's transaction
_SCHEMA_BYTES = 2**17  # of one definition, or one row of SQLite's statistics
_SCHEMA_STEPS = 200_000  # of SQLite's machine, to read those: a hundred times Optuna's
RACY_NS = 50_000_000  # two changes within a tick of a file system's clock look like one
_OPTUNA = frozenset({"studies", "trials", "version_info"})  # at any revision
_seen: dict[Path, tuple[tuple[object, ...], list[str]]] = {}  # the state of files, and studies


def look(path: Path) -> list[str] | None:
    """The studies in the SQLite file at ``path``, oldest first; ``None`` if it has no tables yet.

    The schema comes first, and no table is read before it is known to be Optuna's; then the
    file and its rows as a whole. All of it is one snapshot of the file. A file that has not
    changed since is not read again.

    Raises:
        StudyError: It is not an SQLite database, damaged, in WAL mode, another application's
            or of another version of Optuna; its schema has something that Optuna does not
            make, or its rows belong to nothing; or what has its journal's name is no file.
        ResourceError: It can't be read.
    """
    with explaining(str(path)):
        require_journals(path)
        if not path.exists() or path.stat().st_size == 0:
            return None
        state, place = _state(path, _header(path)), path.absolute()
        if state is not None and _seen.get(place, (None,))[0] == state:
            return [*_seen[place][1]]
        with closing(connect_readonly(path)) as connection:
            connection.execute("BEGIN")
            studies = _studies(connection, path)
        if state is not None and studies is not None:
            _seen[place] = (state, studies)
        return studies


def connect_readonly(path: Path) -> sqlite3.Connection:
    """A connection that can't write, nor create ``path`` or anything beside it.

    A writer that was killed leaves half a transaction, and a journal that undoes it. To undo it,
    the file would have to be written. So this connects to a copy in memory of the file as it
    was before; the next program that opens the file for writing undoes it there.
    """
    while True:
        require_journals(path)
        connection = _connect(f"file:{quote(str(path.absolute()))}?mode=ro")
        try:
            return harden(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
        copy = _undone_copy(path)
        if copy is not None:
            return copy


def connect_writable(path: Path, timeout_s: float) -> sqlite3.Connection:
    """A connection for Optuna's own engine, which begins transactions as Python does."""
    connection = sqlite3.connect(path.absolute(), timeout=timeout_s, check_same_thread=False)
    try:
        return harden(connection)
    except BaseException:
        connection.close()
        raise


def harden(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Let the file's schema run nothing, and give out no value that is too long.

    SQLite reads its tables of statistics together with the schema; that is limited too.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _SCHEMA_BYTES)
    connection.set_progress_handler(lambda: True, _SCHEMA_STEPS)
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    connection.set_progress_handler(None, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=TIMEOUT_S,
        isolation_level=None,  # transactions begin where we say
        check_same_thread=False,  # SQLAlchemy's pool hands it on
    )


def _header(path: Path) -> bytes:
    # https://sqlite.org/fileformat2.html#the_database_header. Closing the file drops the
    # locks that this process has on it, so this comes before any connection is opened.
    with path.open("rb") as file:
        header = file.read(100)
    if header and not header.startswith(b"SQLite format 3\0"):
        raise StudyError(f"{path}: is not an SQLite database: name another file")
    if header[18:20] == b"\2\2":  # even reading would leave two files beside it
        raise StudyError(
            f"{path}: is in WAL mode: run "
            f"`{shell(['sqlite3', str(path), 'PRAGMA journal_mode=DELETE'])}` first"
        )
    return header


def _state(path: Path, header: bytes) -> tuple[object, ...] | None:
    """What changes with the file's content; ``None`` where that is not certain.

    The header counts SQLite's transactions. Beside a journal the content is not the file's, and
    a file that has just changed may change again without a new time.
    """
    real = path.resolve()
    found = real.stat()
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    if time.time_ns() - newest < RACY_NS or real.with_name(f"{real.name}-journal").exists():
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, newest, header


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
            before = _version(journal)
            shutil.copyfile(journal, f"{copy}-journal")
            shutil.copyfile(real, copy)
            if _version(journal) != before:
                return None
        except FileNotFoundError:
            return None
        memory = _connect("file::memory:")
        with closing(sqlite3.connect(copy)) as source:
            source.backup(memory)
    memory.execute("PRAGMA query_only = ON")
    return memory


def _version(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _studies(connection: sqlite3.Connection, path: Path) -> list[str] | None:
    rows = listed(connection, str(path))
    if not rows:
        return None
    tables = {name.lower() for kind, name, _, _ in rows if kind == "table"}
    if not tables >= _OPTUNA:
        others = sorted({name for kind, name, _, _ in rows if kind in ("table", "view")})
        raise StudyError(
            f"{path}: is another application's database (with "
            f"{', '.join(map(shown, others[:3]))}): name a new file"
        )
    require_revision(_revision(connection, rows, path), str(path), f"sqlite:///{path}")
    require_structure(connection, str(path))
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise StudyError(f"{path}: is damaged: restore it from a copy, or name another file")
    ask = lambda sql: connection.execute(sql).fetchone()  # noqa: E731
    require_rows(ask, sorted(tables), str(path), typed=False)
    studies = connection.execute("SELECT study_name FROM studies ORDER BY study_id").fetchall()
    names = [str(name) for (name,) in studies]
    if len(set(names)) < len(names):  # an index need not list what its table has
        raise StudyError(f"{path}: is damaged (two studies have one name): restore it from a copy")
    return names


def _revision(connection: sqlite3.Connection, rows: Sequence[Row], path: Path) -> str | None:
    """The revision of Optuna's schema, read only from what is no more than a table."""
    listing = next((row for row in rows if row[1].lower() == "alembic_version"), None)
    if listing is None:
        return None
    require_plain(listing, str(path))
    found = connection.execute("SELECT version_num FROM alembic_version LIMIT 2").fetchall()
    if len(found) > 1:
        raise refusal(str(path), "table 'alembic_version' has more than one row")
    return str(found[0][0]) if found else None
