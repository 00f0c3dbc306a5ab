"""What a study says of its sampler is what it did: from how many trials it learnt."""

import pytest
from optuna.trial import TrialState, create_trial

from study import dataset
from study.report.collect import collect
from study.report.sections import searching
from study.search.objective import Objective
from study.search.planner import Planner
from study.search.summary import summary
from study.storage import open_study
from study.storage.searched import Searched
from study.training.space import sampled
from study.trials.sampling import Sampling
from tests.confirm.test_choosing import stored
from tests.helpers.plans import plan, search

N = 24


def planned(sampler, size, state=TrialState.COMPLETE):
    """Learning rates, and the trials as a storage has them, of a study that trains nothing."""
    chosen = plan(sampler=sampler, generation_size=size)
    planner, found, rates = Planner(chosen, []), [], []
    while len(found) < N:
        trials = [
            create_trial(
                state=state,
                value=each.params["learning_rate"],
                params=each.params,
                distributions=sampled(chosen.space),
                intermediate_values={0: 0.1},
            )
            for each in planner.ask(N)
        ]
        rates += [each.params["learning_rate"] for each in trials]
        first = len(found)
        found += [
            stored(first + k, 40, state=state.name, generation=first) for k in range(len(trials))
        ]
        planner.tell(trials)
    return rates, found


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED])
@pytest.mark.parametrize("size", [6, 10, N])
@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_the_trials_in_which_a_sampler_learnt_are_those_that_are_no_random_draws(
    sampler, size, state
):
    """With fewer than ten trials to learn from it draws as random does; GP reads no pruned one."""
    rates, trials = planned(sampler, size, state)
    random, _ = planned("random", size, state)

    other = [one != another for one, another in zip(rates, random, strict=True)]
    assert sum(other) == Sampling.of(sampler, trials).learnt
    expected = (
        0 if size == N or (sampler, state.name) == ("gp", "PRUNED") else 14 - (size == 6) * 2
    )
    assert sum(other) == expected


def test_only_trials_before_the_generation_were_there_to_learn_from():
    """Numbers may have gaps, where Optuna's tools left trials; those are not counted."""
    early = [stored(number, 40, generation=0) for number in range(0, 20, 2)]
    late = [stored(number, 40, generation=20) for number in (20, 21)]

    assert Sampling.of("tpe", [*early, *late]).learnt == 2
    assert Sampling.of("tpe", [*early[1:], *late]).learnt == 0


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED])
@pytest.mark.parametrize("size", [6, N])
@pytest.mark.parametrize("sampler", ["tpe", "gp", "random"])
def test_a_search_inside_a_split_learns_from_its_own_trials_alone(sampler, size, state):
    """Three of them learn three times what one does; of one generation none does."""
    _, trials = planned(sampler, size, state)
    states = [trial.state for trial in trials]

    found = Sampling.of_splits(sampler, size, [states] * 3)

    alone = Sampling.of(sampler, trials)
    assert (found.chosen, found.learnt) == (3 * alone.chosen, 3 * alone.learnt)
    assert (found.learnt > 0) == (size == 6 and (sampler, state.name) in LEARNS)


LEARNS = {("tpe", "COMPLETE"), ("tpe", "PRUNED"), ("gp", "COMPLETE")}


def of(sampler, learnt=0, others=0, outside=0):
    return Sampling(sampler, learnt + others, learnt, outside)


@pytest.mark.parametrize(
    ("sampling", "sentence", "is_random"),
    [
        (of("random", others=64), "random: the trials are independent draws", True),
        (
            of("qmc", others=64),
            "qmc: the trials are points of a Sobol’ sequence, which covers the ranges evenly and "
            "does not learn",
            False,
        ),
        (
            of("grid", others=64),
            "grid: the trials are points of a grid, which does not learn",
            False,
        ),
        (
            of("tpe", others=64),
            "tpe: it learnt nothing, since no trial had 10 or more earlier ones to learn from: "
            "all are random draws",
            True,
        ),
        (
            of("tpe", 48, 16),
            "tpe: in 48 of 64 trials it had 10 or more earlier ones to learn from; the others are "
            "random draws",
            False,
        ),
        (
            of("gp", 1_000, outside=12),
            "gp: in 1,000 of 1,000 trials it had 10 or more earlier ones to learn from; 12 trials "
            "chosen outside of this search",
            False,
        ),
        (
            of("random", others=64, outside=1),
            "random: the trials are independent draws; 1 trial chosen outside of this search",
            False,
        ),
        (
            of("tpe", outside=2),
            "tpe: it chose no trial; 2 trials chosen outside of this search",
            False,
        ),
    ],
)
def test_the_sentence_says_what_the_sampler_did(sampling, sentence, is_random):
    """Every condition, made true and false."""
    assert sampling.sentence == sentence
    assert sampling.is_random is is_random


# --- in a terminal and on a page ------------------------------------------------------------

LEARNT = "The sampler learnt from earlier trials"
EVENLY = "The sampler, {}, spreads its trials evenly"
DRAWN = "The trials are independent random draws"


def searched(path, n_trials, name="linear", **changes):
    """(what the terminal says of the sampler, the study's storage)."""
    from study.search import Settings

    chosen = plan(**{"generation_size": 5, "cohort_size": 5} | changes)
    outcome = search(path, name, n_trials, chosen)
    lines = summary(Settings(str(path), name), outcome)
    return next(line[21:] for line in lines if line.startswith("  sampler "))


def expected(path, **names):
    """(texts, captions) of the curves on the page."""
    record = collect(str(path), **names)
    found = searching.expected(record)
    return found.text[1:], {chart.caption for chart in found.charts}


@pytest.mark.parametrize(
    ("changes", "n_trials", "meaning"),
    [
        ({"sampler": "random"}, 15, DRAWN),
        ({"sampler": "tpe"}, 15, LEARNT),
        ({"sampler": "tpe"}, 10, DRAWN),
        ({"sampler": "tpe", "generation_size": 15}, 15, DRAWN),
        ({"sampler": "qmc"}, 15, EVENLY.format("qmc")),
        ({"sampler": "grid", "grid": 15}, 15, EVENLY.format("grid")),
        ({"sampler": "random", "pruner": "median"}, 15, "Pruned trials are left out"),
    ],
)
def test_expected_curves_are_labelled_by_what_the_sampler_did(
    changes, n_trials, meaning, tmp_path
):
    """Those of random draws estimate what another search finds; all others only describe."""
    said = searched(tmp_path / "study.db", n_trials, **changes)

    [text], captions = expected(tmp_path / "study.db")
    read = Searched.read(str(tmp_path / "study.db"), "linear")
    assert Sampling.of(read.plan.sampler, read.trials).sentence == said
    assert text.startswith(meaning)
    assert ("without bias" in text) == (meaning == DRAWN)
    assert ("do not predict another search" in text) == (meaning != DRAWN)
    label = "" if meaning == DRAWN else "Descriptive: not a prediction of another search."
    assert captions == {label}


def test_the_terminal_names_the_sampler_of_the_study(tmp_path):
    """Where a command states none: the stored study's, or a new study's default."""
    searched(tmp_path / "old.db", 5, sampler="tpe")

    assert searched(tmp_path / "old.db", 20).startswith("tpe: in 10 of 20 trials")
    assert searched(tmp_path / "new.db", 5).startswith("qmc: the trials are points")


def test_trials_chosen_outside_of_the_search_are_told(tmp_path):
    """An objective of Optuna's own study adds one: the study's sampler did not choose it."""
    path = tmp_path / "study.db"
    searched(path, 5, sampler="random")
    objective = Objective("linear", dataset.load(), seed=0, protocol=plan().protocol, target=0.035)
    open_study(str(path), "linear").optimize(objective, n_trials=1)

    said = searched(path, 10, sampler="random")

    [text], captions = expected(path)
    assert said.endswith("; 1 trial chosen outside of this search")
    assert text.startswith("How the trials from outside of the search were chosen is not known: ")
    assert captions == {"Descriptive: not a prediction of another search."}


def test_studies_of_two_samplers_are_told_apart(tmp_path):
    """Each sentence and the label name whose curve they are about."""
    path = tmp_path / "study.db"
    searched(path, 8, "one", sampler="random")
    searched(path, 8, "other", sampler="qmc")

    texts, captions = expected(path, names=("one", "other"))

    one, other = texts
    assert one.startswith(f"one: t{DRAWN[1:]}: of a study whose")
    assert other.startswith(f"other: t{EVENLY.format('qmc')[1:]}, so these")
    assert captions == {"Descriptive (other): not a prediction of another search."}
