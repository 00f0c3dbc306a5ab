"""Check the relations and the sizes of a storage's rows, before any of them is fetched.

A database only counts and measures here: ids that are numbers, lengths that fit, and no row
that belongs to nothing. The SQL is understood by SQLite and PostgreSQL.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from study.errors import StudyError

MAX_VALUE = 2**24  # bytes of one value: a learning curve of 200,000 validations
MAX_NAME = 2_048  # bytes of a name or a key: 512 characters, as Optuna's columns hold
MAX_TRIALS = 1_000_000  # ten times what is tested; as Optuna reads them, 2 GB of memory
MAX_ROWS = 20_000_000  # of any other table: twenty a trial

Ask = Callable[[str], Sequence[Any]]  # the first row that a query gives
_UNDIRECTED = """SELECT count(*) FROM studies WHERE NOT EXISTS (SELECT 1 FROM study_directions d
WHERE d.study_id = studies.study_id GROUP BY d.study_id HAVING min(d.objective) = 0
AND max(d.objective) = count(*) - 1)"""


def require_rows(ask: Ask, tables: Sequence[str], what: str, *, typed: bool) -> None:
    """Refuse a storage whose rows can't be what Optuna has written.

    Args:
        ask: Runs a query in one transaction with what is read next.
        tables: Those of Optuna's that are there.
        what: The storage, for the message.
        typed: Whether the database itself holds values to their column's type and length.

    Raises:
        StudyError: Names tables and counts.
    """
    wrong = list(_wrong(ask, tables, typed=typed))
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        listed = ", ".join(wrong[:3]) + more
        raise StudyError(
            f"{what}: is damaged ({listed}): restore it from a copy, or name another storage"
        )


def _wrong(ask: Ask, tables: Sequence[str], *, typed: bool) -> Iterator[str]:
    for table, limit, selected, complaints in _measures(typed=typed):
        if table not in tables:
            continue
        rows, *found = ask(f"SELECT count(*), {selected} FROM {table}")
        if rows > limit:
            yield f"table '{table}' has {rows} rows, more than {limit}"
        for value, (most, words) in zip(found, complaints, strict=True):
            if (value or 0) > most:
                yield f"table '{table}' has {words.format(value)}"
    for table, column, parent, key in _parents():
        if table in tables:
            count = ask(
                f"SELECT count(*) FROM {table} WHERE NOT EXISTS"
                f" (SELECT 1 FROM {parent} WHERE {parent}.{key} = {table}.{column})"
            )[0]
            if count:
                yield f"table '{table}' has {count} rows that belong to no row of '{parent}'"
    count = ask("SELECT count(*) FROM version_info")[0]
    if count != 1:
        yield f"table 'version_info' has {count} rows, not 1"
    count = ask(_UNDIRECTED)[0]
    if count:
        yield f"table 'studies' has {count} rows without their rows of 'study_directions'"


@cache
def _measures(*, typed: bool) -> list[tuple[str, int, str, list[tuple[int, str]]]]:
    """Of each table: the most rows, what to select, and for each the most and what is wrong."""
    found = []
    for table in _tables():
        columns = [c for c in table.columns if not c.primary_key or not typed]
        measures = [measure for c in columns for measure in _of_column(c, typed=typed)]
        limit = MAX_TRIALS if table.name in ("studies", "trials") else MAX_ROWS
        selected = ", ".join(["0", *(sql for sql, _, _ in measures)])
        found.append((table.name, limit, selected, [(0, ""), *((m, w) for _, m, w in measures)]))
    return found


def _of_column(column: Any, *, typed: bool) -> Iterator[tuple[str, int, str]]:  # noqa: ANN401
    """What to measure of a column: SQL, the most that it may give, and the complaint."""
    from sqlalchemy import Enum, Float, Integer, String, Text

    name, kind = f'"{column.name}"', column.type
    is_text = isinstance(kind, String) and not isinstance(kind, Enum)
    is_name = is_text and not isinstance(kind, Text)
    most = MAX_VALUE if isinstance(kind, Text) else MAX_NAME
    words = f"a value of {{}} bytes as '{column.name}', more than {most}"
    if typed:
        if is_text:
            yield f"max(octet_length({name}))", most, words
        return
    if not isinstance(kind, Integer | Float):
        yield f"max(length(CAST({name} AS BLOB)))", most, words
    if isinstance(kind, Integer) or is_name:
        right = "text" if is_name else "integer"
        wrong = f"{{}} rows whose '{column.name}' is not {right}"
        yield f"sum(typeof({name}) <> '{right}')", 0, wrong


@cache
def _parents() -> list[tuple[str, str, str, str]]:
    """Each foreign key: table, column, the parent's table and column."""
    return [
        (table.name, key.parent.name, key.column.table.name, key.column.name)
        for table in _tables()
        for key in table.foreign_keys
    ]


def _tables() -> list[Any]:
    """Optuna's tables whose rows are a study's."""
    from optuna.storages._rdb.models import BaseModel

    return [table for table in BaseModel.metadata.sorted_tables if table.name != "version_info"]
