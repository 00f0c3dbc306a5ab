"""Vouch anew for a storage that a test has altered, as if it had been recorded so."""

import json
import sqlite3
from contextlib import closing

from study.storage import Seal, load_study, machine, manifest, study_names
from study.storage.reading import FINISHED
from study.trials import digest

CHILDREN = (
    *("trial_values", "trial_params", "trial_intermediate_values"),
    *("trial_user_attributes", "trial_system_attributes", "trial_heartbeats"),
)


def vouch(path):
    """Renew every finished trial's digest, where it has one, and every study's seal."""
    drop_orphans(path)
    for name in study_names(str(path)):
        _redigest(path, _finished(path, name))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "UPDATE study_system_attributes SET value_json = ? WHERE key = 'seal' AND "
                "study_id = (SELECT study_id FROM studies WHERE study_name = ?)",
                (json.dumps(_seal(path, name)), name),
            )


def drop_orphans(path):
    """Delete the rows of trials that are gone, as Optuna does with the trials."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in CHILDREN:
            gone = "trial_id NOT IN (SELECT trial_id FROM trials)"
            connection.execute(f"DELETE FROM {table} WHERE {gone}")


def _finished(path, name):
    trials = load_study(str(path), name).get_trials(deepcopy=False)
    return [trial for trial in trials if trial.state.name in FINISHED]


def _redigest(path, trials):
    sql = "UPDATE trial_user_attributes SET value_json = ? WHERE key = 'digest' AND trial_id = ?"
    with closing(sqlite3.connect(path)) as connection, connection:
        for trial in trials:
            renewed = digest(trial.user_attrs, (trial.values or [None])[0])
            connection.execute(sql, (json.dumps(renewed), trial._trial_id))


def _seal(path, name):
    study = load_study(str(path), name)
    recorded = manifest(study) or {}, machine(study), name, _finished(path, name)
    return Seal.of(*recorded).attribute["seal"]


def as_of_before_the_seal(path):
    """Make the storage what the version before seals and machines would have recorded."""
    as_of_before_the_name(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM study_user_attributes WHERE key = 'machine'")
        connection.execute("DELETE FROM study_system_attributes WHERE key = 'seal'")


def as_of_before_the_name(path):
    """Make it what the version recorded whose seals covered the name, not in the manifest yet."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE study_user_attributes SET value_json = json_remove(value_json, '$.study',"
            " '$.search.study') WHERE key = 'manifest'"
        )
    vouch(path)
