"""An upgrade is no dead end: what was stored stays of use, and going on is asked for and told."""

import re
from functools import partial

import optuna
import pytest

import study
from study import dataset
from study.check import check
from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.errors import StudyError
from study.report.collect import collect
from study.report.sections import compose
from study.report.summary import summarise
from study.reproduce import reproduce
from study.search.objective import Objective
from study.storage import load_study, open_study
from study.storage.searched import Searched
from study.storage.versions import TRAINED_WITH, differing, trials, versions_here
from tests.helpers import commands, plans, sql
from tests.helpers.preloaded import ROOT
from tests.helpers.storages import copied
from tests.helpers.versions import OTHERS, others

N = 4  # trials of a study, until it goes on
PARTS = "splits", "replicates"
every_version = pytest.mark.parametrize("name", OTHERS)
of_manifest_and_machine = pytest.mark.parametrize("name", ["torch", "Python"])


@pytest.fixture(scope="module")
def made(once):
    """A storage with two studies and their confirmation, all of it with the versions here."""

    def make(folder):
        for model in ("linear", "mlp"):
            plans.searched(folder / "study.db", model, N)
        plans.confirmed(folder / "study.db")

    return once("versions", make)[0] / "study.db"


@pytest.fixture
def storage(made, tmp_path):
    """A copy of it, to go on with."""
    return copied(made, tmp_path)


def go_on(storage, n_trials=2 * N, **settings):
    return plans.search(storage, "linear", n_trials, plans.plan(), **settings)


def drop(storage, *names):
    """As if these studies had not been made."""
    for name in names:
        optuna.delete_study(study_name=name, storage=f"sqlite:///{storage}")


@every_version
def test_a_search_with_nothing_to_add_works_and_says_which_versions_differ(name, storage, caplog):
    """It changes no byte, and one line names both versions."""
    before, here = storage.read_bytes(), versions_here()[name]

    with others(name):
        outcome = go_on(storage, N)

    assert (len(outcome.trials), outcome.added) == (N, 0)
    assert storage.read_bytes() == before
    assert caplog.messages == [
        f"study 'linear': trials 0–3 were trained with {name} {here}; this is {name} "
        f"{OTHERS[name]}: what is stored stays as it is"
    ]


@every_version
def test_going_on_with_other_versions_is_refused_by_the_name_of_the_option(name, storage):
    """In one line, before anything is changed."""
    before, here = storage.read_bytes(), versions_here()[name]

    with others(name), pytest.raises(StudyError, match="pass --other-versions") as caught:
        go_on(storage)

    assert f"with {name} {here}, and this is {name} {OTHERS[name]}: install" in str(caught.value)
    assert storage.read_bytes() == before


@of_manifest_and_machine
def test_trials_of_other_versions_say_so_and_those_before_keep_their_bits(name, storage):
    """The seal covers it; the digest is that of the training, the same where its bits are."""
    begun = sql.table(storage, "linear")
    straight = plans.searched(storage.parent / "straight.db", n_trials=2 * N)

    with others(name):
        go_on(storage, other_versions=True)
        now = versions_here()

    found = Searched.read(str(storage), "linear")
    assert [t.system_attrs.get(TRAINED_WITH) for t in found.frozen] == [None] * N + [now] * N
    assert found.seal.trials == 2 * N
    after, alone = sql.table(storage, "linear"), sql.table(straight, "linear")
    assert after[:N] == begun
    assert [t["digest"] for t in after] == [t["digest"] for t in alone]


def test_a_study_goes_on_as_ever_with_the_versions_that_began_it(storage):
    """What other versions trained in between stays in it, and nothing marks the new trials."""
    with others("torch", "Python"):
        go_on(storage, other_versions=True)

    go_on(storage, 2 * N + 2)

    marked = [TRAINED_WITH in t.system_attrs for t in Searched.read(str(storage), "linear").frozen]
    assert marked == [False] * N + [True] * N + [False] * 2


def test_a_forged_version_breaks_the_seal(storage):
    """A trial's versions can't be changed behind the study's back."""
    with others("torch"):
        go_on(storage, other_versions=True)
    text = "UPDATE trial_system_attributes SET value_json = replace(value_json, '2.1.2', '2.1.3')"

    sql.query(storage, text)

    with pytest.raises(StudyError, match="have changed since they were recorded"):
        Searched.read(str(storage), "linear")


@of_manifest_and_machine
def test_a_confirmation_trains_with_the_versions_here_and_keeps_them(name, storage, caplog):
    """A study that others searched is confirmed without an option."""
    drop(storage, *(f"{model}/{part}" for model in ("linear", "mlp") for part in PARTS))

    with others(name):
        plans.confirmed(storage)
        now = versions_here()

    kept = [Searched.read(str(storage), f"linear/{part}") for part in PARTS]
    python = now.pop("Python")
    assert [(p.manifest["versions"], p.machine["python"]) for p in kept] == [(now, python)] * 2
    assert not any(TRAINED_WITH in t.system_attrs for part in kept for t in part.frozen)
    assert [m.split(":")[0] for m in caplog.messages] == ["study 'linear'", "study 'mlp'"]


@of_manifest_and_machine
def test_a_confirmation_of_other_versions_goes_on_where_that_is_asked_for(name, storage):
    """One with nothing to add works; more seeds are refused, or say which versions they had."""
    more = plans.SMALLEST | {"seeds": 3}

    with others(name):
        assert confirm(ConfirmSettings(str(storage), ("linear", "mlp"), **plans.SMALLEST)) == 0
        with pytest.raises(StudyError, match="pass --other-versions") as caught:
            confirm(ConfirmSettings(str(storage), ("linear", "mlp"), **more))
        allowed = ConfirmSettings(str(storage), ("linear", "mlp"), **more, other_versions=True)
        assert confirm(allowed) == 2
        now = versions_here()

    assert str(caught.value).startswith("study 'mlp/replicates': was begun with ")
    found = Searched.read(str(storage), "mlp/replicates").frozen
    assert [t.system_attrs.get(TRAINED_WITH) for t in found] == [None, None, now]


@of_manifest_and_machine
def test_a_trial_of_other_versions_is_reproduced_and_compared(name, storage, caplog):
    """The line names the trial's own versions."""
    with others(name):
        go_on(storage, other_versions=True)
    caplog.clear()

    found = reproduce(str(storage), "linear", N + 1)

    assert found.identical
    [line] = caplog.messages
    assert f"trial 5 was trained with {name} {OTHERS[name]}; this is {name} " in line


@every_version
def test_a_check_notes_other_versions_and_finds_nothing_wrong(name, made):
    """A note for each study that has trials."""
    with others(name):
        found = check(str(made))

    assert found.wrong == []
    noted = [
        note.where for note in found.findings if f"this is {name} {OTHERS[name]}" in note.what
    ]
    assert sorted(noted) == sorted(found.trials)


def reproducing(record):
    """The closing section of a page: its text, and the rows of its table of versions."""
    [section] = [found for found in compose(record) if found.id == "reproduce"]
    return section.text[0], [row for t in section.tables if t.kind == "versions" for row in t.rows]


def test_a_page_says_nothing_of_versions_that_are_all_the_same(made):
    """The commands give the same bits."""
    text, rows = reproducing(collect(str(made)))

    assert "bit for bit" in text
    assert rows == []


@of_manifest_and_machine
def test_a_page_says_with_which_other_versions_it_was_written(name, made):
    """The trials are as they were."""
    with others(name):
        text, [trained, written] = reproducing(collect(str(made)))

    assert "bit for bit" in text
    assert trained[0] == f"{name} {versions_here()[name]}"
    assert written == [f"{name} {OTHERS[name]}", "nothing: wrote this page"]


@of_manifest_and_machine
def test_a_page_tells_which_versions_trained_what(name, storage):
    """Two studies of different versions are compared, and each part is told."""
    drop(storage, "mlp", "mlp/splits")
    with others(name):
        plans.searched(storage, "mlp", N)
        go_on(storage, other_versions=True)

    text, [here, other] = reproducing(collect(str(storage)))

    assert "Not all of this was trained with the same versions" in text
    assert here == [f"{name} {versions_here()[name]}", "Linear model, trials 0–3"]
    assert other == [f"{name} {OTHERS[name]}", "Linear model, trials 4–7; MLP"]


def test_a_page_tells_the_versions_of_a_confirmation(storage):
    """Its parts have their own, and a part may have several."""
    drop(storage, "linear/splits", "mlp/splits")
    with others("torch"):
        plans.confirmed(storage, seeds=3, other_versions=True)

    _, [here, other] = reproducing(collect(str(storage)))

    assert here[1] == (
        "Linear model; MLP; Linear model on fresh seeds, trials 0–1; MLP on fresh seeds, "
        "trials 0–1"
    )
    assert other[1] == (
        "Linear model on fresh seeds, trial 2; Linear model in the splits; MLP on fresh seeds, "
        "trial 2; MLP in the splits"
    )


def test_the_summary_says_which_versions_trained_which_trials(storage):
    """In ``summary.json``, where they are not all the same."""
    with others("numpy"):
        go_on(storage, other_versions=True)

    found = summarise(collect(str(storage)))["models"]

    numpy = [
        (part["trials"], part["versions"]["numpy"]) for part in found["linear"]["trained_with"]
    ]
    assert numpy == [([0, 1, 2, 3], versions_here()["numpy"]), ([4, 5, 6, 7], "1.26.4")]
    assert "trained_with" not in found["mlp"]


@of_manifest_and_machine
def test_an_objective_goes_on_where_that_is_asked_for(name, storage):
    """It is refused by name otherwise; its trial says which versions it had."""
    own = {"seed": 0, "protocol": plans.plan().protocol, "target": plans.plan().target}
    study = open_study(str(storage), "linear")

    with others(name):
        with pytest.raises(StudyError, match="in Python other_versions=True"):
            study.optimize(Objective("linear", dataset.load(), **own), n_trials=1)
        allowed = Objective("linear", dataset.load(), **own, other_versions=True)
        study.optimize(allowed, n_trials=1)
        now = versions_here()

    assert load_study(str(storage), "linear").trials[-1].system_attrs[TRAINED_WITH] == now
    assert Searched.read(str(storage), "linear").trials[-1].state == "COMPLETE"


def test_the_command_tells_each_study_once_and_the_option_lets_it_go_on(storage):
    """Real processes: the report reads the searches twice; the search names the option."""
    where = ("--storage", storage)
    search = ("--model", "linear", *where, "--steps", 60, "--val-every", 20, "--target", 0.035)
    more = (*search, "--n-trials", N + 1, "--jobs", 1)

    def under(*command):
        return commands.run(commands.module("tests.helpers.under", "torch", *command), ROOT)

    told = under("study.report", *where, "--out", storage.parent / "reports")
    refused = under("study.search", *more)

    names = re.findall(r"^study\.versions: (study '[a-z/]+'): ", told.stderr, re.MULTILINE)
    assert told.status == 0
    assert len(names) == len({*names}) == len(told.stderr.splitlines()) == 6
    commands.assert_refused(refused, "study 'linear': was begun with torch ", "--other-versions")
    with others("torch"):
        assert commands.here("study.search", *more, "--other-versions").status == 0


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        ({"Python": "3.11.2"}, {"Python": "3.11.9"}, []),
        ({"Python": "3.1.2"}, {"Python": "3.11.2"}, ["Python"]),
        ({"study": "0.1.0"}, {"study": "1.0.0"}, []),
        ({"study": "1.0.0"}, {"study": "9.0.0"}, ["study"]),
        ({"torch": "2.13.0"}, {"torch": "2.13.0+cpu"}, ["torch"]),
        ({"torch": "2.13.0"}, {"numpy": "2.4.6"}, []),
    ],
)
def test_versions_that_train_the_same_bits_are_no_difference(one, other, names):
    """Nor is one that was not recorded."""
    assert differing(one, other) == differing(other, one) == names


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([3], "trial 3"), ([0, 1, 2], "trials 0–2"), ([0, 1, 4, 6, 7], "trials 0–1, 4 and 6–7")],
)
def test_trials_are_named_by_their_ranges(numbers, words):
    """As short as they can be."""
    assert trials(numbers) == words


def test_the_functions_go_on_where_that_is_asked_for(storage):
    """``study.tune`` and ``study.compare``, with the argument that the refusal names."""
    short = {"storage": storage, "steps": 60, "val_every": 20, "target": 0.035, "quiet": True}
    sizes = {"seeds": 3, "splits": 2, "n_trials": 2, "quiet": True}

    with others("torch"):
        for call in (
            partial(study.tune, "linear", n_trials=N + 1, jobs=1, **short),
            partial(study.compare, storage, **sizes, jobs=1),
        ):
            with pytest.raises(StudyError, match="in Python other_versions=True"):
                call()
            call(other_versions=True)

    assert [len(Searched.read(str(storage), n).trials) for n in ("linear", "mlp/replicates")] == [
        N + 1,
        3,
    ]
