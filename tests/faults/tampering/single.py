"""Every cell, row and id, one at a time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

from . import ABSENT, NAMED, NAMED_OR_SAME, OWNERS, RENAMED, Edit, Row, Sql, Table
from .values import at, changed, leaves, other_leaf, others

MANY = "trial_user_attributes"  # three rows of four are there
RING = 16  # neighbours whose primary keys are moved at once


def cells(tables: dict[str, Table], dice: random.Random) -> Iterator[Edit]:
    """Every cell that is no id: three other values of each of a study's, one of a trial's."""
    for table in tables.values():
        for column, type_ in table.columns.items():
            if column in OWNERS or (column == table.key and type_ == "INTEGER"):
                continue
            for row in table.rows:
                yield from _cell(table, column, row, dice)


def _cell(table: Table, column: str, row: Row, dice: random.Random) -> Iterator[Edit]:
    place = table.place(column)
    known = dict(others(table.columns[column], row[place], dice))
    pool = sorted({other[place] for other in table.rows} - {row[place]}, key=str)
    if pool:
        known["another row's"] = dice.choice(pool)
    for how in dice.sample(sorted(known), 1 if "trial" in table.name else 3):
        value = known[how]
        is_name = column == "study_name" and value and isinstance(value, str | int)
        yield Edit(
            f"{table.name}.{column}: {how}",
            f"{table.named(row)}: {str(value)[:60]!r}",
            table.update(column, row, value),
            RENAMED if is_name else NAMED_OR_SAME,
        )


def json_leaves(tables: dict[str, Table], dice: random.Random) -> Iterator[Edit]:
    """Every leaf of every study's JSON, and of every parameter's range."""
    for table in tables.values():
        for column in (c for c, type_ in table.columns.items() if type_ == "TEXT"):
            for row in table.rows if table.name != MANY else dice.sample(table.rows, 60):
                yield from _leaves(table, column, row, dice)


def _leaves(table: Table, column: str, row: Row, dice: random.Random) -> Iterator[Edit]:
    value = json.loads(row[table.place(column)])
    paths = list(leaves(value))
    for path in paths if table.name != MANY else [dice.choice(paths)]:
        how, leaf = other_leaf(at(value, path), dice)
        name = f"{table.named(row)}: {'.'.join(map(str, path))}: {leaf!r:.60}"
        text = json.dumps(changed(value, path, leaf))
        kind = f"{table.name}.{column}: a leaf {how}"
        yield Edit(kind, name, table.update(column, row, text))


def rows(tables: dict[str, Table], dice: random.Random) -> Iterator[Edit]:
    """Every row deleted, and doubled; a sample of the largest table's with another natural key."""
    for table in tables.values():
        has_parts = table.name in OWNERS.values()
        for row in table.rows:
            where, fresh = table.named(row), _fresh(table, row)
            asked = NAMED if has_parts else NAMED_OR_SAME  # what belongs to it is an orphan
            yield Edit(f"{table.name}: deleted", where, table.delete(row), asked)
            yield Edit(f"{table.name}: doubled", where, table.insert(fresh))
            if table.name != MANY or dice.random() < 0.1:
                yield from _renatured(table, row, fresh)
        yield Edit(f"{table.name}: emptied", "", Sql(((f"DELETE FROM {table.name}", ()),), table))


def _fresh(table: Table, row: Row) -> Row:
    return (ABSENT if isinstance(row[0], int) else row[0], *row[1:])


def _renatured(table: Table, row: Row, fresh: Row) -> Iterator[Edit]:
    """Doubled under another natural key: no constraint forbids it."""
    cells = table.of(row)
    found: dict[str, Any] = {
        column: f"{cells[column]}2"
        for column in ("key", "param_name", "study_name")
        if column in cells
    }
    found |= {c: cells[c] + 1 for c in ("objective", "step") if c in cells}
    found |= {"number": len(table.rows)} if "number" in cells else {}
    found |= {owner: ABSENT for owner in OWNERS if owner in cells and owner != table.key}
    for column, value in found.items():
        place = table.place(column)
        change = table.insert((*fresh[:place], value, *fresh[place + 1 :]))
        is_lost = column in OWNERS or (table.name, column) == ("study_directions", "objective")
        kind = f"{table.name}: doubled, with another {column}"
        yield Edit(kind, table.named(row), change, NAMED if is_lost else NAMED_OR_SAME)


def ids(tables: dict[str, Table], dice: random.Random) -> Iterator[Edit]:
    """Every reference moved to another owner and to none; every primary key moved."""
    for table in tables.values():
        for column in (c for c in OWNERS if c in table.columns and c != table.key):
            yield from _references(table, column, tables[OWNERS[column]], dice)
        if table.name in OWNERS.values():
            yield from _owners(table)
        elif isinstance(table.rows[0][0] if table.rows else None, int):
            yield from _keys(table)


def _references(table: Table, column: str, owner: Table, dice: random.Random) -> Iterator[Edit]:
    """A study's rows to every other study and to none; a trial's to another one or to none."""
    known, none = [row[0] for row in owner.rows], [ABSENT, 0, -1, "id", 1.5, "", None]
    for row in table.rows:
        now = row[table.place(column)]
        wanted = [*known, *dice.sample(none, 2)]
        if column == "trial_id":
            wanted = [dice.choice([*none, *dice.sample(known, len(none))])]
        for value in wanted:
            if value == now:
                continue
            is_lost = value not in known and value is not None
            whom = "another owner" if value in known else "no owner"
            yield Edit(
                f"{table.name}.{column}: to {whom}",
                f"{table.named(row)} → {value!r}",
                table.update(column, row, value),
                NAMED if is_lost else NAMED_OR_SAME,
            )


def _owners(table: Table) -> Iterator[Edit]:
    """A study's or a trial's own id: what belongs to it is another's then, or nobody's."""
    for row in table.rows:
        for value in (ABSENT, 0, -1):
            kind, where = f"{table.name}.{table.key}: absent", f"{table.named(row)} → {value}"
            yield Edit(kind, where, table.update(table.key, row, value), NAMED)
    every = combinations if table.name == "studies" else _neighbours
    for a, b in every(table.rows, 2):
        where = f"{table.named(a)} ↔ {table.named(b)}"
        # Only the name and what stands in the row itself goes to the other: two renames.
        asked = RENAMED if table.name == "studies" else NAMED_OR_SAME
        change = table.exchange(table.key, a, b)
        yield Edit(f"{table.name}.{table.key}: exchanged", where, change, asked)


def _neighbours(rows: list[Row], _: int) -> Iterator[tuple[Row, Row]]:
    return pairwise(rows)


def _keys(table: Table) -> Iterator[Edit]:
    """Primary keys that nothing refers to, moved to the next row's or none: ``RING`` at once."""
    sql = f"UPDATE {table.name} SET {table.key} = ? WHERE {table.key} = ?"
    for start in range(0, len(table.rows), RING):
        now = [row[0] for row in table.rows[start : start + RING]]
        aside = [(sql, (ABSENT + key, key)) for key in now]
        back = [(sql, (key, ABSENT + now[k - 1])) for k, key in enumerate(now)]
        where = f"{now[0]} to {now[-1]}"
        yield Edit(f"{table.name}.{table.key}: absent", where, Sql(aside, table))
        if len(now) > 1:
            yield Edit(f"{table.name}.{table.key}: exchanged", where, Sql([*aside, *back], table))
