"""Every edit of a storage that somebody with a database tool could make, one at a time.

``values`` says what else a cell could hold, ``single`` changes cells, rows and ids one by one,
``guards`` takes away what vouches for a study, ``whole`` moves trials, studies and files as a
whole. None of them knows how the package looks for damage.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ABSENT = 999  # an id that no row has
OWNERS = {"study_id": "studies", "trial_id": "trials"}
Change = Callable[[Path], None]
Row = tuple[Any, ...]

# What is asked of an edit.
NAMED_OR_SAME = "check names it, or the record is the same"
NAMED = "check names it"
TOLD = "check says something of it; the record is the same but for what is gone"
RENAMED = "check says something of it, or the record is the same but for the name"
FILES = "check names it, or the record is the same; where it is named, but for the weights"
HARMLESS = "check finds nothing wrong, and the record is the same but for unfinished trials"


@dataclass(frozen=True)
class Edit:
    """One change of a storage, made behind everyone's back."""

    kind: str  # what is changed, and how: the same words for all rows
    where: str  # which row or file
    change: Change
    asked: str = NAMED_OR_SAME

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


@dataclass(frozen=True)
class Table:
    """A table with all of its rows; the first column is its primary key."""

    name: str
    columns: dict[str, str]  # name → type
    rows: list[Row]

    @property
    def key(self) -> str:
        """The primary key's column."""
        return next(iter(self.columns))

    def place(self, column: str) -> int:
        """Where a column stands in a row."""
        return list(self.columns).index(column)

    def of(self, row: Row) -> dict[str, Any]:
        """A row's cells by column."""
        return dict(zip(self.columns, row, strict=True))

    def named(self, row: Row) -> str:
        """A row by what a reader knows of it."""
        known = (self.key, "study_id", "trial_id", "key", "param_name", "step")
        cells = self.of(row)
        return ", ".join(f"{column} {cells[column]}" for column in known if column in cells)

    def update(self, column: str, row: Row, value: object) -> Sql:
        """Change one cell."""
        sql = f'UPDATE {self.name} SET "{column}" = ? WHERE {self.key} = ?'
        return Sql(((sql, (value, row[0])),), self)

    def insert(self, row: Row) -> Sql:
        """Add a row."""
        marks = ", ".join("?" * len(self.columns))
        return Sql(((f"INSERT INTO {self.name} VALUES ({marks})", row),), self)

    def delete(self, row: Row) -> Sql:
        """Delete a row, and nothing that belongs to it."""
        return Sql(((f"DELETE FROM {self.name} WHERE {self.key} = ?", (row[0],)),), self)

    def exchange(self, column: str, a: Row, b: Row) -> Sql:
        """Exchange two rows' cells."""
        mine, other = a[self.place(column)], b[self.place(column)]
        aside = "aside" if isinstance(mine, str) else -5
        by, first, second = self.key, a[0], b[0]
        if column == self.key:
            moves = [(first, aside), (second, first), (aside, second)]
        else:
            moves = [(first, aside), (second, mine), (first, other)]
        sql = f'UPDATE {self.name} SET "{column}" = ? WHERE {by} = ?'
        return Sql(tuple((sql, (value, row)) for row, value in moves), self)


def tables(path: Path) -> dict[str, Table]:
    """All tables of a storage, by name."""
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
        return {name: _table(connection, name) for (name,) in connection.execute(sql).fetchall()}


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
    rows = connection.execute(f"SELECT * FROM {name}").fetchall()
    return Table(name, {column[1]: column[2] for column in columns}, rows)


@dataclass(frozen=True)
class Sql:
    """Statements with their values, run together."""

    statements: Sequence[tuple[str, Row]]
    table: Table | None = None  # whose constraints they may break

    def __call__(self, path: Path) -> None:
        """Run them; where a constraint forbids it, without the table's constraints."""
        try:
            _run(path, self.statements)
        except sqlite3.IntegrityError:
            assert self.table is not None
            with _unconstrained(path, self.table):
                _run(path, self.statements)


def both(first: Change, second: Change) -> Change:
    """Two changes after each other."""

    def change(path: Path) -> None:
        first(path)
        second(path)

    return change


def _run(path: Path, statements: Sequence[tuple[str, Row]]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        for sql, values in statements:
            connection.execute(sql, values)


@contextmanager
def _unconstrained(path: Path, table: Table) -> Iterator[None]:
    """A table without NOT NULL, UNIQUE and CHECK, as for a tool that knows of none.

    Its indexes are put back as they were: they lack what was written meanwhile.
    """
    is_counted = table.columns[table.key] == "INTEGER"
    plain = [f'"{name}" {type_}' for name, type_ in table.columns.items()]
    plain += [f"PRIMARY KEY ({table.key})"] if is_counted else []
    mine, is_table = (table.name,), "type = 'table' AND name = ?"
    index = "type = 'index' AND tbl_name = ?"
    with _schema(path) as schema:
        [(sql,)] = schema.execute(f"SELECT sql FROM sqlite_master WHERE {is_table}", mine)
        indexes = schema.execute(f"SELECT * FROM sqlite_master WHERE {index}", mine).fetchall()
        schema.execute(f"DELETE FROM sqlite_master WHERE {index}", mine)
        new = f"CREATE TABLE {table.name} ({', '.join(plain)})"
        schema.execute(f"UPDATE sqlite_master SET sql = ? WHERE {is_table}", (new, *mine))
    yield
    with _schema(path) as schema:
        schema.execute(f"UPDATE sqlite_master SET sql = ? WHERE {is_table}", (sql, *mine))
        schema.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", indexes)


@contextmanager
def _schema(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        yield connection


class Copy:
    """A copy of a storage with the files beside it, which can be made whole again."""

    def __init__(self, golden: Path, folder: Path) -> None:
        shutil.copytree(golden.parent, folder)
        self.golden, self.path = golden, folder / golden.name

    def restore(self) -> None:
        """Undo whatever was done to the database or the files."""
        before, now = (_files(path.parent) for path in (self.golden, self.path))
        if before != now:
            shutil.rmtree(self.path.parent)
            shutil.copytree(self.golden.parent, self.path.parent)


def _files(folder: Path) -> dict[Path, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in found}
