"""Every hostile input that is committed here gets what ``index.json`` says, at a bounded cost.

A bug that is found becomes a line there, and a file where it needs one.
"""

import json
import re
import shutil
import tracemalloc
from pathlib import Path

import pytest

from study.check import check
from study.dataset import idx, official
from study.errors import StudyError
from study.storage import files, load_study, load_weights, open_study, resolve

from .make import FILES

INDEX = json.loads(Path(__file__).with_name("index.json").read_text())
IMAGES, LABELS = official.FILES.values()
ROWS = {"labels": "F14", "images": "F14", "storage": "F8", "weights": "F8", "name": "F12"}


def met(attack, path):
    """What each kind of input is given to; all of it, where there are several readers."""
    kind, given = INDEX[attack]["as"], INDEX[attack].get("input")
    if kind == "name":
        open_study(str(path), given)
        assert files(str(path), given).parent == path.with_name("study.db.files")
    elif kind == "URL":
        resolve(given)
    elif kind == "weights":
        load_weights(path)
    elif kind == "storage":
        readers = {reader: refusal(reader, path) for reader in (check, load_linear, open_linear)}
        assert all(readers.values()), readers
        raise readers[check]
    else:
        idx.read(path, LABELS if kind == "labels" else IMAGES)


def load_linear(path):
    load_study(path, "linear")


def open_linear(path):
    open_study(path, "linear")


def refusal(reader, path):
    """The error that a reader refuses a storage with, or what check finds wrong in it."""
    try:
        found = reader(str(path))
    except StudyError as error:
        return error
    return StudyError(found.wrong[0].what) if found and found.wrong else None


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(name, marks=pytest.mark.matrix(ROWS.get(INDEX[name]["as"], "F13")))
        for name in INDEX
    ],
)
def test_an_attack_gets_what_it_should(attack, tmp_path, monkeypatch):
    """One line that says what is wrong, or harmless acceptance; no byte of it is changed."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ("study.db" if "input" in INDEX[attack] else attack)
    if (FILES / attack).exists():
        shutil.copy(FILES / attack, path)
    before = path.read_bytes() if path.exists() else None
    tracemalloc.start()
    try:
        met(attack, path)
        message = ""
    except StudyError as error:
        message = str(error)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert bool(message) == bool(INDEX[attack]["words"])
    assert re.search(INDEX[attack]["words"], message)
    assert message.isprintable()
    assert "s3cret" not in message
    assert peak_bytes < 100_000_000
    assert before is None or path.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} <= {path.name, "study.db", "study.db.files"}


def test_every_file_is_in_the_index_and_every_entry_has_its_file():
    """Nothing is committed that is not tried."""
    named = {name for name, entry in INDEX.items() if "input" not in entry}

    assert {path.name for path in FILES.iterdir()} == named
    assert sum(path.stat().st_size for path in FILES.iterdir()) < 200_000
