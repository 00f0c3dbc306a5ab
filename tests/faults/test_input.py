"""F11, F14, F15: malformed data and another manifest are refused, field by field."""

import dataclasses
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from study.errors import StudyError
from study.search import Plan, Settings
from study.search import search as search_here
from study.training.engine import ENGINES, default_engine
from study.training.protocol import Protocol
from tests.helpers.plans import plan, searched, space_of

from . import malformed


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """Interpreter flags → every malformed file's kind, seconds and message."""
    folder, found = tmp_path_factory.mktemp("malformed"), {}
    for flags in ((), ("-O",)):
        line = [sys.executable, *flags, malformed.__file__, str(folder)]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        found[flags] = json.loads(done.stdout)
    return found


@pytest.mark.matrix("F14")
@pytest.mark.parametrize("flags", [(), ("-O",)], ids=["python", "python -O"])
def test_every_malformed_file_is_refused_by_name_and_field(refusals, flags, attempts):
    """64 lengths and 26 kinds: each names the file and what is wrong with it."""
    found = refusals[flags]

    attempts(len(found))
    assert len(found) == 64 + len(malformed.PLAIN) + len(malformed.GZIPPED) >= 64 + 20
    assert [kind for kind, _, message in found if message is None] == []
    for kind, _, message in found:
        name, field, wanted = message.split(": ", 2)
        assert name == malformed.NAME + ".gz" * kind.startswith("gzip")
        assert field.startswith(("size", "magic", "data type", "number of", "label", "gzip st"))
        assert "must be" in wanted or "must be" in field


@pytest.mark.matrix("F15")
def test_asserts_are_not_what_refuses_them(refusals):
    """The messages are the same under ``python -O``."""
    plain, optimised = ([(k, m) for k, _, m in found] for found in refusals.values())

    assert plain == optimised


CHANGED = {
    "model": "mlp",
    "space": space_of((0.01, 0.5)),
    "protocol": Protocol(steps=80, val_every=20),
    "seed": 1,
    "target": 0.02,
    "target_rule": "wilson",
    "sampler": "random",
    "pruner": "median",
    "generation_size": 5,
    "cohort_size": 3,
    "device": "cuda",
    "engine": next(engine for engine in ENGINES if engine != default_engine()),
}


@pytest.mark.matrix("F11")
def test_every_field_of_a_plan_has_its_test_below():
    """A field that is added is tested too."""
    of_data = {"inputs", "former"}  # not chosen: they follow the data, and the stored study
    of_grids = {"grid"}  # tested apart: no other sampler has one
    fields = {field.name for field in dataclasses.fields(Plan)}
    assert set(CHANGED) == fields - of_data - of_grids


@pytest.mark.matrix("F11")
@pytest.mark.parametrize("name", CHANGED)
def test_a_plan_that_differs_is_refused_by_field_and_adds_nothing(calm, tmp_path, name):
    """The line names the field, old → new; not a byte changes."""
    path = tmp_path / "study.db"
    shutil.copy(calm, path)
    before = path.read_bytes()
    key = name.removesuffix("_size")  # as the manifest and the option call it

    with pytest.raises(StudyError, match=rf"with other settings \(.*\b{key}\b.* → ") as caught:
        search_here(replace(plan(), **{name: CHANGED[name]}), Settings(str(path), "linear", 9))

    assert caught.value.status == 2
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.matrix("F11")
def test_a_grid_of_another_size_is_refused(tmp_path):
    """Its points would be others."""
    path = searched(tmp_path / "study.db", sampler="grid", grid=8)

    with pytest.raises(StudyError, match=r"with other settings \(grid 8 → 9"):
        searched(path, n_trials=9, sampler="grid", grid=9)


@pytest.mark.matrix("F11")
@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Protocol)])
def test_a_protocol_that_differs_is_refused_by_field_too(calm, tmp_path, name, monkeypatch):
    """Steps, batches, validation, data and split: each is part of what a study was."""
    other = {"dataset": "kmnist", "classes": (9, 4)}.get(name, 40)
    path, asked = shutil.copy(calm, tmp_path / "study.db"), plan()
    changed = replace(asked, protocol=replace(asked.protocol, **{name: other}))
    from study.training import loading

    pair = loading.load_pair(asked.protocol, None)
    monkeypatch.setattr(loading, "load_pair", lambda *_: pair)

    with pytest.raises(StudyError, match=rf"\(protocol\.{name} .* → "):
        search_here(changed, Settings(str(path), "linear", 9))
