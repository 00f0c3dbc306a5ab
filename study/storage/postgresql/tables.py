"""Compare a PostgreSQL database's tables with those that Optuna makes; others don't matter.

It does what :mod:`study.storage.sqlite_schema` does for a file, with the server's own catalogue.
A name means what it means in a query: the table that the search path finds.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from study.storage.rows import require_rows
from study.storage.schema import head_revision
from study.storage.sqlite_schema import MAY_BE_MISSING, MAY_BE_NULL, enums, reference, refusal
from study.storage.urls import shown

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_KINDS = """SELECT c.relname, CASE
WHEN c.relkind::text <> 'r' THEN 'is not an ordinary table'
WHEN c.relpersistence::text <> 'p' THEN 'does not outlive a crash or a session'
WHEN c.relrowsecurity THEN 'has row-level security'
WHEN EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid) THEN 'has a rule'
WHEN EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
THEN 'has a trigger'
WHEN EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
THEN 'shares rows with another table' END FROM pg_class c"""
_COLUMNS = """SELECT c.relname, a.attname, t.typtype::text, t.typname,
t.typnamespace = 'pg_catalog'::regnamespace, a.attnotnull, a.attgenerated::text,
pg_get_expr(d.adbin, d.adrelid) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"""
_INDEXES = """SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_class c
JOIN pg_index i ON i.indrelid = c.oid"""
_CONSTRAINTS = """SELECT c.relname, k.contype::text, pg_get_constraintdef(k.oid) FROM pg_class c
JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype NOT IN ('p', 'u', 'n')"""
_OWN = " WHERE c.relname IN ({}) AND pg_table_is_visible(c.oid)"
_KNOWN_DEFAULT = re.compile(r"nextval\('[^']*'::regclass\)|'\w+'::[\w.\"]+|NULL::.*")
_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX .+ ON .+ USING btree \(([\w, ]+)\)")
_TYPES = {"int4": "INTEGER", "int8": "INTEGER", "varchar": "TEXT", "text": "TEXT"}
_TYPES |= {"float4": "REAL", "float8": "REAL", "timestamp": "NUMERIC"}  # as SQLite calls them
Expected = tuple[dict[str, tuple[object, bool]], set[tuple[bool, str]], set[str]]


def require_server(connection: "Connection", what: str) -> None:
    """Refuse a database whose tables or rows are not those that Optuna makes.

    A database of another revision of Optuna's schema has to have plain tables only.

    Raises:
        StudyError: Names the table, and what about it is not Optuna's.
    """
    found = dict(_rows(connection, _KINDS))
    for table, wrong in found.items():
        if wrong is not None:
            raise refusal(what, f"table '{table}' {wrong}", "database")
    revision = "SELECT version_num FROM alembic_version LIMIT 2"
    if [row[0] for row in connection.exec_driver_sql(revision)] != [head_revision()]:
        return
    for wrong in _differences(connection, set(found)):
        raise refusal(what, wrong, "database")
    ask = lambda sql: connection.exec_driver_sql(sql).one()  # noqa: E731
    require_rows(ask, sorted(found), what, typed=True)


def _rows(connection: "Connection", query: str) -> list[Any]:
    names = ", ".join(f"'{table}'" for table in _expected())
    return [tuple(row) for row in connection.exec_driver_sql(query + _OWN.format(names))]


def _differences(connection: "Connection", there: set[str]) -> Iterator[str]:
    for table in sorted(_expected().keys() - there - MAY_BE_MISSING):
        yield f"table '{table}' is missing"
    yield from _columns(_rows(connection, _COLUMNS), there)
    indexes: dict[str, set[tuple[bool, str]]] = {table: set() for table in there}
    for table, definition in _rows(connection, _INDEXES):
        index = _INDEX.fullmatch(definition.replace('"', ""))
        indexes[table].add((bool(index[1]), index[2]) if index else (False, definition))
    keys: dict[str, set[str]] = {table: set() for table in there}
    for table, kind, definition in _rows(connection, _CONSTRAINTS):
        if (table, definition) != ("version_info", "CHECK ((version_info_id = 1))"):
            keys[table].add(re.sub(r"REFERENCES \w+\.", "REFERENCES ", definition) + kind)
    for table in sorted(there):
        if indexes[table] != _expected()[table][1]:
            yield f"table '{table}': its indexes and unique keys are not Optuna's"
        if keys[table] != _expected()[table][2]:
            yield f"table '{table}': its foreign keys or checks are not Optuna's"


def _columns(rows: list[Any], there: set[str]) -> Iterator[str]:
    missing = {(table, column) for table in there for column in _expected()[table][0]}
    for table, column, sort, kind, builtin, not_null, generated, default in rows:
        wanted = _expected()[table][0].get(column)
        named = f"table '{table}': column {shown(column)}"
        missing.discard((table, column))
        if wanted is None or generated or not _KNOWN_DEFAULT.fullmatch(default or "NULL::"):
            yield f"{named} is not Optuna's"
            continue
        family = "enum" if sort == "e" else _TYPES.get(kind) if builtin else None
        loose = (table, column) in MAY_BE_NULL and not not_null
        if family != wanted[0] or (not_null != wanted[1] and not loose):
            yield f"{named} is not as Optuna makes it"
    for table, column in sorted(missing):
        yield f"table '{table}': column '{column}' is missing"


@cache
def _expected() -> dict[str, Expected]:
    """Each table's columns with type and NOT NULL, its indexes, and its foreign keys."""
    found = {}
    for table, (columns, indexes, keys) in reference().items():
        own = {
            name: ("enum" if name in enums() else affinity, bool(not_null))
            for name, (affinity, not_null, *_) in columns.items()
        }
        listed = {(bool(unique), ", ".join(c for c, *_ in part)) for unique, _, *part in indexes}
        listed |= {(True, name) for name, (*_, is_key, _) in columns.items() if is_key}
        foreign = {f"FOREIGN KEY ({c}) REFERENCES {parent}({to})f" for parent, c, to, *_ in keys}
        found[table] = own, listed, foreign
    return found
