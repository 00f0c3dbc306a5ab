"""F8, F9: a storage that is damaged or forged gives the same report, or none."""

import json
import random
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from study.check import check
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.errors import StudyError
from study.report.collect import collect
from study.search import Settings
from study.search import search as search_here
from study.training.protocol import Protocol
from tests.helpers import posix
from tests.helpers.children import forked
from tests.helpers.plans import plan
from tests.helpers.vouching import drop_orphans, vouch

from .helpers import shown

resource = posix.module("resource")


@pytest.fixture
def copy(golden, tmp_path):
    """A copy of it, to damage."""
    shutil.copytree(golden.parent, tmp_path / "copy")
    return tmp_path / "copy" / golden.name


def outcome(path):
    """What a report would show, or the line that refuses it."""
    before = path.read_bytes()
    try:
        found = shown(collect(str(path)))
    except StudyError as error:
        found = error
    assert str(found).isprintable()
    assert path.read_bytes() == before, "the storage was changed"
    return found


CURVE = b'{"step": [0, '


@pytest.mark.matrix("F8")
@pytest.mark.parametrize("flips", [5, pytest.param(500, marks=pytest.mark.faults)])
def test_no_flipped_bit_changes_a_report_in_silence(golden, copy, flips, attempts):
    """One random bit at a time: the same report, or a line that refuses it."""
    content, wanted = golden.read_bytes(), outcome(golden)
    seed, refused = secrets.randbelow(10**6), 0
    print(f"seed of the bits: {seed}")
    bits = random.Random(seed)
    for _ in range(flips):
        place, mask = bits.randrange(len(content)), 1 << bits.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= mask
        copy.write_bytes(damaged)
        found = outcome(copy)
        assert isinstance(found, StudyError) or found == wanted, f"byte {place}, mask {mask}"
        refused += isinstance(found, StudyError)

    print(f"{refused} of {flips} were refused")
    attempts(flips)
    known = bytearray(content)
    known[content.index(CURVE) + len(CURVE)] ^= 1  # a step of a curve: still JSON
    copy.write_bytes(known)
    assert isinstance(outcome(copy), StudyError)
    assert refused > flips / 10 or flips < 500  # of 25, too few are where anything stands


_SPLITS = "study_name = 'linear/splits'"
LEFT_OUT = {
    "a confirmation's manifest": "UPDATE study_user_attributes SET value_json = "
    "replace(value_json, 'n_train', 'n_tvain')"
    f" WHERE study_id = (SELECT study_id FROM studies WHERE {_SPLITS})",
    "a direction": "UPDATE study_directions SET direction = 'MINYMIZE' WHERE study_id = 1",
    "the machine": "UPDATE study_user_attributes SET key = 'mcchine' WHERE key = 'machine'",
}


@pytest.mark.matrix("F8")
@pytest.mark.parametrize("sql", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_damaged_is_not_left_out_in_silence(golden, copy, sql):
    """One flipped bit must not turn what was confirmed, or recorded, into what was not."""
    shutil.copy(golden, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        assert connection.execute(sql).rowcount > 0

    assert isinstance(outcome(copy), StudyError)


@pytest.mark.matrix("F8")
@pytest.mark.parametrize("name", ["linear", "linear/splits"])
def test_a_study_that_its_index_does_not_find_is_refused(golden, copy, name):
    """The table of studies is whole, the index of their names is not."""
    sql = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_studies_study_name'"
    with closing(sqlite3.connect(golden)) as connection:
        [(page,)], [(size,)] = connection.execute(sql), connection.execute("PRAGMA page_size")
    content, start = bytearray(golden.read_bytes()), (page - 1) * size
    place = content.index(name.encode(), start, start + size)
    content[place + 1] ^= 4
    copy.write_bytes(content)

    assert isinstance(outcome(copy), StudyError)


@pytest.mark.matrix("F8")
@pytest.mark.parametrize("lengths", [8, pytest.param(64, marks=pytest.mark.faults)])
def test_a_storage_cut_short_is_refused(golden, copy, lengths, attempts):
    """At any length, the last byte included."""
    content = golden.read_bytes()
    for length in np.linspace(1, len(content) - 1, lengths).astype(int):
        copy.write_bytes(content[:length])
        assert isinstance(outcome(copy), StudyError), f"{length} bytes"
    attempts(lengths)


SPOILED = {
    "a value that is not its errors": "UPDATE trial_values SET value = 0.0 WHERE trial_id = 2",
    "a value of minus infinity":
        "UPDATE trial_values SET value = NULL, value_type = 'INF_NEG' WHERE trial_id = 2",
    "a value that is negative": "UPDATE trial_values SET value = -1 WHERE trial_id = 2",
    "a value over 1": "UPDATE trial_values SET value = 7 WHERE trial_id = 2",
    "a value of text": "UPDATE trial_values SET value = 'best' WHERE trial_id = 2",
    "a value that is missing": "DELETE FROM trial_values WHERE trial_id = 2",
    "two values":
        "INSERT INTO trial_values (trial_id, objective, value, value_type)"
        " VALUES (2, 1, 0.0, 'FINITE')",
    "a parameter that is missing": "DELETE FROM trial_params WHERE trial_id = 2",
    "another parameter": "UPDATE trial_params SET param_value = 0.5 WHERE trial_id = 2",
    "a parameter that is infinite":
        "UPDATE trial_params SET param_value = 9e999 WHERE trial_id = 2",
    "a range that is not JSON":
        "UPDATE trial_params SET distribution_json = '{' WHERE trial_id = 2",
    "another range":
        "UPDATE trial_params SET distribution_json = replace(distribution_json, '1e-05', '0.0001')"
        " WHERE trial_id = 2",
    "an attribute that is not JSON":
        "UPDATE trial_user_attributes SET value_json = '{' WHERE trial_id = 2 AND key = 'curve'",
    "an attribute that is missing":
        "DELETE FROM trial_user_attributes WHERE trial_id = 2 AND key = 'curve'",
    "errors that are negative":
        "UPDATE trial_user_attributes SET value_json = '-1' WHERE trial_id = 2"
        " AND key = 'val_errors'",
    "a digest that is missing":
        "DELETE FROM trial_user_attributes WHERE trial_id = 2 AND key = 'digest'",
    "a digest of another trial":
        "UPDATE trial_user_attributes SET value_json = (SELECT value_json FROM"
        " trial_user_attributes WHERE trial_id = 1 AND key = 'digest')"
        " WHERE trial_id = 2 AND key = 'digest'",
    "a curve that is not its own":
        "UPDATE trial_user_attributes SET value_json = (SELECT value_json FROM"
        " trial_user_attributes WHERE trial_id = 1 AND key = 'curve')"
        " WHERE trial_id = 2 AND key = 'curve'",
    "a state that does not exist": "UPDATE trials SET state = 'BEST' WHERE trial_id = 2",
    "another state": "UPDATE trials SET state = 'PRUNED' WHERE trial_id = 2",
    "a date that is none": "UPDATE trials SET datetime_start = 'then' WHERE trial_id = 2",
    "another date":
        "UPDATE trials SET datetime_complete = datetime(datetime_complete, '+1 day')"
        " WHERE trial_id = 2",
    "a step that is missing": "DELETE FROM trial_intermediate_values WHERE trial_id = 2",
    "the last trial is missing": "DELETE FROM trials WHERE trial_id = 4",
    "a number twice": "UPDATE trials SET number = 0 WHERE trial_id = 2",
    "two trials that changed places":
        "UPDATE trials SET number = 1 - number WHERE study_id = 1 AND number < 2",
    "another target":
        "UPDATE study_user_attributes SET value_json = replace(value_json, '\"target\": 0.035',"
        " '\"target\": 0.5') WHERE study_id = 1",
    "a manifest that is not JSON": "UPDATE study_user_attributes SET value_json = '{'",
    "a seal that is none": "UPDATE study_system_attributes SET value_json = '[]'",
}  # fmt: skip


def execute(path, *statements):
    """Change a storage behind everyone's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.matrix("F9")
@pytest.mark.parametrize("damage", SPOILED)
def test_a_spoiled_row_is_refused_and_named(copy, damage):
    """The report is refused in one line that names the study; the check lists what is wrong."""
    before = copy.read_bytes()
    execute(copy, SPOILED[damage])
    drop_orphans(copy)
    assert copy.read_bytes() != before

    found = outcome(copy)

    assert isinstance(found, StudyError)
    assert found.status == 2
    assert "study 'linear" in str(found)
    assert [f for f in check(str(copy)).wrong if f.where.startswith("linear")]


@pytest.mark.matrix("F9")
@pytest.mark.parametrize("spoiled", ["search", "confirm"])
def test_a_search_and_a_confirmation_refuse_it_too(copy, spoiled):
    """And change nothing."""
    execute(copy, SPOILED["errors that are negative"])
    before = copy.read_bytes()
    searched = plan(protocol=Protocol(steps=100, val_every=20))
    command = {
        "search": lambda: search_here(searched, Settings(str(copy), "linear", 8)),
        "confirm": lambda: confirm(ConfirmSettings(str(copy), ("linear", "mlp"))),
    }[spoiled]

    with pytest.raises(StudyError, match="study 'linear': trial 1 is damaged"):
        command()

    assert copy.read_bytes() == before


@pytest.mark.matrix("F9")
@pytest.mark.parametrize("part", ["linear/replicates", "mlp/splits"])
def test_a_spoiled_confirmation_is_refused_and_named(copy, part):
    """Replicates and splits vouch for themselves as trials do."""
    execute(
        copy,
        "UPDATE trial_user_attributes SET value_json = '1' WHERE key LIKE '%_errors' AND trial_id"
        f" IN (SELECT max(trial_id) FROM trials JOIN studies USING (study_id)"
        f" WHERE study_name = '{part}')",
    )

    found = outcome(copy)

    assert f"study '{part}': trial 1 is damaged (its digest does not match)" in str(found)


@pytest.mark.matrix("F9")
@pytest.mark.parametrize("n_val", [10**15, -1, 1e300, "many"])
def test_an_absurd_size_costs_no_memory(copy, n_val):
    """Even where a digest vouches for it."""
    execute(
        copy,
        f"UPDATE trial_user_attributes SET value_json = '{json.dumps(n_val)}'"
        " WHERE trial_id = 2 AND key = 'n_val'",
    )
    vouch(copy)

    assert "trial 1 was not recorded by this package" in str(outcome(copy))


MANY = 100_000


@pytest.mark.faults
@pytest.mark.matrix("F9")
def test_a_hundred_thousand_forged_trials_cost_bounded_memory(copy):
    """They are refused by count, within 2 GB."""
    with closing(sqlite3.connect(copy)) as connection, connection:
        [(study,)] = connection.execute("SELECT study_id FROM studies WHERE study_name = 'linear'")
        rows = ((4 + k, study, "COMPLETE") for k in range(MANY))
        connection.executemany("INSERT INTO trials (number, study_id, state) VALUES (?,?,?)", rows)

    def bounded():
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2 * 10**9, used + 2 * 10**9))
        found = outcome(copy)
        assert "trial 4 was not recorded by this package" in str(found)
        assert f"and {MANY - 1} more" in str(found)

    assert forked(bounded) == 0
