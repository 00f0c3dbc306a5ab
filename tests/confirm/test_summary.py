"""The lines that end a search: the best, the target, the simplest trial, the range."""

from dataclasses import replace

import pytest

from study import formats
from study.search.loop import Outcome, Settings
from study.search.summary import diagnoses, summary
from study.stats import Interval
from tests.helpers.plans import space_of

from .helpers import plan
from .test_choosing import DEAD, PRUNED, stored

LEVEL = [stored(0, 40, 0.01), stored(1, 41, 0.1), stored(2, 46, 0.0316), stored(3, 90, 0.001)]


def diagnosis(plan, trials):
    """What is said of the learning rate's range."""
    return diagnoses(plan, trials)["learning_rate"]


def told(trials, added=None, **changes):
    """Label → what is said of it; the head is under ''."""
    settings = Settings("study.db", "linear")
    n_added = len(trials) if added is None else added
    outcome = Outcome(trials, n_added, 2.0, plan=plan("linear", **changes).settled())
    head, *rest = summary(settings, outcome)
    assert all(line.startswith("  ") and "\n" not in line for line in rest)
    return {"": head} | {line[2:20].rstrip(): line[21:] for line in rest}


def test_the_head_counts_the_trials():
    """All of the study, and those that are new, with their rate."""
    assert told(LEVEL)[""] == "linear: 4 trials in study.db (4 new, 2 trials/s)"
    assert told(LEVEL, added=0)[""] == "linear: 4 trials in study.db (nothing to add)"


def test_the_best_trial_is_described():
    """Its number, parameters, errors and step."""
    found = told([stored(7, 40, 0.0625, 12), stored(8, 60, 0.1, 8)])

    assert found["best trial"] == "7 (learning rate 0.0625, 12 hidden units)"
    assert found["validation error"] == "2.23 % (40 of 1,791), at step 280 of 300"


@pytest.mark.parametrize(
    ("errors", "point", "wilson"),
    [(35, "met", "missed"), (36, "missed", "missed"), (24, "met", "met"), (25, "met", "missed")],
)
def test_the_target_is_judged_by_both_rules(errors, point, wilson):
    """2 % of 1,791: at most 35 errors, and 24 for the upper end of Wilson's interval."""
    said = told([stored(0, errors)], target=0.02)["target"]

    assert said == (
        f"2.00 %: {point} by the point rule (≤ 35 errors), "
        f"{wilson} by the wilson rule (≤ 24 errors)"
    )


def test_the_rule_that_counts_comes_first():
    """``--target-rule wilson`` changes the order, not the figures."""
    said = told([stored(0, 50)], target=0.035, target_rule="wilson")["target"]

    assert said == (
        "3.50 %: missed by the wilson rule (≤ 47 errors), met by the point rule (≤ 62 errors)"
    )


def test_a_target_that_no_count_meets_says_so():
    """Wilson's upper end of 0 errors of 1,791 is 0.21 %."""
    said = told([stored(0, 0)], target=0.002)["target"]

    assert said.endswith("missed by the wilson rule (no count meets it)")


def test_the_simplest_trial_is_the_middle_of_the_level_ones():
    """Of the rates .01 to .1 that are level with 40 errors, .0316 is in the middle."""
    found = told(LEVEL)

    assert found["best trial"].startswith("0 ")
    assert found["simplest trial"] == (
        "2 (learning rate 0.0316): 2.57 % (46 of 1,791), within one standard error of the best"
    )


def test_a_best_trial_that_is_the_simplest_is_said_to_be():
    """Where no other is level with it there is nothing simpler."""
    found = told([stored(0, 40, 0.01), stored(1, 90, 0.1)])

    assert found["simplest trial"] == "the best one itself"


def test_diverged_and_pruned_trials_are_counted():
    """And nothing is said where there are none."""
    dead, pruned = stored(4, 800, 0.9, **DEAD), stored(5, 30, 0.5, **PRUNED)

    assert told([*LEVEL, dead, pruned])["of all trials"] == "1 diverged, 1 pruned"
    assert told([*LEVEL, pruned, pruned])["of all trials"] == "2 pruned"
    assert "of all trials" not in told(LEVEL)


def test_a_study_without_a_finished_trial_says_so():
    """Where all were pruned there is no best, and no traceback."""
    outcome = Outcome([stored(0, 30, **PRUNED)], 1, 2.0, plan=plan("linear"))

    lines = summary(Settings("study.db", "linear"), outcome)

    assert lines[1:] == ["  no trial was trained to the end"]


def test_the_level_rates_are_given():
    """The lowest and highest learning rate level with the best, and no edge within."""
    assert told(LEVEL)["learning rate"] == "0.01 to 0.1 is level with the best"


@pytest.mark.parametrize(("rate", "edge"), [(0.5, "high"), (1.5e-5, "low")])
def test_a_range_that_ends_at_the_best_is_to_be_widened(rate, edge):
    """The best within a tenth of the log range of an edge: which one, and the range."""
    said = told([stored(0, 20, rate), stored(1, 90, 0.01)])["learning rate"]

    assert said.endswith(f"; the best lie near the {edge} edge of 10⁻⁵ to 1: widen it")


@pytest.mark.parametrize("rate", [4e-5, 0.25])
def test_a_best_inside_the_range_has_no_edge(rate):
    """Just over a tenth of the log range from either end."""
    assert "edge" not in diagnosis(plan("linear"), [stored(0, 20, rate), stored(1, 90, 0.01)])


def test_the_edges_are_those_of_the_studys_own_range():
    """A narrower range makes an edge of what was inside the default one."""
    narrow = replace(plan("linear"), space=space_of(learning_rate=(1e-3, 0.12)))

    said = diagnosis(narrow, LEVEL[:2])

    assert "edge" not in diagnosis(plan("linear"), LEVEL[:2])
    assert diagnosis(narrow, [stored(0, 20, 0.1), LEVEL[3]]).endswith(
        "near the high edge of 0.001 to 0.12: widen it"
    )
    assert said.startswith("0.01 to 0.1 is level")


def test_where_training_falls_apart_is_said():
    """The lowest rate above the best one's that diverged; a dead one below was too slow."""
    slow, fast = stored(4, 850, 1e-5, **DEAD), stored(5, 800, 0.6, **DEAD)

    assert "falls apart from 0.6" in diagnosis(plan("linear"), [*LEVEL, slow, fast])
    assert "falls apart" not in diagnosis(plan("linear"), [*LEVEL, slow])


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (Interval(0.0193, 0.0341), "1.93 % to 3.41 % (1 to 2)"),
        (Interval(-0.3, 1.68), "0.00 % to 100.00 % (0 to 50)"),
    ],
)
def test_the_interval_of_an_error_is_within_0_and_1(ends, words):
    """Student's t knows no such bounds: two splits of a few rows go far beyond."""
    assert formats.counted_interval(ends, 50) == words
    assert formats.interval(ends) == words.partition(" (")[0]
