"""Who is confirmed, and against whom: finalists, the recommended trial, comparable studies."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from study.confirm.plan import finalists
from study.errors import StudyError
from study.storage.comparable import require_comparable
from study.trials import StoredTrial
from study.trials.selection import recommended
from tests.helpers.plans import configuration_of

from . import oracle
from .helpers import plan

N = 1791


def stored(number, errors, rate=0.1, hidden=None, **changes):
    """A stored trial made by hand."""
    fields = {
        "state": "COMPLETE",
        "outcome": "finished",
        "val_loss": 0.1,
        "step": 280,
        "first_step_at_target": None,
        "diverged_at": None,
        "curve": {"step": np.arange(3.0)},
        "predictions": np.zeros(N, bool),
        "weights_sha256": f"{number:064d}",
        "final_error": errors / N,
    } | changes
    return StoredTrial(
        number=number,
        parameters=configuration_of(rate, hidden),
        val_error=errors / N,
        val_errors=errors,
        n_val=N,
        **fields,
    )


def plan_of(found):
    """The plan of a study with these trials."""
    return plan("mlp" if "hidden_units" in found[0].parameters else "linear")


PRUNED = {"state": "PRUNED", "outcome": "pruned"}
DEAD = {"outcome": "diverged", "final_error": 0.49}


def trials(*, hidden):
    """Lists of trials, about a quarter of them pruned, with errors that often tie."""
    units = st.integers(8, 16) if hidden else st.none()
    one = st.tuples(
        st.integers(15, 40),
        st.floats(1e-4, 1),
        units,
        st.sampled_from([{}, {}, {}, PRUNED]),
        st.sampled_from([0.1, 0.2, float("nan")]),
    )
    return st.lists(one, min_size=1, max_size=12).map(
        lambda rows: [
            stored(k, e, r, h, **state, val_loss=loss)
            for k, (e, r, h, state, loss) in enumerate(rows)
        ]
    )


ANY = st.booleans().flatmap(lambda hidden: trials(hidden=hidden))
LIMIT = st.integers(1, 5)


def complete(found):
    return [trial for trial in found if trial.state == "COMPLETE"]


def place(trial):
    """Where a trial ranks: errors, loss (none is worst), number."""
    loss = math.inf if math.isnan(trial.val_loss) else trial.val_loss
    return trial.val_errors, loss, trial.number


@given(ANY, LIMIT)
def test_the_best_is_the_first_finalist(found, limit):
    """Fewest errors, then the lowest loss, then the earlier; pruned trials do not count."""
    assume(complete(found))

    assert finalists(plan_of(found), found, limit)[0] is min(complete(found), key=place)


@given(ANY, st.integers(2, 5))
def test_the_recommended_trial_is_the_second(found, limit):
    """Unless it is the best itself."""
    assume(complete(found))
    chosen = finalists(plan_of(found), found, limit)
    best, simple = min(complete(found), key=place), recommended(plan_of(found), found)

    assert (chosen[0] if simple is best else chosen[1]) is simple


@given(ANY, LIMIT)
def test_there_are_no_more_than_asked_for_and_none_twice(found, limit):
    """As many as are level with the best, up to the limit."""
    assume(complete(found))
    lowest = min(trial.val_errors for trial in complete(found))
    level = [t for t in complete(found) if t.val_errors - lowest <= se(lowest)]

    numbers = [trial.number for trial in finalists(plan_of(found), found, limit)]

    assert len(numbers) == len(set(numbers)) == min(limit, len(level))


@given(ANY, LIMIT)
def test_every_finalist_is_level_with_the_best(found, limit):
    """Within one standard error of the lowest count, and trained to the end."""
    assume(complete(found))
    lowest = min(trial.val_errors for trial in complete(found))

    for trial in finalists(plan_of(found), found, limit):
        assert trial.val_errors - lowest <= se(lowest)
        assert trial.state == "COMPLETE"


@given(ANY, LIMIT)
def test_the_rest_follow_by_rank(found, limit):
    """After the first two, nobody who was passed over is better than one who was chosen."""
    assume(complete(found))
    chosen = finalists(plan_of(found), found, limit)
    rest = [place(trial) for trial in chosen[2:]]
    passed = [place(t) for t in complete(found) if t not in chosen]

    assert rest == sorted(rest)
    assert not rest or not passed or max(rest) < min(passed)


@given(ANY)
def test_the_recommended_trial_is_the_oracles(found):
    """Level, fewest hidden units, middle learning rate, fewer errors, earlier."""
    assume(complete(found))
    rows = [
        {
            "number": t.number,
            "val_errors": t.val_errors,
            "parameters": t.parameters,
        }
        for t in complete(found)
    ]

    assert recommended(plan_of(found), found).number == oracle.recommended(rows, N)["number"]


def se(k):
    """The binomial standard error of a count."""
    return math.sqrt(k * (N - k) / N)


@pytest.mark.parametrize(("errors", "level"), [(26, True), (27, False)])
def test_level_ends_at_one_standard_error(errors, level):
    """22 errors of 1,791 have one of 4.66."""
    found = finalists(plan("linear"), [stored(0, 22), stored(1, errors)], 3)

    assert [trial.number for trial in found] == ([0, 1] if level else [0])


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_pruned_trial_is_no_finalist_however_good(limit):
    """It had a smaller budget."""
    found = [stored(0, 1, **PRUNED), stored(1, 20), stored(2, 19)]

    assert 0 not in [trial.number for trial in finalists(plan_of(found), found, limit)]
    assert recommended(plan_of(found), found).number != 0


def test_a_network_that_died_is_not_recommended():
    """An early checkpoint that was level does not make a rate whose training fell apart safe."""
    found = [stored(0, 20, 0.1), stored(1, 22, 0.5, **DEAD), stored(2, 21, 1.0, **DEAD)]

    assert recommended(plan_of(found), found).number == 0
    assert [trial.number for trial in finalists(plan_of(found), found, 3)] == [0]


def test_a_best_that_died_is_still_the_first():
    """The raw best is what the search found; beside it stands one that was trained well."""
    found = [stored(0, 20, 1.0, **DEAD), stored(1, 22, 0.1), stored(2, 21, 0.9, **DEAD)]

    assert [trial.number for trial in finalists(plan_of(found), found, 3)] == [0, 1]


# Comparable studies


def searched_as(name, model="linear", data="d" * 64, **changes):
    """A study made by hand."""
    chosen = plan(model)
    chosen = replace(chosen, protocol=replace(chosen.protocol, **changes))
    return SimpleNamespace(name=name, manifest=chosen.manifest(data))


def test_two_models_of_the_same_training_are_comparable():
    """Model, space and seed may differ, the protocol and the data may not."""
    require_comparable(searched_as("linear"), searched_as("mlp", "mlp"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 400}, ["protocol", "steps (300 against 400)"]),
        ({"batch_size": 50}, ["protocol", "batch_size (100 against 50)"]),
        ({"classes": (3, 8)}, ["protocol", "classes", "3", "8"]),
        ({"data": "e" * 64}, ["SHA-256", f"({'d' * 12}… against {'e' * 12}…)"]),
    ],
    ids=["steps", "batch-size", "classes", "data"],
)
def test_what_differs_is_named_with_both_values(changes, words):
    """One line that names the studies, the field and both values, and no other field."""
    with pytest.raises(StudyError) as refusal:
        require_comparable(searched_as("one"), searched_as("two", **changes))

    message = str(refusal.value)
    assert [word for word in ["'one'", "'two'", *words] if word not in message] == []
    assert "val_every" not in message
    assert "\n" not in message


def test_a_study_is_not_compared_with_itself():
    """It is named in the refusal."""
    with pytest.raises(StudyError, match="'linear': is named twice"):
        require_comparable(searched_as("linear"), searched_as("linear"))
