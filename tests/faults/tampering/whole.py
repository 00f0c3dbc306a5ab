"""Trials, studies and files as a whole: moved, exchanged, copied, deleted."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from functools import partial
from itertools import combinations, permutations
from pathlib import Path

from . import ABSENT, FILES, HARMLESS, NAMED, RENAMED, TOLD, Change, Edit, Row, Sql, Table
from .guards import deleted_trial

PARTS = ("trial_values", "trial_params", "trial_intermediate_values", "trial_user_attributes")


def trials(tables: dict[str, Table], _: random.Random) -> Iterator[Edit]:
    """Every trial deleted or doubled with all that belongs to it, and moved to every study."""
    table = tables["trials"]
    for trial in table.rows:
        where = table.named(trial)
        yield Edit("a trial: deleted whole", where, deleted_trial(tables, trial), NAMED)
        for study, _name in tables["studies"].rows:
            number = sum(row[2] == study for row in table.rows)
            kind = "doubled" if study == trial[2] else "copied to another study"
            copied = _copied_trial(tables, trial, (ABSENT, number, study, *trial[3:]))
            yield Edit(f"a trial: {kind}", f"{where} → {study}", copied)
            if study != trial[2]:
                moved = Sql(((f"{_SET} number = ?, study_id = ? WHERE trial_id = ?",
                              (number, study, trial[0])),))  # fmt: skip
                yield Edit("a trial: moved to another study", f"{where} → {study}", moved)
    for a, b in combinations(table.rows, 2):
        if a[2] == b[2]:
            yield from _exchanged(tables, a, b)


_SET = "UPDATE trials SET"


def _copied_trial(tables: dict[str, Table], trial: Row, copy: Row) -> Sql:
    """The trial's row as ``copy``, and all that belongs to it."""
    statements = list(tables["trials"].insert(copy).statements)
    for name in PARTS:
        key, _, *columns = tables[name].columns
        listed = ", ".join(f'"{column}"' for column in columns)
        sql = f"INSERT INTO {name} (trial_id, {listed}) SELECT ?, {listed} FROM {name}"
        statements.append((f"{sql} WHERE trial_id = ? ORDER BY {key}", (copy[0], trial[0])))
    return Sql(statements)


def _exchanged(tables: dict[str, Table], a: Row, b: Row) -> Iterator[Edit]:
    """Two trials of a study exchange their numbers, their dates, or a table's rows."""
    table = tables["trials"]
    where = f"{table.named(a)} ↔ {table.named(b)}"
    for column in ("number", "datetime_start", "datetime_complete"):
        if a[table.place(column)] != b[table.place(column)]:
            change = table.exchange(column, a, b)
            yield Edit(f"two trials: {column} exchanged", where, change)
    for name in PARTS:
        sql = f"UPDATE {name} SET trial_id = ? WHERE trial_id = ?"
        steps = Sql([(sql, (-5, a[0])), (sql, (a[0], b[0])), (sql, (b[0], -5))])
        if any(row[1] in (a[0], b[0]) for row in tables[name].rows):
            yield Edit(f"two trials: {name} exchanged", where, steps)


def studies(tables: dict[str, Table], _: random.Random) -> Iterator[Edit]:
    """Studies deleted and copied whole; what two have, exchanged."""
    for study, name in tables["studies"].rows:
        yield Edit("a study: deleted whole", name, _deleted_study(tables, study), TOLD)
        yield Edit("a study: copied whole", name, _copied_study(tables, study, f"{name} 2"))
        for new in (f"{name}-2", f"my {name}", "x"):
            change = tables["studies"].update("study_name", (study, name), new)
            yield Edit("a study: renamed", f"{name} → {new}", change, RENAMED)
    for a, b in combinations(tables["studies"].rows, 2):
        where = f"{a[1]} ↔ {b[1]}"
        change = tables["studies"].exchange("study_name", a, b)
        yield Edit("two studies: names exchanged", where, change, RENAMED)
        for table in ("trials", "study_user_attributes", "study_system_attributes"):
            sql = f"UPDATE {table} SET study_id = ? WHERE study_id = ?"
            steps = Sql([(sql, (-5, a[0])), (sql, (a[0], b[0])), (sql, (b[0], -5))])
            yield Edit(f"two studies: {table} exchanged", where, steps, NAMED)
    for a, b in permutations(tables["studies"].rows, 2):
        change = Sql(((f"{_SET} study_id = ? WHERE study_id = ?", (a[0], b[0])),))
        yield Edit("two studies: trials put together", f"{b[1]} → {a[1]}", change, NAMED)


def _deleted_study(tables: dict[str, Table], study: int) -> Sql:
    mine = [trial for trial in tables["trials"].rows if trial[2] == study]
    steps = [step for trial in mine for step in deleted_trial(tables, trial).statements]
    owned = [name for name, table in tables.items() if "study_id" in table.columns]
    steps += [(f"DELETE FROM {name} WHERE study_id = ?", (study,)) for name in reversed(owned)]
    return Sql(steps)


def _copied_study(tables: dict[str, Table], study: int, name: str) -> Sql:
    """As ``optuna.copy_study`` does it, with the attributes of the system."""
    steps = list(tables["studies"].insert((ABSENT, name)).statements)
    for table in ("study_directions", "study_user_attributes", "study_system_attributes"):
        mine = [row for row in tables[table].rows if study in row[1:3]]
        place = tables[table].place("study_id")
        for row in mine:
            copy = (ABSENT + row[0], *row[1:place], ABSENT, *row[place + 1 :])
            steps += tables[table].insert(copy).statements
    for trial in tables["trials"].rows:
        if trial[2] == study:
            copy = (ABSENT + trial[0], trial[1], ABSENT, *trial[3:])
            steps += _copied_trial(tables, trial, copy).statements
    return Sql(steps)


def ordinary(tables: dict[str, Table], _: random.Random) -> Iterator[Edit]:
    """What Optuna and its dashboard add to a study: notes, tags, trials that are not finished."""
    user, system = tables["study_user_attributes"], tables["study_system_attributes"]
    for study, _name in tables["studies"].rows:
        notes = {
            "note": (user, '"mine"'),
            "tags": (user, '["a", "b"]'),
            "dashboard:note_ver": (system, "1"),
            "dashboard:note_str:0": (system, '"# Hi"'),
        }
        for key, (table, value) in notes.items():
            row = (ABSENT, study, key, value)
            yield Edit(f"a note: {key}", f"study {study}", table.insert(row), HARMLESS)
        number = sum(row[2] == study for row in tables["trials"].rows)
        for state in ("WAITING", "RUNNING", "FAIL"):
            change = Sql(list(_unfinished(tables, study, number, state)))
            yield Edit(f"a trial more: {state}", f"study {study}", change, HARMLESS)


def _unfinished(
    tables: dict[str, Table], study: int, number: int, state: str
) -> Iterator[tuple[str, Row]]:
    """Enqueued by ``enqueue_trial``, asked for, or failed in the caller's own objective."""
    day = "2026-01-02 03:04:05.000006"
    begun, ended = state != "WAITING", state == "FAIL"
    trial = (ABSENT, number, study, state, day if begun else None, day if ended else None)
    yield from tables["trials"].insert(trial).statements
    fixed = (ABSENT, ABSENT, "fixed_params", '{"learning_rate": 0.1}')
    if not begun:
        yield from tables["trial_system_attributes"].insert(fixed).statements
    if begun:
        ours = next(row for row in tables["trial_params"].rows if row[2] == "learning_rate")
        yield from tables["trial_params"].insert((ABSENT, ABSENT, *ours[2:])).statements


def files(folder: Path, _: random.Random) -> Iterator[Edit]:
    """Every file of weights changed, cut, lengthened, deleted and exchanged; and the locks."""
    weights = sorted(path.relative_to(folder) for path in folder.rglob("*.safetensors"))
    for name in weights:
        size = (folder / name).stat().st_size
        changes: dict[str, Change] = {
            f"a byte changed at {place}": partial(_flip, name, place)
            for place in (0, 9, 40, size // 2, size - 1)
        }
        changes |= {f"cut to {n}": partial(_cut, name, n) for n in (0, 7, size // 2, size - 1)}
        changes |= {"a byte more": partial(_more, name), "deleted": partial(_delete, name)}
        for how, change in changes.items():
            kind = how.split(" at ")[0].split(" to ")[0]
            yield Edit(f"weights: {kind}", f"{name}: {how}", change, FILES)
    for a, b in combinations(weights, 2):
        yield Edit("weights: exchanged", f"{a} ↔ {b}", partial(_exchange, a, b), FILES)
    for path in sorted([*folder.rglob("lock"), *folder.rglob("holder")]):
        name = path.relative_to(folder)
        yield Edit("a lock: deleted", str(name), partial(_delete, name))
        yield Edit("a lock: written to", str(name), partial(_more, name))


def _flip(name: Path, place: int, database: Path) -> None:
    path = database.parent / name
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def _cut(name: Path, size: int, database: Path) -> None:
    path = database.parent / name
    path.write_bytes(path.read_bytes()[:size])


def _more(name: Path, database: Path) -> None:
    with (database.parent / name).open("ab") as file:
        file.write(b"x")


def _delete(name: Path, database: Path) -> None:
    (database.parent / name).unlink()


def _exchange(a: Path, b: Path, database: Path) -> None:
    first, second, aside = (database.parent / name for name in (a, b, "aside"))
    first.rename(aside)
    second.rename(first)
    shutil.move(aside, second)
