"""What vouches for a study, taken away: alone, and before a second edit."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from . import ABSENT, NAMED, Change, Edit, Row, Sql, Table, both

GUARDS = {"manifest": "study_user_attributes", "machine": "study_user_attributes",
          "seal": "study_system_attributes"}  # fmt: skip


def guards(tables: dict[str, Table], _: random.Random) -> Iterator[Edit]:
    """A study's manifest, machine, seal and direction: misspelt, moved, emptied or deleted."""
    for study, _name in tables["studies"].rows:
        for key in GUARDS:
            yield from _guard(tables, study, key)
        yield from _direction(tables["study_directions"], study)
    for key, name in GUARDS.items():
        sql = f"DELETE FROM {name} WHERE key = ?"
        yield Edit(f"every {key} deleted", "", Sql(((sql, (key,)),)), NAMED)


def _guard(tables: dict[str, Table], study: int, key: str) -> Iterator[Edit]:
    table = tables[GUARDS[key]]
    row = _row(table, study, key)
    spelt = {"misspelt": f"{key[:-1]}x", "with a space": f"{key} ", "of no letter": "",
             "NULL": None, "in another case": key.upper(), "as bytes": key.encode()}  # fmt: skip
    changes = {f"key {how}": table.update("key", row, value) for how, value in spelt.items()}
    for text in ("null", "{}", "[]", "", None):
        changes[f"value {text!r}"] = table.update("value_json", row, text)
    for other in (ABSENT, None):
        changes[f"moved to {other}"] = table.update("study_id", row, other)
    for theirs in (r for r in table.rows if r[1] == study + 1 and r[2:] != row[2:]):
        if theirs[2] == key:  # the machine is the same for all
            changes[f"exchanged with {theirs[1]}"] = table.exchange("study_id", row, theirs)
    changes["deleted"] = table.delete(row)
    for how, change in changes.items():
        yield Edit(f"the {key}: {_kind(how)}", f"study {study}: {how}", change, NAMED)


def _kind(how: str) -> str:
    return how.split(maxsplit=1)[0] if how.startswith(("moved", "exchanged")) else how


def _row(table: Table, study: int, key: str) -> Row:
    return next(row for row in table.rows if row[1:3] == (study, key))


def _direction(table: Table, study: int) -> Iterator[Edit]:
    row = next(row for row in table.rows if row[2] == study)
    for value in ("MAXIMIZE", "NOT_SET", "minimize", "MINYMIZE", "", 1):
        change = table.update("direction", row, value)
        yield Edit("the direction: changed", f"study {study}: {value!r}", change, NAMED)
    yield Edit("the direction: deleted", f"study {study}", table.delete(row), NAMED)
    for value in ("MINIMIZE", "MAXIMIZE"):
        change = table.insert((ABSENT, value, study, 1))
        yield Edit("the direction: a second", f"study {study}: {value}", change, NAMED)


def pairs(tables: dict[str, Table], dice: random.Random) -> Iterator[Edit]:
    """A guard taken away, and then what it guarded changed."""
    every = list(guards(tables, dice))
    for study, _ in tables["studies"].rows:
        mine = [edit for edit in every if edit.where.startswith(f"study {study}")]
        for first in dice.sample(mine, len(mine) // 2):
            what, change = dice.choice(list(_guarded(tables, study, dice)))
            where = f"{first}; then {what}"
            yield Edit(f"{first.kind}; then {what}", where, both(first.change, change), NAMED)
        yield _unmarked(tables, study)


def _guarded(
    tables: dict[str, Table], study: int, dice: random.Random
) -> Iterator[tuple[str, Change]]:
    """What no trial's own digest covers."""
    trials, manifest = tables["trials"], _row(tables["study_user_attributes"], study, "manifest")
    mine = [row for row in trials.rows if row[2] == study]
    for column in ("datetime_start", "datetime_complete"):
        change = trials.update(column, dice.choice(mine), "2020-01-01 00:00:00.000000")
        yield f"a trial's {column} changed", change
    yield "the last trial deleted", deleted_trial(tables, mine[-1])
    stored = json.loads(manifest[-1])
    stored["seed"] = 5
    text = json.dumps(stored)
    yield "the seed changed", tables["study_user_attributes"].update("value_json", manifest, text)
    params = tables["trial_params"]
    own = [row for row in params.rows if row[1] in {trial[0] for trial in mine}]
    if own:
        row = dice.choice(own)
        yield "a parameter changed", params.update("param_value", row, row[3] * 1.5)


def _unmarked(tables: dict[str, Table], study: int) -> Edit:
    """Manifest, machine and seal deleted together: the trials still carry our attributes."""
    sql = [(f"DELETE FROM {name} WHERE study_id = ?", (study,)) for name in set(GUARDS.values())]
    return Edit("manifest, machine and seal deleted", f"study {study}", Sql(sql), NAMED)


def deleted_trial(tables: dict[str, Table], trial: Row) -> Sql:
    """A trial deleted with everything that belongs to it."""
    owned = [name for name, table in tables.items() if "trial_id" in table.columns]
    return Sql([(f"DELETE FROM {name} WHERE trial_id = ?", trial[:1]) for name in owned])
