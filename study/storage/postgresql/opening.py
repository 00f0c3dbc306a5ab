"""Open Optuna's storage on a database server."""

from typing import TYPE_CHECKING

from study.errors import StudyError
from study.storage.postgresql.tables import require_server
from study.storage.schema import create_schema, too_old
from study.storage.urls import label

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from sqlalchemy.engine import Engine


def has_tables(url: str) -> bool:
    """Whether a server's database has Optuna's tables, and their version.

    Raises:
        StudyError: They are there, and not as Optuna makes them.
    """
    from sqlalchemy import inspect

    engine = _engine(url)
    with engine.connect() as connection:
        has_table = inspect(connection).has_table
        found = has_table("version_info") and has_table("alembic_version")
        if found and engine.name == "postgresql":
            require_server(connection, label(url))
        return found


def open_server(url: str) -> "RDBStorage":
    """Optuna's storage, to append to; tables that are missing are made. Raises as below."""
    engine = _engine(url)
    if engine.name == "postgresql" and not has_tables(url):
        create_schema(engine)
    return _storage(url)


def read_server(url: str) -> "RDBStorage":
    """Optuna's storage, to read.

    Raises:
        StudyError: It has no tables, or they are not as this version of Optuna makes them.
    """
    if not has_tables(url):
        raise StudyError(f"{label(url)}: holds no study: run a search first, or name another")
    return _storage(url)


def _engine(url: str) -> "Engine":
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    return create_engine(url, poolclass=NullPool)


def _storage(url: str) -> "RDBStorage":
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    template = url.replace("{", "{{").replace("}", "}}")  # RDBStorage formats its URL
    try:
        return RDBStorage(template, {"poolclass": NullPool})  # no connection outlives a restart
    except RuntimeError as error:  # another schema version
        raise StudyError(too_old(label(url), url)) from error
