"""What was stored is of use to this version, and what was public is there."""

import gzip
import json
from unittest import mock

import pytest

import study
from study.check import check
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.report.collect import collect
from study.report.sections import compose
from study.reproduce import reproduce
from study.search import Settings, search
from study.storage.machine import describe
from study.storage.searched import Searched
from study.storage.versions import SAME_BITS, other_than_begun
from study.training.registry import MODELS, load_model_file
from tests.fixtures import make
from tests.helpers import sql

STORED = {
    "0.1-first": (("linear", "mlp"), {"folds": 0}),
    "0.1-sealed": (("linear", "mlp"), {"folds": 0}),
    "1.0": (("linear", "mlp", "wide"), {"folds": 2}),
}  # the file → its studies, and how they were confirmed
KEPT = json.loads((make.HERE / "1.0.json").read_text())
every_storage = pytest.mark.parametrize("name", STORED)


@pytest.fixture(autouse=True)
def _own_model():
    """The person's model of a stored study is registered, and only here."""
    with mock.patch.dict(MODELS):
        load_model_file(make.MODEL)
        yield


@pytest.fixture
def stored(name, tmp_path):
    """The storage of this name, to go on with, and the names of its studies."""
    path = tmp_path / "study.db"
    path.write_bytes(gzip.decompress((make.HERE / f"{name}.db.gz").read_bytes()))
    return path, *STORED[name]


def confirmed(path, names, seeds, folds):
    """A confirmation up to so many seeds, by whatever versions are here."""
    sizes = {"seeds": seeds, "splits": 2, "folds": folds, "n_trials": 2}
    return confirm(ConfirmSettings(str(path), names, **sizes, other_versions=True))


def test_every_stored_storage_is_among_those_that_are_tried():
    """None is left over, and none is missing."""
    found = sorted(path.name for path in make.HERE.glob("*.gz"))

    assert found == [f"{name}.db.gz" for name in STORED]


@every_storage
def test_a_stored_study_is_read_and_reported(name, stored):
    """Its trials are as recorded, and the page has the verdict of its confirmation."""
    path, names, sizes = stored
    before = path.read_bytes()

    record = collect(str(path), names=names)

    assert [(s.name, len(s.trials)) for s in record.searches] == [(each, 4) for each in names]
    assert {pair.judged.n_splits for pair in record.comparison.pairs} == {2}
    assert {pair.judged.folds for pair in record.comparison.pairs} == {sizes["folds"]}
    assert compose(record)[0].text[0] == record.comparison.sentence.partition(":")[0]
    assert path.read_bytes() == before


@every_storage
def test_a_stored_study_goes_on_and_keeps_what_it_has(name, stored):
    """Trials are added in its own format; the first search makes lost weights again."""
    path, names, _ = stored
    for each in names:
        before = sql.table(path, each)
        plan = Searched.read(str(path), each).plan

        search(plan, Settings(str(path), each, 6, other_versions=True))

        assert sql.table(path, each)[:4] == before
        assert [len(sql.table(path, each)), len(Searched.read(str(path), each).trials)] == [6, 6]
        keys = [t.user_attrs.keys() for t in Searched.read(str(path), each).frozen]
        assert keys[5] == keys[0]
    assert [found.what for found in check(str(path)).wrong] == []


@every_storage
def test_a_stored_confirmation_goes_on_and_keeps_what_it_has(name, stored):
    """Nothing is left of what it has; one more seed is one more replicate of each study."""
    path, names, sizes = stored
    parts = [f"{each}/{part}" for each in names for part in ("splits", "replicates")]
    before = {part: sql.table(path, part) for part in parts}

    assert confirmed(path, names, 2, **sizes) == 0
    assert {part: sql.table(path, part) for part in parts} == before

    assert confirmed(path, names, 3, **sizes) == len(names)
    after = {part: sql.table(path, part) for part in parts}
    assert {part: rows[:2] for part, rows in after.items()} == before
    assert {part: len(rows) for part, rows in after.items()} == {
        part: 3 if part.endswith("replicates") else 2 for part in parts
    }


@every_storage
def test_a_stored_trial_is_trained_again(name, stored):
    """With the versions and the processor of then bit for bit; elsewhere within rounding."""
    path, names, _ = stored
    for each in names:
        searched = Searched.read(str(path), each)
        calm = min(searched.trials, key=lambda trial: trial.learning_rate)

        found = reproduce(str(path), each, calm.number)

        assert found.identical or (found.close and not is_as_here(searched))


def is_as_here(searched):
    """Whether a study was begun with the versions and on the kind of processor that are here."""
    same = not other_than_begun(searched.manifest, searched.machine)
    return same and searched.machine.get("processor") == describe()["processor"]


def test_this_version_trains_the_bits_of_those_before_it():
    """One that does not begins a new list, and says so in the changelog."""
    assert study.__version__ in SAME_BITS


# --- the public surface -----------------------------------------------------------------------


def test_every_command_and_option_is_there():
    """Nothing that a script may have is gone."""
    now = make.commands()

    gone = {name: {*kept} - {*now.get(name, ())} for name, kept in KEPT["commands"].items()}
    assert {name: options for name, options in gone.items() if options} == {}
    assert KEPT["commands"].keys() <= now.keys()


def test_every_public_name_is_there_with_its_parameters():
    """``study.__all__`` loses nothing, nor does a function an argument."""
    now = make.names()

    gone = {name: {*kept} - {*now.get(name, ())} for name, kept in KEPT["names"].items()}
    assert {name: parameters for name, parameters in gone.items() if parameters} == {}
    assert KEPT["names"].keys() <= now.keys()


@pytest.mark.parametrize("name", ["1.0"])
def test_a_report_of_a_stored_study_has_the_numbers_and_columns_that_it_had(name, stored):
    """The keys of ``summary.json`` with their values, and the columns of the tables of trials."""
    now = make.surface(stored[0])

    assert_holds(now["summary"], KEPT["summary"])
    columns = {file: {*kept} - {*now["tables"][file]} for file, kept in KEPT["tables"].items()}
    assert not any(columns.values()), columns


def assert_holds(now, kept, where="summary"):
    """All of ``kept`` is there, whatever else is; numbers to rounding, sentences in any words."""
    if isinstance(kept, dict):
        assert kept.keys() <= now.keys(), where
        for key, value in kept.items():
            assert_holds(now[key], value, f"{where}.{key}")
    elif isinstance(kept, str) and kept.count(" ") > 2:
        assert isinstance(now, str), where
    elif isinstance(kept, float):
        assert now == pytest.approx(kept, rel=1e-6, abs=1e-12), where
    elif isinstance(kept, list):
        assert len(now) == len(kept), where
        for place, value in enumerate(kept):
            assert_holds(now[place], value, f"{where}[{place}]")
    else:
        assert now == kept, where
