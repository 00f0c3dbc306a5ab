"""Optuna's tables in a fresh SQLite file or PostgreSQL database, in one transaction.

Optuna makes each table and index in a transaction of its own: about 25 waits for the
disk, and a kill between two of them leaves part of a schema. These are the same steps,
from Optuna's own table definitions and its own migration scripts, committed together.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from study.errors import StudyError
from study.storage.urls import shown
from study.system import shell
from study.text import hidden

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from sqlalchemy.engine import Connection, Engine

PATIENCE_S = 60  # how long another may take to make the tables of a PostgreSQL database
_ALONE = 0x6F7074756E61  # the advisory lock of the process that makes them


def create_schema(engine: "Engine") -> None:
    """Make the tables that ``optuna.storages.RDBStorage`` would make, all or none.

    Of two that come at once, one makes them.
    """
    from sqlalchemy import inspect

    with engine.begin() as connection:
        if engine.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # pysqlite would commit each table
        else:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ALONE})")
        if not inspect(connection).has_table("version_info"):  # no other process was faster
            _create(connection)


def head_revision() -> str:
    """The schema revision of the installed Optuna, such as ``v3.2.0.a``."""
    head = _scripts().get_current_head()
    assert head is not None, "Optuna ships at least one migration"
    return head


def require_revision(revision: str | None, what: str, url: str) -> None:
    """Refuse a storage of another revision of the schema; ``None`` where it has none.

    Raises:
        StudyError: Says how to upgrade the storage, or Optuna.
    """
    if revision == head_revision():
        return
    if revision in (None, *(script.revision for script in _scripts().walk_revisions())):
        raise StudyError(too_old(what, url))
    raise StudyError(
        f"{what}: was written by a newer Optuna (schema {shown(str(revision))}): run "
        "`pip install -U optuna`"
    )


def too_old(what: str, url: str) -> str:
    """The refusal of a storage whose tables an older Optuna made."""
    return (
        f"{what}: has the tables of an older Optuna:"
        f" copy it, then run `optuna storage upgrade --storage {shell([hidden(url)])}`"
    )


def _create(connection: "Connection") -> None:
    import optuna
    from alembic.migration import MigrationContext
    from optuna.storages._rdb import models

    models.BaseModel.metadata.create_all(connection, checkfirst=False)
    version = {
        "version_info_id": 1,
        "schema_version": models.SCHEMA_VERSION,
        "library_version": optuna.__version__,
    }
    connection.execute(models.VersionInfoModel.__table__.insert(), version)
    MigrationContext.configure(connection).stamp(_scripts(), "head")


@cache  # reading them takes 15 ms
def _scripts() -> "ScriptDirectory":
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from optuna.storages import _rdb

    folder = Path(_rdb.__path__[0], "alembic")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return ScriptDirectory.from_config(config)
