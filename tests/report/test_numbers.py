"""Numbers of the page, each found in the storage by a query of its own."""

import json
import sqlite3
from base64 import b64decode
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from math import sqrt

import numpy as np
import pytest
from scipy.stats import norm, t

from tests.report.helpers import Page

MODELS = ("linear", "mlp")
Z = norm.ppf(0.975)

# a row a trial of any study, with the attributes that the claims below need
TRIALS = """
CREATE TEMP VIEW trial AS
SELECT study_name AS study, number, state, max(value) AS value,
       max(CASE key WHEN 'val_errors' THEN v END) AS k, max(CASE key WHEN 'n_val' THEN v END) AS n,
       max(CASE key WHEN 'val_loss' THEN v END) AS loss,
       max(CASE key WHEN 'step' THEN v END) AS step,
       max(CASE key WHEN 'final_error' THEN v END) AS final,
       max(CASE key WHEN 'finalist' THEN v END) AS finalist,
       max(CASE key WHEN 'replicate' THEN v END) AS replicate,
       max(CASE key WHEN 'holdout_errors' THEN v END) AS held,
       max(CASE key WHEN 'n_holdout' THEN v END) AS n_held,
       max(CASE key WHEN 'n_fit' THEN v END) AS n_fit
FROM studies JOIN trials USING (study_id) JOIN trial_values USING (trial_id) JOIN
     (SELECT trial_id, key, json_extract(value_json, '$') AS v FROM trial_user_attributes)
     USING (trial_id)
GROUP BY trial_id;
CREATE TEMP VIEW best AS SELECT * FROM
    (SELECT *, row_number() OVER (PARTITION BY study ORDER BY k, loss, number) AS place
     FROM trial WHERE state = 'COMPLETE') WHERE place = 1;
CREATE TEMP VIEW pair AS
SELECT a.held * 1.0 / a.n_held - b.held * 1.0 / b.n_held AS d, 1.0 * a.n_held / a.n_fit AS ratio
FROM trial a JOIN trial b USING (number)
WHERE a.study = 'linear/splits' AND b.study = 'mlp/splits';
"""

OF_A_MODEL = {
    "lowest error": """
        SELECT printf('%.2f %% (%d of %,d)', 100.0 * k / n, k, n) FROM best WHERE study = :m""",
    "its Wilson interval": """
        SELECT printf('%.2f %% to %.2f %% (%.0f to %.0f)', 100 * (c - h), 100 * (c + h),
                      n * (c - h), n * (c + h))
        FROM (SELECT n, (k + :z * :z / 2) / (n + :z * :z) AS c,
                     :z * sqrt(k * (1.0 * n - k) / n + :z * :z / 4) / (n + :z * :z) AS h
              FROM best WHERE study = :m)""",
    "the best trial and its step": """
        SELECT printf('the best of %d trials is number %d', (SELECT count(*) FROM trial
                      WHERE study = :m), number) FROM best WHERE study = :m""",
    "at which step": "SELECT printf('at step %,d of 300', step) FROM best WHERE study = :m",
    "error at the end": "SELECT printf('%.2f %%', 100 * final) FROM best WHERE study = :m",
    "error on fresh images": """
        SELECT printf('%.2f %% (%.1f of 1,791)', 100 * e, 1791 * e)
        FROM (SELECT avg(1.0 * held / n_held) AS e FROM trial WHERE study = :m || '/splits')""",
    "its corrected interval": """
        SELECT printf('%.2f %% to %.2f %%', 100 * max(e - h, 0), 100 * (e + h)) FROM
        (SELECT avg(x) AS e, t975(count(*) - 1) * sqrt((1.0 / count(*) + max(r)) *
                (avg(x * x) - avg(x) * avg(x)) * count(*) / (count(*) - 1)) AS h
         FROM (SELECT 1.0 * held / n_held AS x, 1.0 * n_held / n_fit AS r FROM trial
               WHERE study = :m || '/splits'))""",
    "optimism of a search": """
        SELECT printf('%+.1f of 1,791 images', avg(held - k)) FROM trial
        WHERE study = :m || '/splits'""",
    "fresh seeds, last step": """
        SELECT printf('%.2f %% (%.1f of 1,791), SD %.1f', 100 * avg(x) / 1791, avg(x),
                      sqrt((avg(x * x) - avg(x) * avg(x)) * count(*) / (count(*) - 1)))
        FROM (SELECT r.value * 1791 AS x FROM trial r JOIN best b ON b.study = :m
              WHERE r.study = :m || '/replicates' AND r.finalist = b.number)""",
    "fresh seeds, best step": """
        SELECT printf('%.2f %% (%.1f of 1,791), SD %.1f', 100 * avg(x) / 1791, avg(x),
                      sqrt((avg(x * x) - avg(x) * avg(x)) * count(*) / (count(*) - 1)))
        FROM (SELECT r.k * 1.0 AS x FROM trial r JOIN best b ON b.study = :m
              WHERE r.study = :m || '/replicates' AND r.finalist = b.number)""",
    "expected lowest of half the trials": """
        SELECT printf('%.2f %% of 3 trials', 5.0 * sum(value * ways)) FROM
        (SELECT value, CASE place WHEN 1 THEN 10 WHEN 2 THEN 6 WHEN 3 THEN 3 WHEN 4 THEN 1
                       ELSE 0 END AS ways
         FROM (SELECT value, row_number() OVER (ORDER BY value) AS place FROM trial
               WHERE study = :m))""",  # C(6 − i, 2) of the C(6, 3) = 20 draws of 3 in 6
}
OF_BOTH = {
    "difference": """
        SELECT printf('a difference of %.2f percentage points', 100 * abs(avg(d))) FROM pair""",
    "its interval": """
        SELECT printf('%+.2f to %+.2f', 100 * (e - h), 100 * (e + h)) FROM
        (SELECT avg(d) AS e, t975(count(*) - 1) * sqrt((1.0 / count(*) + max(ratio)) *
                (avg(d * d) - avg(d) * avg(d)) * count(*) / (count(*) - 1)) AS h FROM pair)""",
    "both holdout errors": """
        SELECT printf('%s errs on %.2f %% and %s on %.2f %%', n1, e1, n2, e2) FROM
        (SELECT CASE study WHEN 'mlp/splits' THEN 'the MLP' ELSE 'the linear model' END AS n1,
                avg(100.0 * held / n_held) AS e1, CASE study WHEN 'mlp/splits' THEN
                'the linear model' ELSE 'the MLP' END AS n2 FROM trial WHERE study LIKE '%/splits'
         GROUP BY study ORDER BY e1 LIMIT 1),
        (SELECT max(e) AS e2 FROM (SELECT avg(100.0 * held / n_held) AS e FROM trial
         WHERE study LIKE '%/splits' GROUP BY study))""",
    "seeds": """SELECT printf('trained %d times more', 1 + max(replicate)) FROM trial
                WHERE study = 'mlp/replicates'""",
    "splits": """
        SELECT printf('%d times all images', count(*)) FROM trial WHERE study = 'mlp/splits'""",
    "images to fit on": "SELECT printf('on %,d training images', max(n_fit)) FROM trial",
}
CLAIMS = [
    *(
        pytest.param(sql, m, id=f"{name} of {m}")
        for name, sql in OF_A_MODEL.items()
        for m in MODELS
    ),
    *(pytest.param(sql, "", id=name) for name, sql in OF_BOTH.items()),
]


@pytest.fixture(scope="module")
def page(report):
    return Page((report / "index.html").read_text())


@pytest.fixture(scope="module")
def database(confirmed):
    with closing(sqlite3.connect(f"file:{confirmed}?mode=ro", uri=True)) as connection:
        connection.create_function("t975", 1, lambda df: float(t.ppf(0.975, df)))
        connection.create_function("sqrt", 1, lambda x: sqrt(max(x, 0)))
        connection.executescript(TRIALS)
        yield connection


@pytest.mark.parametrize(("sql", "model"), CLAIMS)
def test_the_page_says_what_the_storage_holds(page, database, sql, model):
    """SQL words the claim, and the page has it."""
    [[claim]] = database.execute(sql, {"m": model, "z": Z})

    assert claim in " ".join([page.text, *page.values("alt")])


@pytest.mark.parametrize("model", MODELS)
def test_the_training_time_is_that_of_the_stored_dates(page, database, model):
    """The trials of a generation start together; its time ends with the last of them."""
    rows = database.execute(
        "SELECT datetime_start, max(datetime_complete) FROM trials JOIN studies USING (study_id)"
        " WHERE study_name = ? GROUP BY datetime_start",
        [model],
    )

    spent = sum(
        (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        for start, end in rows
    )

    assert f"{spent:.1f} s" in page.text


@pytest.mark.parametrize("model", MODELS)
def test_the_digest_is_that_of_the_stored_digests(page, database, model):
    """It is what ``sha256sum`` gives of the trials' digests, a line each."""
    rows = database.execute(
        "SELECT substr(value_json, 2, 64) FROM studies NATURAL JOIN trials NATURAL JOIN"
        " trial_user_attributes WHERE study_name = ? AND key = 'digest' ORDER BY number",
        [model],
    )

    assert sha256("".join(f"{d}\n" for [d] in rows).encode()).hexdigest() in page.text


def test_the_seed_the_versions_and_the_machine_are_the_stored_ones(page, database):
    """How to reproduce it comes from the study's attributes, not from where the page is made."""
    rows = database.execute(
        "SELECT key, value_json FROM study_user_attributes NATURAL JOIN studies"
        " WHERE study_name = 'mlp'"
    )
    stored = {key: json.loads(text) for key, text in rows}

    assert stored["machine"]["processor"] in page.text
    assert f"{stored['machine']['cores']} cores" in page.text
    assert f"torch {stored['manifest']['versions']['torch']}" in page.text
    assert stored["manifest"]["data_sha256"] in page.text


def bits(database, study, number, key):
    """A trial's packed booleans of the validation images."""
    query = (
        "SELECT json_extract(value_json, '$') FROM studies NATURAL JOIN trials NATURAL JOIN"
        " trial_user_attributes WHERE study_name = ? AND number = ? AND key = ?"
    )
    [[text]] = database.execute(query, [study, number, key])
    return np.unpackbits(np.frombuffer(b64decode(text), np.uint8), count=1791)


def test_mcnemars_table_is_that_of_the_stored_predictions(page, database):
    """The four counts, from the two best trials' packed predictions and the stored labels."""
    best = dict(database.execute("SELECT study, number FROM best"))
    labels = bits(database, "linear/replicates", 0, "val_labels")
    a, b = (bits(database, m, best[m], "predictions") != labels for m in MODELS)

    right = f"{(~a & ~b).sum():,} {(~a & b).sum():,}"
    wrong = f"{(a & ~b).sum():,} {(a & b).sum():,}"

    assert f"Linear model right {right} Linear model wrong {wrong}" in page.text
