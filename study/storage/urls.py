"""From the name of a storage or a study to a URL, a path, a folder's name or a command."""

import hashlib
import re
import stat
from pathlib import Path

from study import system
from study.errors import StudyError
from study.storage.postgresql.driver import require_driver
from study.text import hidden

_PREFIXES = ("sqlite:///", "sqlite+pysqlite:///")
_SERVER = "postgresql+psycopg://USER@HOST/DATABASE"
MAX_NAME = 200  # characters of a searched study's name
_MAX_STORED = 220  # with what a confirmation appends; Optuna's column holds 512


def resolve(storage: str) -> str:
    """The URL of ``storage``: a bare path becomes ``sqlite:///path``, a URL stays as it is.

    Nothing is created.

    Raises:
        StudyError: It is empty, a folder, in memory, in a folder that is not there, or of a
            kind of database that can't be used here. Passwords are hidden in the message.
    """
    if not storage or not storage.isprintable():
        raise StudyError(f"storage {hidden(storage)[:60]!r}: is not a path or a URL: name a file")
    if "://" not in storage:
        storage = f"sqlite:///{storage}"
    path = sqlite_path(storage)
    if path is None:
        require_driver(storage)
    else:
        _check_path(path)
    return storage


def sqlite_path(url: str) -> Path | None:
    """The database file that ``url`` names, or ``None`` for a database server.

    Raises:
        StudyError: It is an SQLite URL that names no file.
    """
    if not re.match(r"sqlite(\+|:)", url):
        return None
    prefix = next((p for p in _PREFIXES if url.startswith(p)), None)
    name = url.removeprefix(prefix) if prefix else ""
    if name in ("", ":memory:") or name.startswith("file:"):
        raise StudyError(f"storage {hidden(url)}: names no file: write sqlite:///study.db")
    if re.search(r"\?|%[0-9A-Fa-f]{2}", name):  # SQLAlchemy would take these as options, escapes
        raise StudyError(
            f"storage {hidden(url)}: has a '?' or a '%': leave it out, or rename the file"
        )
    return Path(name)


def files(storage: str, name: str) -> Path:
    """The companion folder of a study, for its lock and its weights; not created here.

    ``study.db.files/linear`` beside an SQLite file; ``study.files/linear`` in the current
    folder for a database called ``study`` on a server.
    """
    url = resolve(storage)
    path = sqlite_path(url)
    if path is None:
        from sqlalchemy.engine import make_url

        path = Path(slug(make_url(url).database or "database"))
    elif path.is_symlink():  # one folder and one lock, whichever name the database is given
        path = path.resolve()
    return path.with_name(f"{path.name}.files") / slug(name)


def shell(module: str, storage: str, *options: str) -> str:
    """A command on this storage as typed in a shell; a password in its URL is left out."""
    where = hidden(storage.removeprefix("sqlite:///"))
    return system.shell(["python", "-m", module, "--storage", where, *options])


def slug(name: str) -> str:
    """``name`` as a folder's name; different names get different folders.

    ASCII letters, digits, ``-`` and ``_`` stay. Anything else becomes ``-``, and a short
    hash follows after a dot, which no name that stays whole contains.
    """
    safe = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:200]  # a folder's name holds 255 bytes
    if safe == name and name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{safe}.{digest}"


def check_name(name: str, longest: int = _MAX_STORED) -> None:
    """Refuse a study's name that is empty, overlong, or holds characters that hide.

    Args:
        name: The study's.
        longest: The most characters that it may have.

    Raises:
        StudyError: Control and direction characters and lone surrogates are refused too.
    """
    if not name.strip():
        raise StudyError(f"study name {name[:60]!r}: is empty: give it a name")
    if len(name) > longest:
        raise StudyError(f"study name {shown(name)}: is too long: use at most {longest} letters")
    if not name.isprintable():
        raise StudyError(f"study name {name!r}: has unprintable characters: leave them out")


def shown(text: str) -> str:
    """``text`` quoted, on one line and at most about 60 characters long, for a message."""
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"


def label(storage: str) -> str:
    """``storage`` as a message names it: an SQLite file by its path, a URL without password."""
    for prefix in _PREFIXES:
        storage = storage.removeprefix(prefix)
    return hidden(storage)


def _check_path(path: Path) -> None:
    named = hidden(str(path))  # it may be a mistyped URL
    try:
        mode, is_in_folder = system.mode(path), stat.S_ISDIR(system.mode(path.parent))
    except OSError as error:
        reason = (error.strerror or "can't be read").lower()
        raise StudyError(f"{named[:200]}: {reason}: name another file") from error
    if stat.S_ISDIR(mode):
        raise StudyError(f"{named}: is a folder: name a file in it")
    if mode and not stat.S_ISREG(mode):
        raise StudyError(f"{named}: is not an ordinary file: name another")
    if not is_in_folder and named != str(path):
        raise StudyError(f"{named}: is no URL, and names no folder: write {_SERVER}")
    if not is_in_folder:
        raise StudyError(f"{named}: there is no folder {path.parent}: create it first")
