"""Turn a failing disk or database into one line and the right exit status."""

import errno
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from study.errors import BusyError, ResourceError, StudyError, is_memory
from study.text import hidden

_FULL = "the disk is full: free some space and run the same command again"
_READ_ONLY = "can't be written: make the file and its folder writable"
_CLOSE = "close it in other programs, and " if sys.platform == "win32" else ""
_UNREADABLE = f"can't be opened: {_CLOSE}check the permissions of the file and its folder"
_DAMAGED = "is damaged: restore it from a copy, or name another file"
_FAILED = "reading or writing it failed: check the disk, then run the same command again"
NO_LOCKS = "can't be locked on this file system: use a local folder"
_TOO_MANY = "too many files are open: close some, or raise `ulimit -n`"
_LOCKED = "is locked by another program: wait for it or stop it"

# Primary result codes of SQLite, https://sqlite.org/rescode.html
_SQLITE: dict[int, tuple[type[StudyError], str]] = {
    sqlite3.SQLITE_FULL: (ResourceError, _FULL),
    sqlite3.SQLITE_READONLY: (ResourceError, _READ_ONLY),
    sqlite3.SQLITE_CANTOPEN: (ResourceError, _UNREADABLE),
    sqlite3.SQLITE_PERM: (ResourceError, _UNREADABLE),
    sqlite3.SQLITE_AUTH: (ResourceError, _UNREADABLE),
    sqlite3.SQLITE_IOERR: (ResourceError, _FAILED),
    sqlite3.SQLITE_NOMEM: (ResourceError, "there is no memory left to read it: free some"),
    sqlite3.SQLITE_BUSY: (BusyError, _LOCKED),
    sqlite3.SQLITE_LOCKED: (BusyError, _LOCKED),
    sqlite3.SQLITE_CORRUPT: (StudyError, _DAMAGED),
    sqlite3.SQLITE_INTERRUPT: (StudyError, _DAMAGED),  # its schema takes too many steps
    sqlite3.SQLITE_TOOBIG: (StudyError, "has a value of more than 16 MiB: name another file"),
    sqlite3.SQLITE_NOTADB: (StudyError, "is not an SQLite database: name another file"),
}

_ERRNO: dict[int, str] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _UNREADABLE,
    errno.EPERM: _UNREADABLE,
    errno.EIO: _FAILED,
    errno.ENOLCK: NO_LOCKS,
    errno.ENOTSUP: NO_LOCKS,
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.ENOMEM: "there is no memory left: free some",
}
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_READERS = ("study.storage.", "sqlalchemy.", "optuna.storages.", "psycopg.", "psycopg2.")


def explain(error: BaseException, what: str | None = None) -> StudyError | None:
    """The one-line error behind ``error``, or ``None`` if it is a bug of ours.

    Libraries wrap what the disk says, and sometimes lose it (Optuna can end a full disk
    with an ``AssertionError``), so every cause and context is looked at, innermost last.

    Args:
        error: What was caught.
        what: What was being read or written, as a person would name it. If it is not given,
            an error is the storage's if it was raised in code that reads storages; any other
            is explained only if it names its own file, or is the whole machine's.
    """
    for link in chain(error):
        known = _explain_one(link, what or _origin(link))
        if known is not None:
            return known
    return None


def _origin(error: BaseException) -> str | None:
    """``storage``, if the innermost code that is ours, or a database's, reads or writes one."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    modules = [f"{frame.f_globals.get('__name__')}." for frame in frames]
    known = [module for module in modules if module.startswith(("study.", *_READERS))]
    return "storage" if known and known[-1].startswith(_READERS) else None


@contextmanager
def explaining(what: str) -> Iterator[None]:
    """Raise what :func:`explain` finds in place of an error that the block ends with."""
    try:
        yield
    except StudyError:
        raise
    except Exception as error:
        known = explain(error, what)
        if known is None:
            raise
        raise known from error


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and every error that it was raised from, or while handling."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        orig = getattr(link, "orig", None)  # SQLAlchemy keeps the driver's error here
        pending += [orig if isinstance(orig, BaseException) else None]
        pending += [link.__cause__, link.__context__]


def _explain_one(error: BaseException, what: str | None) -> StudyError | None:
    if isinstance(error, StudyError):
        return error
    if isinstance(error, sqlite3.Error):
        return _explain_sqlite(error, what or "storage")
    if isinstance(error, UnicodeDecodeError) and what:  # SQLite quotes what is damaged
        return StudyError(f"{what}: {_DAMAGED}")
    if isinstance(error, OSError):
        return _explain_os(error, what)
    if is_memory(error):
        return ResourceError(
            "memory: there is none left: free some, or train narrower cohorts (--cohort)"
        )
    return _explain_server(error, what or "storage")


def _explain_sqlite(error: sqlite3.Error, what: str) -> StudyError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python's own, not SQLite's
        kind = (StudyError, _DAMAGED) if "decode to UTF-8" in str(error) else None
    elif code == sqlite3.SQLITE_ERROR and str(error).startswith("no such"):
        kind = (StudyError, "does not have Optuna's tables: name another file")
    else:
        kind = _SQLITE.get(code & 0xFF)  # the low byte is the primary code
    return kind[0](f"{what}: {kind[1]}") if kind else None


def _explain_os(error: OSError, what: str | None) -> StudyError | None:
    replaced = error.filename if error.filename2 is None else error.filename2
    name = str(replaced) if replaced is not None else what
    if name is None and error.errno in _OF_THE_MACHINE:
        name = "this machine"
    if name and error.errno in _ERRNO:
        return ResourceError(f"{name}: {_ERRNO[error.errno]}")
    if error.filename is None or error.strerror is None:
        return None
    return StudyError(f"{name}: {error.strerror.lower()}: name another file or folder")


def sqlstate(error: BaseException | None) -> str | None:
    """PostgreSQL's code of what the driver raised; ``None`` if it never got to the server."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return None if state is None else str(state)


def _explain_server(error: BaseException, what: str) -> StudyError | None:
    if type(error).__module__ != "sqlalchemy.exc":
        return None
    orig = getattr(error, "orig", None)
    state, reason = sqlstate(orig), _reason(orig)
    if isinstance(orig, sqlite3.Error):
        return None
    if state == "42501":
        return ResourceError(f"{what}: {reason}: {_grant(reason)}")
    if state == "55P03":  # a lock's time-out
        return BusyError(f"{what}: {_LOCKED}")
    if type(error).__name__ not in _SERVER_ERRORS:
        return None
    if _FATAL in str(orig):
        words = f"refuses the connection ({reason}): check the URL and the server's settings"
    elif state is not None and not state.startswith(("08", "57P")):
        words = f"fails ({reason}): put that right, then run the same command again"
    else:
        words = f"does not answer ({reason or 'no reason given'}): start it, check the URL"
    return ResourceError(f"{what}: the database server {words}")


_SERVER_ERRORS = ("OperationalError", "InterfaceError", "TimeoutError")
_FATAL = "FATAL: "  # before what a server says when it ends a connection


def _reason(error: BaseException | None) -> str:
    """The first line of what the driver says, or of what the server said to it."""
    line = next(iter(str(error or "").splitlines()), "")
    return hidden(line.rpartition(_FATAL)[2].strip())


def _grant(reason: str) -> str:
    """What lets a user of the server do what was denied."""
    if "schema" in reason:  # since PostgreSQL 15 none but the owner makes tables in public
        return "as the database's owner, run GRANT ALL ON SCHEMA public TO that user"
    return (
        "as their owner, run GRANT ALL ON ALL TABLES IN SCHEMA public TO that user, and the same "
        "ON ALL SEQUENCES"
    )
