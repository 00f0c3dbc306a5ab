"""Whatever comes in is taken, or refused in one line; nothing else, and nothing is changed.

Short in an ordinary run; ``nox -s fuzz`` goes on for minutes.
"""

import contextlib
import gzip
import io
import json
import shutil
import sqlite3
from contextlib import closing
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from study import check, reproduce
from study.confirm import options as confirm
from study.dataset import idx
from study.errors import StudyError
from study.report import options as report
from study.search import Plan, Settings
from study.search import options as search
from study.search import search as search_here
from study.storage import load_study, study_names
from study.storage.manifest import check_manifest
from study.storage.searched import Searched
from tests.helpers.plans import plan

LAYOUT = idx.labels(50)
VALID = idx.encode(np.arange(50, dtype=np.uint8) % 10)
_shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
_costly = settings(_shared, max_examples=settings.default.max_examples // 5)


def outcome(work):
    """What ``work`` returns, or the refusal that it ends with."""
    try:
        return work()
    except (StudyError, SystemExit) as error:
        return error


def spoiled(whole):
    """A valid content, cut, extended and overwritten at places."""
    patches = st.lists(st.tuples(st.integers(0, len(whole)), st.binary(max_size=4)), max_size=4)
    return st.builds(
        lambda cut, more, patched: _patched(whole[:cut], patched) + more,
        st.integers(0, len(whole)) | st.just(len(whole)),
        st.binary(max_size=5),
        patches,
    )


def _patched(content, patches):
    for place, patch in patches:
        content = content[:place] + patch + content[place + len(patch) :]
    return content


@_shared
@given(content=spoiled(VALID) | st.binary(max_size=99), packed=st.booleans())
@example(content=VALID, packed=True)
@example(content=VALID[:-1], packed=False)
def test_an_idx_file_is_read_or_refused(content, packed, tmp_path):
    """What is read has exactly the layout; what is not names file and field."""
    path = tmp_path / ("labels.gz" if packed else "labels")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    found = outcome(lambda: idx.read(path, LAYOUT))
    if isinstance(found, StudyError):
        event("refused")
        assert str(found).startswith(f"{path}: ")
        assert ": must be " in str(found)
        return
    event("read")
    assert found == content
    assert (found[:8], len(found)) == (VALID[:8], 58)
    assert idx.values(found, LAYOUT).max() <= 9


@_shared
@given(content=spoiled(gzip.compress(VALID, mtime=0)))
def test_a_gzip_file_is_unpacked_whole_or_refused(content, tmp_path):
    """A damaged stream never gives a content, unless it gives the right kind of one."""
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    found = outcome(lambda: idx.read(path, LAYOUT))

    if isinstance(found, StudyError):
        assert str(found).startswith(f"{path}: ")
    else:
        assert found == gzip.decompress(content)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A small search's storage, and its rows."""
    path = tmp_path_factory.mktemp("fuzz") / "study.db"
    search_here(plan(), Settings(str(path), "linear", 4))
    return path


def snapshot(path):
    """What a reader makes of a storage, or that it refuses it in one line."""

    def read():
        found = Searched.read(str(path), "linear")
        return repr([found.manifest, *found.frozen])

    found = outcome(read)
    if isinstance(found, StudyError):
        assert str(found).isprintable()
        return None
    return found


of_whole = cache(snapshot)  # of a storage that nothing changes


@_costly
@given(
    place=st.floats(0, 1, exclude_max=True),
    patch=st.binary(min_size=1, max_size=40),
    cut=st.none() | st.floats(0, 1),
)
@example(place=0.75, patch=b"\x80", cut=None)  # once ended in a UnicodeDecodeError
@example(place=0.4581065006337753, patch=b"\x15", cut=None)  # ended SQLite's check of the file
def test_a_damaged_storage_is_read_as_it_was_or_refused(place, patch, cut, stored, tmp_path):
    """Bytes anywhere in the file; the check never fails either."""
    content = stored.read_bytes()
    at = int(place * len(content))
    content = content[:at] + patch + content[at + len(patch) :]
    path = tmp_path / "study.db"
    path.write_bytes(content if cut is None else content[: int(cut * len(content))])
    found = snapshot(path)

    event("refused" if found is None else "the same")
    assert found in (None, of_whole(stored))
    with contextlib.suppress(StudyError):
        check.check(str(path))


ROWS = [
    *(("trials", column) for column in ("number", "state", "datetime_start")),
    *(("trial_values", column) for column in ("value", "value_type", "objective")),
    *(("trial_params", column) for column in ("param_name", "param_value", "distribution_json")),
    *(("trial_user_attributes", column) for column in ("key", "value_json")),
    *(("study_user_attributes", column) for column in ("key", "value_json")),
    *(("study_system_attributes", column) for column in ("key", "value_json")),
    *(("trial_intermediate_values", column) for column in ("step", "intermediate_value")),
]
CELLS = (
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=30) | st.binary(max_size=9)
    | st.sampled_from(["{}", "[]", "null", "1e999", '"x"', "COMPLETE", "RUNNING", "INF_NEG"])
)  # fmt: skip


@_costly
@given(where=st.sampled_from(ROWS), row=st.integers(0, 200), cell=CELLS)
@example(where=("study_user_attributes", "value_json"), row=0, cell=None)
@example(where=("trial_intermediate_values", "intermediate_value"), row=0, cell=b"")
@example(where=("trial_intermediate_values", "step"), row=0, cell="")
@example(where=("trials", "number"), row=0, cell=-1)
def test_a_forged_cell_is_refused_or_changes_nothing(where, row, cell, stored, tmp_path):
    """Any value in any column of any row that a report rests on."""
    path, (table, column) = tmp_path / "study.db", where
    shutil.copy(stored, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        [(count,)] = connection.execute(f"SELECT count(*) FROM {table}")
        ids = f"SELECT rowid FROM {table} LIMIT 1 OFFSET {row % count}"
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ({ids})", [cell])
        except sqlite3.IntegrityError:
            assume(False)  # a key that is there already
    found, whole = snapshot(path), of_whole(stored)

    event("refused" if found is None else "the same" if found == whole else "unsealed")
    assert found in (None, whole)
    with contextlib.suppress(StudyError):
        check.check(str(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)  # fmt: skip
MANIFEST = plan().manifest("0" * 64)


@given(field=st.sampled_from(sorted(MANIFEST)), value=JSON, inner=st.booleans())
def test_a_manifest_is_understood_or_refused(field, value, inner):
    """Whatever JSON stands in a field of it, or in a field of the protocol or the space."""
    content = json.loads(json.dumps(MANIFEST))
    if inner and isinstance(content[field], dict):
        content[field][sorted(content[field])[0]] = value
    else:
        content[field] = value
    found = outcome(lambda: Plan.from_manifest(content))

    refused = ("manifest: can't be read", "model ")
    assert isinstance(found, Plan) or str(found).startswith(refused)


@_shared
@given(content=st.dictionaries(st.text(max_size=9), JSON, max_size=4))
def test_any_other_manifest_is_refused_by_field(content, stored):
    """A study keeps its own."""
    study = load_study(str(stored), "linear")
    with pytest.raises(StudyError, match="was searched with other settings") as caught:
        check_manifest(study, lambda _: content)
    assert "→" in str(caught.value)


COMMANDS = {
    "search": search,
    "confirm": confirm,
    "report": report,
    "reproduce": reproduce,
    "check": check,
}
WORDS = st.sampled_from(
    ["0", "1", "-1", "4", "9", "nan", "inf", "1e999", "", "linear", "mlp", "x" * 300, "é", "\0"]
) | st.text(max_size=6)


@st.composite
def lines(draw):
    """A command and options of its own, with values that may or may not fit."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    options = [
        action.option_strings[-1]
        for action in COMMANDS[name].parser()._actions
        if action.option_strings and action.dest != "help"
    ]
    chosen = draw(st.lists(st.sampled_from(options), max_size=4))
    words = [word for option in chosen for word in (option, *draw(st.lists(WORDS, max_size=2)))]
    return name, words


@given(lines())
def test_a_command_line_is_parsed_or_refused_in_one_line(line):
    """Status 2 and one line that starts with ``study:``, or options that can be used.

    A line that asks for the version, and for nothing wrong before it, ends well.
    """
    name, words = line
    parser, said = COMMANDS[name].parser(), io.StringIO()
    with contextlib.redirect_stderr(said):
        found = outcome(lambda: parser.parse_args(words))

    if isinstance(found, SystemExit):
        event("refused")
        if found.code == 0:
            assert "--version" in words
            assert said.getvalue() == ""
            return
        assert found.code == 2
        assert said.getvalue().count("\n") == 1
        assert said.getvalue().startswith("study: ")


@given(st.text(max_size=30))
def test_any_storage_is_named_or_refused(text):
    """Reading the names of what is not there makes nothing and fails in one line."""
    assume("://" not in text or text.startswith("sqlite"))
    with pytest.raises(StudyError) as caught:
        study_names(f"nowhere/{text}")
    assert len(str(caught.value).splitlines()) == 1
