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
from scipy.stats import norm

from tests.confirm import oracle
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
SELECT a.held - b.held AS d, a.n_held AS n
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
    "error on held-out images": """
        SELECT printf('%.2f %%', 100.0 * sum(held) / sum(n_held)) FROM trial
        WHERE study = :m || '/splits'""",
    "optimism of a search": """
        SELECT printf('%+.2f points', avg(100.0 * held / n_held - 100.0 * k / n)) FROM trial
        WHERE study = :m || '/splits'""",
    "optimism on the first screen": """
        SELECT printf('%+.2f for %s', avg(100.0 * held / n_held - 100.0 * k / n), CASE :m
                      WHEN 'mlp' THEN 'the MLP' ELSE 'the linear model' END) FROM trial
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
        SELECT printf('a difference of %.2f percentage points', 100.0 * abs(sum(d)) / sum(n))
        FROM pair""",
    "its direction": """
        SELECT printf('differ by %+.2f percentage points, the linear model minus the MLP',
                      100.0 * sum(d) / sum(n)) FROM pair""",
    "both errors on held-out images": """
        SELECT printf('%s errs on %.2f %% and %s on %.2f %%', n1, e1, n2, e2) FROM
        (SELECT CASE study WHEN 'mlp/splits' THEN 'the MLP' ELSE 'the linear model' END AS n1,
                100.0 * sum(held) / sum(n_held) AS e1, CASE study WHEN 'mlp/splits' THEN
                'the linear model' ELSE 'the MLP' END AS n2 FROM trial WHERE study LIKE '%/splits'
         GROUP BY study ORDER BY e1 LIMIT 1),
        (SELECT max(e) AS e2 FROM (SELECT 100.0 * sum(held) / sum(n_held) AS e FROM trial
         WHERE study LIKE '%/splits' GROUP BY study))""",
    "seeds": """SELECT printf('Each best trial has %d replicates', 1 + max(replicate)) FROM trial
                WHERE study = 'mlp/replicates'""",
    "searches": """
        SELECT printf('%d searches, each of 3 trials on %,d training images', count(*), n_fit)
        FROM trial WHERE study = 'mlp/splits'""",
    "images that were judged": """
        SELECT printf('So %,d images were judged, each once.', sum(n_held)) FROM trial
        WHERE study = 'mlp/splits'""",
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
        connection.create_function("sqrt", 1, lambda x: sqrt(max(x, 0)))
        connection.executescript(TRIALS)
        yield connection


@pytest.mark.parametrize(("sql", "model"), CLAIMS)
def test_the_page_says_what_the_storage_holds(page, database, sql, model):
    """SQL words the claim, and the page has it, in words or in what is read out of a picture."""
    [[claim]] = database.execute(sql, {"m": model, "z": Z})

    assert claim in " ".join([page.text, *page.values("alt"), *page.values("aria-label")])


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


@pytest.fixture(scope="module")
def evidence(confirmed):
    return oracle.Evidence.of(confirmed, *MODELS)


def held_out(half, parts):
    """The mean of a value for each held-out image, and its interval, in percent."""
    mean, se, df = oracle.held_out(parts, *half.sizes)
    return 100 * np.array([mean, *oracle.ends(mean, se, df)])


@pytest.mark.parametrize("place", [0, 1], ids=MODELS)
@pytest.mark.parametrize("kind", ["holdout_wrong", "simplest_wrong"])
def test_the_intervals_of_held_out_errors_are_recomputed(page, evidence, place, kind):
    """Of the best and of the simplest trials, from the stored predictions."""
    half = (evidence.a, evidence.b)[place]
    parts = [wrong.astype(float) for wrong in getattr(half, kind)]
    mean, low, high = held_out(half, parts)

    assert f"{mean:.2f} % {max(low, 0):.2f} % to {high:.2f} %" in page.text


def test_the_interval_of_the_difference_is_recomputed(page, evidence):
    """From each held-out image that one of both models gets wrong."""
    mean, low, high = held_out(evidence.a, evidence.differences)

    assert f"{mean:+.2f} percentage points" in page.text
    assert f"95 % interval {low:+.2f} to {high:+.2f}" in page.text


@pytest.mark.parametrize("place", [0, 1], ids=MODELS)
def test_what_simplicity_costs_is_recomputed(page, evidence, place):
    """The simplest trials' errors less the best ones', image by image."""
    half = (evidence.a, evidence.b)[place]
    both = zip(half.simplest_wrong, half.holdout_wrong, strict=True)
    parts = [simplest.astype(float) - best for simplest, best in both]

    if any(part.any() for part in parts):
        mean, low, high = held_out(half, parts)
        claim = f"{mean:+.2f} points {low:+.2f} to {high:+.2f}"
    else:
        claim = "+0.00 points at most"
    assert claim in page.text


def test_the_splits_that_the_leader_wins_are_counted(page, evidence):
    """Ties count half."""
    gaps = np.array([part.mean() for part in evidence.differences])
    wins = (gaps > 0).sum() + (gaps == 0).sum() / 2
    said = (
        f"The MLP errs less in {wins:g}"
        if sum(part.sum() for part in evidence.differences) >= 0
        else f"The linear model errs less in {len(gaps) - wins:g}"
    )

    assert f"{said} of {len(gaps)} splits" in page.text


def test_the_replicates_that_mcnemar_tells_apart_are_counted(page, evidence):
    """Those of one seed whose mid-p is below .05."""
    low = sum(oracle.mid_p(b, c) < 0.05 for b, c in evidence.replicate_counts)

    assert f"It is below 0.05 for {low} of the 5 pairs of replicates" in page.text


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
