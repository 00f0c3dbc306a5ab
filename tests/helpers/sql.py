"""What a storage holds, read with SQL alone."""

import json
import sqlite3
from contextlib import closing

from tests.helpers.vouching import vouch


def query(path, sql, *values):
    """All rows of a query; a change is committed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, values).fetchall()


def change(path, statement, *values):
    """Alter a storage behind everyone's back, and vouch for it."""
    query(path, statement, *values)
    vouch(path)


def studies(path):
    """Name → id."""
    return dict(query(path, "SELECT study_name, study_id FROM studies"))


def manifest(path, name):
    """The manifest of a study."""
    sql = "SELECT value_json FROM study_user_attributes WHERE key = 'manifest' AND study_id = ?"
    return json.loads(query(path, sql, studies(path)[name])[0][0])


def trials(path, name):
    """The trials of a study by number: their state, value and attributes, each a dict."""
    rows = query(
        path,
        "SELECT trial_id, number, state, value FROM trials LEFT JOIN trial_values "
        "USING (trial_id) WHERE study_id = ? ORDER BY number",
        studies(path)[name],
    )
    return [
        {"id": trial, "number": number, "state": state, "value": value, **_attributes(path, trial)}
        for trial, number, state, value in rows
    ]


def _attributes(path, trial):
    sql = "SELECT key, value_json FROM trial_user_attributes WHERE trial_id = ?"
    return {key: json.loads(text) for key, text in query(path, sql, trial)}


def contents(path):
    """Every study's manifest and trials without ids and dates, floats to the last bit."""
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    return {name: [manifest(path, name), *table(path, name)] for name in studies(path)}


def table(path, name):
    """Every trial of a study: number, state, value, attributes and parameters."""
    found = trials(path, name)
    for trial in found:
        number = trial.pop("id")
        for kind, columns in (
            ("params", "param_name, param_value, distribution_json"),
            ("intermediate_values", "step, intermediate_value, intermediate_value_type"),
            ("system_attributes", "key, value_json"),
        ):
            sql = f"SELECT {columns} FROM trial_{kind} WHERE trial_id = ? ORDER BY 1"
            trial[kind] = query(path, sql, number)
    return found


def set_attribute(path, trial, key, value):
    """Overwrite one attribute of a trial, named by its id, and vouch for it."""
    sql = "UPDATE trial_user_attributes SET value_json = ? WHERE trial_id = ? AND key = ?"
    change(path, sql, json.dumps(value), trial, key)
