"""Compare an SQLite file's tables with those that Optuna makes, before they are read.

What a schema can run - triggers, views, generated columns, CHECK, DEFAULT - runs in every program
that opens the file, and a virtual table may have no end. So each definition is first read as
text, word by word: it may have only the words of Optuna's own definitions. Then SQLite lists
columns, keys and indexes, and they are compared with those of tables that Optuna made in memory.
Order, comments, quotes and the names of indexes and constraints are free: Optuna's migrations
leave other ones.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from study.errors import StudyError
from study.storage.schema import create_schema
from study.storage.urls import shown

MAX_OBJECTS = 1_000  # tables and indexes that are looked at; Optuna's are about 30
_STATISTICS = {  # https://sqlite.org/fileformat2.html#internal_schema_objects
    "sqlite_sequence": "name seq",
    "sqlite_stat1": "tbl idx stat",
    "sqlite_stat2": "tbl idx sampleno sample",
    "sqlite_stat3": "tbl idx neq nlt ndlt sample",
    "sqlite_stat4": "tbl idx neq nlt ndlt sample",
}
MAY_BE_MISSING = {"trial_heartbeats"}  # `optuna storage upgrade` makes none
MAY_BE_NULL = {("trial_values", "trial_id")}  # so it was before Optuna 2.4
_KEYWORDS = "create table constraint primary foreign key unique references not null"
_TYPES = "integer int bigint varchar char text float real double precision datetime timestamp"
_WORDS = frozenset([*_KEYWORDS.split(), *_TYPES.split(), "(", ")", ","])
_TOKEN = re.compile(
    r"""(?s)(?P<space>[ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^]]*\]|'(?:[^']|'')*')|\w+|.""",
    re.VERBOSE,
)
_INDEX = re.compile(r"create (?:unique )?index (\S+) on (\w+) \( \w+(?: , \w+)* \)")
_CHECK = re.compile(r"check \( (\w+) (?:= (1)|in \( ('\w+'(?: , '\w+')*) \)) \)")

Row = tuple[str, str, str, str | None]  # of sqlite_master: type, name, table, SQL
Columns = dict[str, tuple[Any, ...]]
Shape = tuple[Columns, set[tuple[Any, ...]], set[tuple[Any, ...]]]  # with indexes, foreign keys
_accepted: set[tuple[Row, ...]] = set()  # a verdict depends on nothing but these rows


def listed(connection: sqlite3.Connection, what: str) -> tuple[Row, ...]:
    """What ``sqlite_master`` lists, oldest first.

    Raises:
        StudyError: It lists more than ``MAX_OBJECTS``, which no Optuna storage has.
    """
    query = f"SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT {MAX_OBJECTS + 1}"
    rows = connection.execute(query).fetchall()
    if len(rows) > MAX_OBJECTS:
        raise StudyError(f"{what}: has more than {MAX_OBJECTS} tables and indexes: name another")
    return tuple(
        (str(a), str(b), str(c), None if sql is None else str(sql)) for a, b, c, sql in rows
    )


def require_structure(connection: sqlite3.Connection, what: str) -> None:
    """Refuse a file whose tables are not Optuna's; nothing of its schema is run.

    Raises:
        StudyError: Names the table, and what about it is not Optuna's.
    """
    rows = listed(connection, what)
    if rows in _accepted:
        return
    wrong = next(_differences(connection, rows), None)
    if wrong is not None:
        raise refusal(what, wrong)
    if len(_accepted) < 64:
        _accepted.add(rows)


def refusal(what: str, wrong: str, kind: str = "file") -> StudyError:
    """The one line for a storage whose tables are not Optuna's."""
    return StudyError(
        f"{what}: does not have Optuna's tables: name another {kind}, or restore a copy ({wrong})"
    )


def require_plain(row: Row, what: str) -> None:
    """Refuse an entry of ``sqlite_master`` that may run something when it is read."""
    wrong = _wrong_definition(row)
    if wrong is not None:
        raise refusal(what, wrong)


def _differences(connection: sqlite3.Connection, rows: Sequence[Row]) -> Iterator[str]:
    yield from filter(None, map(_wrong_definition, rows))
    there = {name.lower() for kind, name, _, _ in rows if kind == "table"}
    for table, wanted in reference().items():
        if table in there:
            yield from _compare(table, _shape(connection, table), wanted)
        elif table not in MAY_BE_MISSING:
            yield f"table {table!r} is missing"


def _wrong_definition(row: Row) -> str | None:
    """What is not Optuna's about a table or an index, as far as its text tells."""
    kind, name, table, sql = row
    named, known = f"{kind} {shown(name)}", table.lower() in {*reference(), *_STATISTICS}
    if kind not in ("table", "index") or not known:
        return f"{named} is not Optuna's"
    if sql is None:  # the index of a key
        automatic = kind == "index" and name.startswith("sqlite_autoindex_")
        return None if automatic else f"{named} has no definition"
    words = _normalised(sql)
    if kind == "index":
        found = _INDEX.fullmatch(words)
        good = found is not None and (found[1], found[2]) == (name.lower(), table.lower())
        return None if good else f"{named} on {shown(table)} is not Optuna's"
    if not words.startswith(f"create table {table.lower()} (") or name != table:
        return f"{named} is not what its definition makes"
    if table.lower() in _STATISTICS:
        columns = " , ".join(_STATISTICS[table.lower()].split())
        good = words == f"create table {table.lower()} ( {columns} )"
        return None if good else f"{named} is not SQLite's"
    allowed = _WORDS | _names()
    rest = _without_own_checks(words).split(" ")
    odd = [word for word in rest if word not in allowed and not word.isdecimal()]
    return f"{named} has {shown(odd[0])} in its definition" if odd else None


def _normalised(sql: str) -> str:
    """The definition in lower case, a space between any two tokens, no comments, no quotes.

    Names of constraints are left out. Strings, and quoted names that are not Optuna's, stay
    as they are.
    """
    words: list[str] = []
    for match in _TOKEN.finditer(sql):
        text = match[0]
        if match["space"] is not None:
            continue
        if match["quoted"] is not None:
            inner = text[1:-1].replace(text[0] * 2, text[0]).lower()
            plain = re.fullmatch(r"\w+", inner) and (inner in _names() or words[-1:] == ["index"])
            text = inner if plain else text
        else:
            text = text.lower()
        words.append(text)
    joined = " ".join(words).removesuffix(" ;")
    return re.sub(r"\bconstraint \S+ ", "", joined)


def _without_own_checks(words: str) -> str:
    """The definition without the CHECKs that Optuna, or an older SQLAlchemy, puts there."""

    def cut(match: re.Match[str]) -> str:
        column, one, values = match.groups()
        if one:
            return "" if column == "version_info_id" else match[0]
        own = enums().get(column, set())
        return "" if set(values.replace("'", "").split(" , ")) == own else match[0]

    return _CHECK.sub(cut, words).replace("  ", " ").strip()


def _compare(table: str, found: Shape, wanted: Shape) -> Iterator[str]:
    for column in {**wanted[0], **found[0]}:
        there, right = found[0].get(column), wanted[0].get(column)
        if there is None or right is None:
            state = "is missing" if there is None else "is not Optuna's"
            yield f"table {table!r}: column {shown(column)} {state}"
        elif there not in (right, _migrated(table, column, right)):
            yield f"table {table!r}: column {shown(column)} is not as Optuna makes it"
    if found[1] != wanted[1]:
        yield f"table {table!r}: its indexes and unique keys are not Optuna's"
    if found[2] != wanted[2]:
        yield f"table {table!r}: its foreign keys are not Optuna's"


def _migrated(table: str, column: str, right: tuple[object, ...]) -> tuple[object, ...]:
    """A column as Optuna's migrations leave it: it may be NULL."""
    return (right[0], 0, *right[2:]) if (table, column) in MAY_BE_NULL else right


def _shape(connection: sqlite3.Connection, table: str) -> Shape:
    """Columns, indexes and foreign keys of a table, as SQLite has understood them."""
    columns: Columns = {
        str(name).lower(): (_affinity(kind), notnull, default, key, hidden)
        for _, name, kind, notnull, default, key, hidden in connection.execute(
            f"PRAGMA table_xinfo({table})"
        )
    }
    indexes = {
        (unique, partial, *_index(connection, name))
        for _, name, unique, _, partial in connection.execute(f"PRAGMA index_list({table})")
    }
    keys = {
        (parent.lower(), column.lower(), (to or column).lower(), *rules)
        for _, _, parent, column, to, *rules in connection.execute(
            f"PRAGMA foreign_key_list({table})"
        )
    }
    return columns, indexes, keys


def _index(connection: sqlite3.Connection, name: str) -> list[tuple[object, ...]]:
    quoted = name.replace('"', '""')
    rows = connection.execute(f'PRAGMA index_xinfo("{quoted}")').fetchall()
    return [(str(column).lower(), down, order) for _, _, column, down, order, key in rows if key]


def _affinity(kind: str) -> str:
    """https://sqlite.org/datatype3.html#determination_of_column_affinity."""
    words = {"INT": "INTEGER", "CHAR": "TEXT", "CLOB": "TEXT", "TEXT": "TEXT", "BLOB": "BLOB"}
    words |= {"REAL": "REAL", "FLOA": "REAL", "DOUB": "REAL"}
    return next((found for word, found in words.items() if word in kind.upper()), "NUMERIC")


@cache
def reference() -> dict[str, Shape]:
    """The shapes of Optuna's tables, by name; made in memory by Optuna's own definitions."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", poolclass=StaticPool)
    create_schema(engine)
    driver = engine.raw_connection().driver_connection
    assert isinstance(driver, sqlite3.Connection)
    tables = [name for kind, name, _, _ in listed(driver, "storage") if kind == "table"]
    shapes = {table: _shape(driver, table) for table in tables}
    engine.dispose()
    return shapes


@cache
def _names() -> frozenset[str]:
    """Every table's and column's name, of Optuna and of SQLite's statistics."""
    own = {name for table, shape in reference().items() for name in (table, *shape[0])}
    return frozenset(own | {w for name, cs in _STATISTICS.items() for w in (name, *cs.split())})


@cache
def enums() -> dict[str, set[str]]:
    """The columns of few values, with those values."""
    from optuna.storages._rdb.models import BaseModel
    from sqlalchemy import Enum

    return {
        column.name: set(column.type.enums)
        for table in BaseModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Enum)
    }
