"""F26, F28: a storage is Optuna's tables, whole, and nothing else."""

import json
import os
import re
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import optuna
import pytest
from alembic import command as alembic
from alembic.config import Config
from optuna.storages import RDBStorage, _rdb

from study.check import check
from study.errors import StudyError
from study.storage import load_study, open_study, record, rows, study_names
from study.storage.sqlite import connect_readonly
from tests.helpers import posix
from tests.helpers.children import start
from tests.helpers.storages import make_trial, snapshot

resource = posix.module("resource")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A storage of two studies with trials."""
    path = tmp_path_factory.mktemp("sound") / "study.db"
    for name in ("linear", "mlp"):
        record(open_study(str(path), name), [make_trial(k) for k in range(4)])
    return path


@pytest.fixture
def path(sound, tmp_path):
    """A copy of it, to alter."""
    copy = tmp_path / "study.db"
    copy.write_bytes(sound.read_bytes())
    return copy


def execute(path, *statements):
    """Alter the file behind everyone's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def rewrite(path, table, old, new):
    """Put another text in the place of a definition, without SQLite's looking at it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
        [(sql,)] = connection.execute(query, (table,))
        changed = new if old is None else sql.replace(old, new)
        assert changed != sql
        update = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?"
        connection.execute(update, (changed, table))


def refusals(path):
    """What every way to open the storage says; nothing is changed."""
    before, said = snapshot(path.parent), []
    for work in (
        study_names,
        check,
        lambda p: load_study(p, "mlp"),
        lambda p: open_study(p, "mlp"),
    ):
        with pytest.raises(StudyError) as caught:
            work(str(path))
        assert caught.value.status == 2
        said.append(str(caught.value))
    assert snapshot(path.parent) == before
    assert len(set(said)) == 1
    assert said[0].isprintable()
    return said[0]


@contextmanager
def bounded_memory(more):
    """No more than so many bytes on top of what the process has now."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def altered(*statements):
    return lambda path: execute(path, *statements)


def redefined(table, old, new):
    return lambda path: rewrite(path, table, old, new)


NO_END = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
PLAIN = "study_id INTEGER NOT NULL PRIMARY KEY, study_name TEXT NOT NULL"
VALUE = "value_json TEXT"
FOREIGN = {
    "a trigger on insertion": (
        altered("CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM studies; END"),
        "trigger 't' is not Optuna's",
    ),
    "a trigger on deletion": (
        altered(f"CREATE TRIGGER t BEFORE DELETE ON trials BEGIN SELECT * FROM ({NO_END}); END"),
        "trigger 't' is not Optuna's",
    ),
    "a trigger that is listed as a table": (
        lambda path: (
            execute(path, "CREATE TRIGGER trials AFTER INSERT ON trials BEGIN SELECT 1; END"),
            execute(
                path,
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET type = 'table' WHERE type = 'trigger'",
            ),
        ),
        "",
    ),
    "a view": (altered(f"CREATE VIEW v AS {NO_END}"), "view 'v' is not Optuna's"),
    "a view in a table's place": (
        altered("DROP TABLE trial_heartbeats", f"CREATE VIEW trial_heartbeats AS {NO_END}"),
        "view 'trial_heartbeats' is not Optuna's",
    ),
    "a view that holds the revision": (
        altered("DROP TABLE alembic_version", f"CREATE VIEW alembic_version AS {NO_END}"),
        "view 'alembic_version' is not Optuna's",
    ),
    "a virtual table": (
        altered("CREATE VIRTUAL TABLE f USING fts5(text)"),
        "table 'f' is not Optuna's",
    ),
    "a virtual table in a table's place": (
        altered(
            "DROP TABLE trial_heartbeats",
            "CREATE VIRTUAL TABLE trial_heartbeats USING rtree(id, a, b)",
        ),
        "table 'trial_heartbeats' ",
    ),
    "a table more": (altered("CREATE TABLE notes (text)"), "table 'notes' is not Optuna's"),
    "a table less": (altered("DROP TABLE trial_params"), "table 'trial_params' is missing"),
    "a column more": (
        altered("ALTER TABLE trials ADD COLUMN note"),
        "table 'trials' has 'note' in its definition",
    ),
    "a column less": (
        altered("ALTER TABLE trial_heartbeats DROP COLUMN heartbeat"),
        "table 'trial_heartbeats': column 'heartbeat' is missing",
    ),
    "a column with another name": (
        altered("ALTER TABLE trials RENAME number TO value"),
        "table 'trials': column 'number' is missing",
    ),
    "a column of another affinity": (
        redefined("trials", "number INTEGER", "number TEXT"),
        "table 'trials': column 'number' is not as Optuna makes it",
    ),
    "a column that may be missing": (
        redefined("trial_values", "objective INTEGER NOT NULL", "objective INTEGER"),
        "table 'trial_values': column 'objective' is not as Optuna makes it",
    ),
    "a generated column": (
        altered("ALTER TABLE trials ADD COLUMN state2 AS (zeroblob(1000000000))"),
        "table 'trials' has 'state2' in its definition",
    ),
    "a column that became generated": (
        redefined("trial_user_attributes", VALUE, f"{VALUE} AS (hex(zeroblob(400000000)))"),
        "table 'trial_user_attributes' has 'as' in its definition",
    ),
    "a default that is computed": (
        redefined("trials", "number INTEGER", "number INTEGER DEFAULT (randomblob(1000000000))"),
        "table 'trials' has 'default' in its definition",
    ),
    "a check that takes long": (
        redefined("trials", "number INTEGER", "number INTEGER CHECK (hex(zeroblob(4e8)) <> 'a')"),
        "table 'trials' has 'check' in its definition",
    ),
    "a check of other values": (
        redefined("trials", "state VARCHAR(8)", "state VARCHAR(8) CHECK (state IN ('COMPLETE'))"),
        "table 'trials' has 'check' in its definition",
    ),
    "another collation": (
        redefined("studies", "study_name VARCHAR(512)", "study_name VARCHAR(512) COLLATE NOCASE"),
        "table 'studies' has 'collate' in its definition",
    ),
    "a conflict that replaces rows": (
        redefined("trial_params", "UNIQUE (trial_id, param_name)",
                  "UNIQUE (trial_id, param_name) ON CONFLICT REPLACE"),
        "table 'trial_params' has 'on' in its definition",
    ),
    "a foreign key that deletes": (
        redefined("trials", "(study_id)\n)", "(study_id) ON DELETE CASCADE\n)"),
        "table 'trials' has 'on' in its definition",
    ),
    "a foreign key less": (
        redefined("trials", ", \n\tFOREIGN KEY(study_id) REFERENCES studies (study_id)", ""),
        "table 'trials': its foreign keys are not Optuna's",
    ),
    "a foreign key to another table": (
        redefined("trials", "REFERENCES studies (study_id)", "REFERENCES trials (trial_id)"),
        "table 'trials': its foreign keys are not Optuna's",
    ),
    "a strict table": (
        redefined("studies", None, f"CREATE TABLE studies ({PLAIN}) STRICT"),
        "table 'studies' has 'strict' in its definition",
    ),
    "a table without row ids": (
        redefined("studies", None, f"CREATE TABLE studies ({PLAIN}) WITHOUT ROWID"),
        "table 'studies' has 'without' in its definition",
    ),
    "an index more": (
        altered("CREATE INDEX i ON trials (state)"),
        "table 'trials': its indexes and unique keys are not Optuna's",
    ),
    "an index on an expression": (
        altered("CREATE INDEX i ON trials (abs(number))"),
        "index 'i' on 'trials' is not Optuna's",
    ),
    "an index of some rows": (
        altered("CREATE INDEX i ON trials (study_id) WHERE length(state) > 3"),
        "index 'i' on 'trials' is not Optuna's",
    ),
    "an index of another order": (
        altered("DROP INDEX ix_trials_study_id", "CREATE INDEX i ON trials (study_id DESC)"),
        "index 'i' on 'trials' is not Optuna's",
    ),
    "an index less": (
        altered("DROP INDEX ix_studies_study_name"),
        "table 'studies': its indexes and unique keys are not Optuna's",
    ),
    "a second statement": (
        redefined("trials", "\n)", "\n); CREATE TABLE more (a)"),
        "table 'trials' has ';' in its definition",
    ),
    "a definition of another table": (
        redefined("trial_heartbeats", None, "CREATE TABLE trials (trial_id INTEGER)"),
        "",
    ),
    "a definition that is none": (
        redefined("trials", None, "CREATE TABLE trials ("),
        "is damaged",
    ),
    "a trigger behind a thousand indexes": (
        altered(
            *(f"CREATE INDEX i{k} ON trials (study_id)" for k in range(1_000)),
            "CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM studies; END",
        ),
        "has more than 1000 tables and indexes",
    ),
    "two revisions": (
        altered("INSERT INTO alembic_version VALUES ('v2.6.0.a')"),
        "table 'alembic_version' has more than one row",
    ),
    "statistics that are computed": (
        lambda path: (
            execute(path, "ANALYZE"),
            rewrite(path, "sqlite_stat1", "tbl,idx,stat", "tbl,idx,stat AS (zeroblob(900000000))"),
        ),
        "",
    ),
}  # fmt: skip


@pytest.mark.matrix("F28")
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_schema_that_is_not_optunas_is_refused_in_one_line(kind, path):
    """By all who open it, with what it is and where, at a bounded cost, and nothing is run."""
    make, words = FOREIGN[kind]
    make(path)

    with bounded_memory(3 * 10**8):
        said = refusals(path)

    assert said.startswith(f"{path}: ")
    assert words in said


@pytest.mark.matrix("F28")
@pytest.mark.parametrize("when", ["opened", "loaded"])
def test_a_trigger_that_comes_after_the_look_is_not_run(when, path):
    """Each transaction looks at the schema again, and an append does so under its lock."""
    study = (open_study if when == "opened" else load_study)(str(path), "mlp")
    execute(path, "CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM studies; END")

    with pytest.raises(StudyError, match="trigger 't' is not Optuna's"):
        record(study, [make_trial(4)])

    assert len(optuna.load_study(study_name="mlp", storage=f"sqlite:///{path}").trials) == 4


@pytest.mark.matrix("F28")
def test_no_connection_trusts_the_schema(path):
    """Ours, and those of Optuna's own engine, to read and to write."""
    found = []
    for opened in (open_study, load_study):
        with opened(str(path), "mlp")._storage._backend.engine.connect() as connection:
            found.append(connection.exec_driver_sql("PRAGMA trusted_schema").scalar())
    with closing(connect_readonly(path)) as connection:
        found += connection.execute("PRAGMA trusted_schema").fetchone()

    assert found == [0, 0, 0]


WRITTEN = {
    "comments": ("studies", "study_id INTEGER", "/* a, b) */ study_id -- c (\n INTEGER"),
    "quotes": ("studies", None, "CREATE TABLE [studies] (\"study_id\" INTEGER NOT NULL,"
               " `study_name` VARCHAR(512) NOT NULL, PRIMARY KEY ('study_id'))"),
    "small letters": ("studies", None, "create table STUDIES(study_id integer not null, Study_Name"
                      " text not null, primary key(study_id))"),
    "another order": ("studies", None, "CREATE TABLE studies (study_id INTEGER PRIMARY KEY NOT"
                      " NULL, study_name VARCHAR(9) NOT NULL)"),
    "names of constraints": ("study_directions", "UNIQUE", "CONSTRAINT one UNIQUE"),
    "the check of an older SQLAlchemy": (
        "trials", "\n)", ",\n CONSTRAINT trialstate CHECK (state IN ('RUNNING', 'COMPLETE',"
        " 'PRUNED', 'FAIL', 'WAITING'))\n)"),
}  # fmt: skip


@pytest.mark.matrix("F28")
@pytest.mark.parametrize("kind", WRITTEN)
def test_the_same_tables_in_other_words_are_read(kind, path):
    """What counts is the structure, not its text."""
    rewrite(path, *WRITTEN[kind])
    if kind == "small letters":
        execute(
            path, "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET name = 'STUDIES', tbl_name = 'STUDIES' WHERE type = 'table'"
            " AND name = 'studies'",
        )  # fmt: skip

    assert study_names(str(path)) == ["linear", "mlp"]
    record(open_study(str(path), "mlp"), [make_trial(4)])


@pytest.mark.matrix("F28")
@pytest.mark.parametrize("sql", ["ANALYZE", "VACUUM", "REINDEX"])
def test_what_sqlites_own_tools_do_is_no_harm(sql, path):
    """Statistics are SQLite's own, and no order of bytes is asked for."""
    execute(path, sql)

    assert len(load_study(str(path), "mlp").trials) == 4


@pytest.mark.matrix("F28")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_a_storage_that_optuna_has_upgraded_is_read(tmp_path):
    """From its first schema through all its migrations, which leave other definitions."""
    path = tmp_path / "study.db"
    config = Config()
    config.set_main_option("script_location", str(Path(_rdb.__path__[0], "alembic")))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    config.config_file_name = str(Path(_rdb.__path__[0], "alembic.ini"))
    alembic.upgrade(config, "v0.9.0.a")
    execute(
        path,
        "INSERT INTO version_info VALUES (1, 12, '0.9.0')",
        "INSERT INTO studies VALUES (1, 'linear', 'MINIMIZE')",
        "INSERT INTO trials (study_id, state, value) VALUES (1, 'COMPLETE', 0.5)",
        "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (1,'_number','0')",
    )
    with pytest.raises(StudyError, match="optuna storage upgrade"):
        study_names(str(path))

    RDBStorage(
        f"sqlite:///{path}", skip_compatibility_check=True, skip_table_creation=True
    ).upgrade()

    assert [trial.value for trial in load_study(str(path), "linear").trials] == [0.5]
    record(open_study(str(path), "linear"), [make_trial(1)])


ORPHANS = {
    "a study whose row is gone": (
        "DELETE FROM studies WHERE study_id = 1",
        r"'study_directions' has 1 rows that belong to no row of 'studies'.*'trials' has 4 rows",
    ),
    "a study with another id": (
        "UPDATE studies SET study_id = 9 WHERE study_id = 1",
        r"'trials' has 4 rows that belong to no row of 'studies'",
    ),
    "trials of no study": (
        "UPDATE trials SET study_id = NULL WHERE trial_id = 2",
        r"'trials' has 1 rows that belong to no row of 'studies'",
    ),
    "a trial whose row is gone": (
        "DELETE FROM trials WHERE trial_id = 3",
        r"'trial_params' has 2 rows that belong to no row of 'trials'",
    ),
    "a trial with another id": (
        "UPDATE trials SET trial_id = 99 WHERE trial_id = 3",
        r"'trial_intermediate_values' has 4 rows that belong to no row of 'trials'",
    ),
    "attributes of no trial": (
        "UPDATE trial_user_attributes SET trial_id = 77 WHERE trial_id = 3",
        r"'trial_user_attributes' has 3 rows that belong to no row of 'trials'",
    ),
    "a study without a direction": (
        "DELETE FROM study_directions WHERE study_id = 1",
        r"'studies' has 1 rows without their rows of 'study_directions'",
    ),
    "a direction of another objective": (
        "UPDATE study_directions SET objective = 1 WHERE study_id = 1",
        r"'studies' has 1 rows without their rows of 'study_directions'",
    ),
    "an id that is text": (
        "UPDATE trials SET study_id = 'one' WHERE trial_id = 1",
        r"'trials' has 1 rows whose 'study_id' is not integer",
    ),
    "a number that is none": (
        "UPDATE trials SET number = NULL WHERE trial_id < 3",
        r"'trials' has 2 rows whose 'number' is not integer",
    ),
    "a key that is no text": (
        "UPDATE trial_user_attributes SET key = x'00' WHERE trial_id = 1 AND key = 'seed'",
        r"'trial_user_attributes' has 1 rows whose 'key' is not text",
    ),
}


@pytest.mark.matrix("F26")
@pytest.mark.parametrize("kind", ORPHANS)
def test_rows_that_belong_to_nothing_are_counted_and_refused(kind, path):
    """Whichever study is asked for: what they were part of can't be told any more."""
    sql, words = ORPHANS[kind]
    execute(path, sql)

    said = refusals(path)

    assert said.startswith(f"{path}: is damaged (table ")
    assert re.search(words, said), said


@pytest.mark.matrix("F27")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE study_directions SET direction = 'MAXIMIZE'",
        "INSERT INTO study_directions (direction, study_id, objective) VALUES ('MINIMIZE', 2, 1)",
        "UPDATE study_directions SET direction = 'NOT_SET' WHERE study_id = 2",
    ],
    ids=["maximised", "two directions", "no direction"],
)
@pytest.mark.parametrize("mark", ["manifest", "machine", "seal"])
def test_a_study_of_ours_minimises_one_value(sql, mark, path):
    """A study that carries a mark of this package and says otherwise is not read."""
    kind = "system" if mark == "seal" else "user"
    into = f"INSERT INTO study_{kind}_attributes (study_id, key, value_json)"
    execute(path, sql, f"{into} VALUES (2, '{mark}', '{{}}')")

    with pytest.raises(StudyError, match=r"its direction is .*, not minimize: restore"):
        load_study(str(path), "mlp")


@pytest.mark.matrix("F28")
@pytest.mark.parametrize(
    ("table", "column", "size", "words"),
    [
        ("studies", "study_name", 5_000, "has a value of 5000 bytes as 'study_name'"),
        ("trial_params", "param_name", 5_000, "has a value of 5000 bytes as 'param_name'"),
        ("trial_user_attributes", "key", 5_000, "has a value of 5000 bytes as 'key'"),
        ("trials", "state", 5_000, "has a value of 5000 bytes as 'state'"),
        ("trial_user_attributes", "value_json", rows.MAX_VALUE + 1, "more than 16 MiB"),
        ("trial_params", "distribution_json", rows.MAX_VALUE - 99, None),
    ],
)
def test_lengths_are_bounded_before_they_are_fetched(table, column, size, words, path):
    """Names as Optuna's columns hold them, values as this package may write them."""
    text = f"'\"' || printf('%.*c', {size - 2}, 'x') || '\"'"
    execute(path, f"UPDATE {table} SET {column} = {text} WHERE rowid = 2")

    if words is None:
        assert study_names(str(path)) == ["linear", "mlp"]
    else:
        assert words in refusals(path)


@pytest.mark.matrix("F28")
def test_more_trials_than_memory_may_hold_are_not_fetched(path, monkeypatch):
    """They are counted first."""
    monkeypatch.setattr(rows, "MAX_TRIALS", 7)
    rows._measures.cache_clear()
    try:
        assert "table 'trials' has 8 rows, more than 7" in refusals(path)
    finally:
        rows._measures.cache_clear()


@pytest.mark.matrix("F26")
def test_what_optuna_does_leaves_nothing_behind(path):
    """Enqueued, asked, failed, pruned and heart-beating trials, and a deleted study, are read."""
    url = f"sqlite:///{path}"
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        beating = RDBStorage(url, heartbeat_interval=60)
    study = optuna.create_study(study_name="own", storage=beating, directions=["maximize"] * 2)
    study.enqueue_trial({"x": 0.5})
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1), n_trials=2)
    plain = optuna.load_study(study_name="own", storage=url)
    plain.ask()
    plain.tell(plain.ask(), state=optuna.trial.TrialState.FAIL)
    study.set_user_attr("note", "kept")
    optuna.copy_study(from_study_name="own", from_storage=url, to_storage=url, to_study_name="two")
    optuna.delete_study(study_name="own", storage=url)
    optuna.delete_study(study_name="linear", storage=url)

    assert study_names(str(path)) == ["mlp", "two"]
    assert len(load_study(str(path), "two").trials) == 4


@pytest.mark.matrix("F26")
def test_a_storage_that_has_changed_is_looked_at_again(path):
    """What was found whole is remembered for the very same file only."""
    os.utime(path, (1, 1))
    assert study_names(str(path)) == ["linear", "mlp"]
    before = path.stat()
    execute(path, "DELETE FROM studies WHERE study_id = 1")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_size == before.st_size
    assert "rows that belong to no row of 'studies'" in refusals(path)


def _write_and_delete(path):
    for k in range(4):
        record(open_study(str(path), f"more-{k}"), [make_trial(j) for j in range(9)])
        optuna.delete_study(study_name=f"more-{k}", storage=f"sqlite:///{path}")


@pytest.mark.matrix("F26")
def test_a_search_that_writes_is_never_taken_for_damage(path, attempts):
    """Between any two statements of a read, another process records, creates and deletes."""
    pid, looks = start(lambda: _write_and_delete(path)), 0
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        assert {"linear", "mlp"} <= set(study_names(str(path)))
        looks += 1

    attempts(looks)
    assert json.loads(json.dumps(study_names(str(path)))) == ["linear", "mlp"]
