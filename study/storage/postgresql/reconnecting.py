"""Wait for a database server that has gone away until it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from study.errors import StudyError
from study.explain import chain, sqlstate

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

PATIENCE_S = 60.0
_PAUSE_S = 0.5
T = TypeVar("T")
_log = logging.getLogger(__name__)
_answered: set[str] = set()  # the URLs of servers that this process has talked to


def reconnecting(url: str, work: Callable[[], T]) -> T:
    """What ``work`` returns, tried again on a fresh connection while the server is away.

    A server that has never answered this process is not waited for: it may not be there at
    all. An SQLite file is always there.

    Args:
        url: Of the storage that ``work`` connects to.
        work: What may be begun again.

    Raises:
        DBAPIError: The server has been away for a minute, or the error is of another kind.
    """
    if url.startswith("sqlite"):
        return work()
    deadline, said = time.monotonic() + PATIENCE_S, False
    while True:
        try:
            found = work()
        except Exception as error:  # Optuna wraps what the driver says
            if not _is_away(url, error) or time.monotonic() > deadline:
                raise
        else:
            _answered.add(url)
            return found
        if not said:
            _log.warning("the database server has gone away, waiting for it: %.0f s", PATIENCE_S)
            said = True
        time.sleep(_PAUSE_S)


def _is_away(url: str, error: Exception) -> bool:
    """Whether the server was there, and its connection failed rather than a statement."""
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, StudyError):
        return False
    lost = [link for link in chain(error) if isinstance(link, DBAPIError) and _is_gone(link)]
    return any(url in _answered or link.connection_invalidated for link in lost)


def _is_gone(error: DBAPIError) -> bool:
    """Whether the connection failed rather than a statement.

    Classes of SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html: 08
    are connections, 57P a server that stops or starts; an error without one never got there.
    """
    from sqlalchemy.exc import InterfaceError, OperationalError

    state = sqlstate(error.orig)
    if error.connection_invalidated:
        return True
    if state is None:
        return isinstance(error, InterfaceError | OperationalError)
    return state.startswith(("08", "57P"))
