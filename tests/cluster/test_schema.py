"""F26, F28 on a server: Optuna's tables are Optuna's, whole; others are nobody's business."""

import pytest

from study.errors import StudyError
from study.storage import load_study, open_study, record, study_names
from tests.helpers.storages import make_trial

from .helpers import query

FUNCTION = "CREATE FUNCTION f() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql"
FOREIGN = {
    "a trigger": (
        f"{FUNCTION}; CREATE TRIGGER t BEFORE INSERT ON trials EXECUTE FUNCTION f()",
        "table 'trials' has a trigger",
    ),
    "a rule": ("CREATE RULE r AS ON DELETE TO trials DO INSTEAD NOTHING", "has a rule"),
    "a view": (
        "ALTER TABLE alembic_version RENAME TO v; CREATE VIEW alembic_version AS SELECT * FROM v",
        "table 'alembic_version' is not an ordinary table",
    ),
    "row-level security": ("ALTER TABLE trials ENABLE ROW LEVEL SECURITY", "row-level security"),
    "a generated column": (
        "ALTER TABLE trials ADD g int GENERATED ALWAYS AS (number * 2) STORED",
        "table 'trials': column 'g' is not Optuna's",
    ),
    "an index on an expression": ("CREATE INDEX i ON trials (abs(number))", "its indexes"),
    "a foreign key less": (
        "ALTER TABLE trials DROP CONSTRAINT trials_study_id_fkey",
        "table 'trials': its foreign keys or checks are not Optuna's",
    ),
    "rows that belong to nothing": (
        "SET session_replication_role = replica; DELETE FROM studies",
        "table 'trials' has 2 rows that belong to no row of 'studies'",
    ),
    "a value that is too long": (
        "UPDATE trial_user_attributes SET value_json = repeat('x', 20000000) WHERE key = 'seed'",
        "table 'trial_user_attributes' has a value of 20000000 bytes as 'value_json'",
    ),
}


@pytest.mark.matrix("F28")
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_not_optunas_is_refused(kind, server):
    """Before anything is read, by all who open it."""
    sql, words = FOREIGN[kind]
    url = server.database()
    record(open_study(url, "linear"), [make_trial(0), make_trial(1)])
    query(url, sql)

    for work in (load_study, open_study):
        with pytest.raises(StudyError) as caught:
            work(url, "linear")
        assert words in str(caught.value)
        assert caught.value.status == 2


@pytest.mark.matrix("F28")
def test_other_tables_of_a_server_are_not_looked_at(server):
    """Whatever they run."""
    url = server.database()
    open_study(url, "linear")
    query(url, "CREATE VIEW mine AS SELECT generate_series(1, 9999999999)")

    assert study_names(url) == ["linear"]
