"""Wait for a database server that has gone away until it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

PATIENCE_S = 60.0
_PAUSE_S = 0.5
T = TypeVar("T")
_log = logging.getLogger(__name__)


def reconnecting(work: Callable[[], T]) -> T:
    """What ``work`` returns, tried anew on a fresh connection while the server is away.

    Raises:
        DBAPIError: It has been away for a minute, or the error is of another kind.
    """
    from sqlalchemy.exc import DBAPIError

    deadline, said = time.monotonic() + PATIENCE_S, False
    while True:
        try:
            return work()
        except DBAPIError as error:
            if not _is_gone(error) or time.monotonic() > deadline:
                raise
        if not said:
            _log.warning("the database server has gone away, waiting for it: %.0f s", PATIENCE_S)
            said = True
        time.sleep(_PAUSE_S)


def _is_gone(error: DBAPIError) -> bool:
    """Whether the connection failed rather than a statement.

    Classes of SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html: 08
    are connections, 57P a server that stops or starts; an error without one never got there.
    """
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P"))
