"""What was judged, apart from what each search found: every sentence, where it is so and not."""

import json
import re
from dataclasses import replace

import optuna
import pandas as pd
import pytest

from study import formats, stats
from study.confirm.verdict import Judged
from study.margin import Margin
from study.report import general, headline, tables
from study.report.collect import collect
from study.report.content import with_details
from study.report.sections import answer, confirming, estimates, judging, pairs, predicting
from study.stats import Interval
from tests.confirm import oracle
from tests.helpers.sql import change
from tests.report.conftest import SIX
from tests.report.helpers import Page, page_of, set_attribute, stored_best

MODELS = ("linear", "mlp")


@pytest.fixture(scope="module")
def record(confirmed):
    return collect(str(confirmed))


@pytest.fixture(scope="module")
def six_record(six):
    return collect(str(six), names=tuple(SIX))


def with_sides(record, *changes, **of_pair):
    """The record with other numbers of each study, and of the pair."""
    c = record.comparison
    sides = [replace(side, **change) for side, change in zip(c.sides, changes, strict=True)]
    pair = replace(c.pairs[0], a=sides[0], b=sides[1], **of_pair)
    return replace(record, comparison=replace(c, sides=tuple(sides), pairs=(pair,)))


def with_verdict(record, **changes):
    """The record with another verdict."""
    verdict = replace(record.comparison.pairs[0].verdict, **changes)
    return with_sides(record, {}, {}, verdict=verdict)


def mean_of(mean, low, high, **changes):
    """A mean in percentage points with its interval."""
    found = stats.held_out_mean([[0, 1]] * 2, n_train=9, n_total=12)
    ends = Interval(low / 100, high / 100)
    return replace(found, mean=mean / 100, interval=ends, **changes)


# One estimand a row


def test_no_row_mixes_two_searches(record):
    """The judged errors and those of the studies' own searches have a table each."""
    judged, found = estimates.tables(record)
    cells = [[cell for row in table.rows for cell in row] for table in (judged, found)]

    for side in record.comparison.sides:
        held_out = f"{100 * side.holdout.mean:.2f} %"
        own = f"{100 * side.raw_best_errors / 1791:.2f} % ({side.raw_best_errors} of 1,791)"
        assert [held_out in shown for shown in cells] == [True, False]
        assert [own in shown for shown in cells] == [False, True]


def test_each_error_stands_beside_the_cost_of_its_search(record, evidence):
    """Trials and training images of the judged searches; trials and time of the study's own."""
    judged, found = estimates.tables(record)
    [searched], [n_fit] = (
        {len(s["searched"]) for s in evidence.a.splits},
        {s["n_fit"] for s in evidence.a.splits},
    )

    cost = f"3 searches, each of {searched} trials on {n_fit:,} training images"
    assert judged.caption == f"Error on held-out images: {cost}"
    assert found.caption.endswith("each study’s own search, on 10,000 training images")
    assert [row[-2] for row in found.rows] == ["6", "6"]


@pytest.fixture(scope="module")
def evidence(confirmed):
    return oracle.Evidence.of(confirmed, *MODELS)


def test_the_figures_frame_has_a_row_an_error(record, evidence):
    """Each with what was searched for it."""
    frame = tables.answer(record)

    assert frame["on"].tolist() == ["held out"] * 2 + ["validation"] * 2
    assert frame["searches"].tolist() == [3, 3, 1, 1]
    assert frame["trials"].tolist() == [3, 3, 6, 6]
    assert frame["n_train"].tolist() == [evidence.a.splits[0]["n_fit"]] * 2 + [10_000] * 2
    assert frame["errors"].tolist()[2:] == [h.best["val_errors"] for h in (evidence.a, evidence.b)]


def test_the_figures_words_say_that_its_marks_are_of_different_searches(record, original):
    """Only once there are two kinds of marks."""
    chart = answer.answer(record, tables.trials(record)).charts[0]
    plain = collect(str(original))
    [alone] = answer.answer(plain, tables.trials(plain)).charts

    assert "Filled and hollow marks are of different searches" in chart.caption
    assert "of the study’s own search, of 6 trials." in chart.caption
    assert alone.caption == ""
    assert "held-out" not in alone.alt


def test_the_headline_is_the_verdict_alone(record):
    """The training time of other searches has no place in it."""
    said = headline.answer(record)

    assert said.headline == record.comparison.headline
    assert f"{said.headline}: t{said.numbers[1:]}" == record.comparison.sentence


@pytest.mark.parametrize("model", MODELS)
def test_both_trials_stand_beside_each_other(record, evidence, model):
    """The best and the simplest with their numbers, errors and hyperparameters."""
    place = MODELS.index(model)
    half, side = (evidence.a, evidence.b)[place], record.comparison.sides[place]
    simple = next(t for t in half.complete if t["number"] == side.recommended_trial)
    best, simplest = estimates.trials(record).rows[place][1:]

    assert f"trial {half.best['number']}\n" in best
    if simple["number"] == half.best["number"]:
        assert simplest == "the same trial"
    else:
        assert f"({simple['val_errors']} of 1,791)\ntrial {simple['number']}\n" in simplest
    assert f"learning rate {half.best['parameters']['learning_rate']:.3g}" in best


def test_the_simplest_trial_is_called_the_same_only_where_it_is(record, monkeypatch):
    """Another number, another cell."""
    [search, *_] = record.searches
    other = next(t for t in search.trials if t.number != search.best.number)

    for found, same in ((search.best, True), (other, False)):
        monkeypatch.setattr(estimates, "recommended", lambda *_, found=found: found)
        cell = estimates.trials(record).rows[0][2]
        assert (cell == "the same trial") is same
        assert (f"trial {other.number}" in cell) is not same


def test_another_best_trial_of_optunas_is_named(storage):
    """Where the first of equal errors has not the lowest loss, Optuna's own number is given."""
    set_attribute(storage, "val_errors", 33)
    change(storage, "UPDATE trial_values SET value = ?", 33 / 1791)
    url = f"sqlite:///{storage}"
    theirs = {m: optuna.load_study(study_name=m, storage=url).best_trial.number for m in MODELS}
    ours = {m: stored_best(storage, m)["number"] for m in MODELS}
    nouns = {"linear": "the linear model", "mlp": "the MLP"}

    note = estimates.trials(collect(str(storage))).note

    assert theirs != ours
    for model in MODELS:
        named = f"trial {theirs[model]} for {nouns[model]}"
        assert (named in note) is (theirs[model] != ours[model])


def test_where_optuna_agrees_nothing_is_said(record):
    """Neither model's note, where the lowest error is one trial's alone."""
    for search in record.searches:
        counts = [t.val_errors for t in search.trials]
        assert counts.count(min(counts)) == 1

    assert "Optuna" not in estimates.trials(record).note


# What simplicity costs


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (
            mean_of(0.2, 0.1, 0.3),
            "In place of the best trial it costs the linear model 0.20 percentage points"
            " (95 % interval +0.10 to +0.30).",
        ),
        (
            mean_of(-0.2, -0.3, -0.1),
            "In place of the best trial it gains the linear model 0.20 percentage points"
            " (95 % interval +0.10 to +0.30).",
        ),
        (
            mean_of(0.2, -0.1, 0.5),
            "What it costs cannot be told from 0 for the linear model (+0.20 percentage points,"
            " 95 % interval -0.10 to +0.50)",
        ),
        (
            mean_of(0, -0.03, 0.03, is_bound=True),
            "What it costs cannot be told from 0 for the linear model (+0.00 percentage points,"
            " at most 0.03, with 95 % confidence)",
        ),
    ],
    ids=["costs", "gains", "level", "equal"],
)
def test_what_simplicity_costs_has_three_outcomes(record, cost, said):
    """By the interval of the difference on the same images."""
    level = mean_of(0, -1, 1)

    assert estimates.simplicity(with_sides(record, {"simplicity": cost}, {"simplicity": level}))[
        : len(said)
    ] == (said)


def test_what_was_not_judged_is_said_to_be_so(record):
    """A confirmation of version 0.1 has no record of the simplest trials."""
    none = {"simplest_holdout": None, "simplicity": None}
    former = with_sides(record, none, none)

    for shown, judged in ((record, True), (former, False)):
        worth, own = tables_of(shown)[0], estimates.trials(shown)
        assert ("was not judged" in worth.note) is not judged
        assert [general.SIMPLEST in table.note for table in (worth, own)] == [judged, not judged]
        assert ("Simplest minus best" in [row[0] for row in worth.rows]) is judged


# Intervals of no width


def test_an_interval_of_no_width_is_a_bound(record):
    """Of an error that is 0 on all images, and of a difference that is."""
    error = mean_of(0, -0.03, 0.03, is_bound=True)
    bound = with_sides(record, {"holdout": error}, {}, difference=error)

    for shown, is_bound in ((bound, True), (record, False)):
        chart = answer.answer(shown, tables.trials(shown)).charts[0]
        assert ("at most 0.03 %" in estimates.judged(shown).rows[0][2]) is is_bound
        assert ("interval at most 0.03 %" in chart.alt) is is_bound
        assert ("(at most 0.03, with 95 % confidence; p =" in text_of(shown)) is is_bound


def test_a_pairs_interval_of_no_width_is_a_bound(six_record):
    """In the table of all pairs too."""
    [first, *others] = six_record.comparison.pairs
    equal = replace(first, difference=mean_of(0, -0.03, 0.03, is_bound=True))
    planted = replace(six_record.comparison, pairs=(equal, *others))

    shown = [pairs.table(each) for each in (six_record, replace(six_record, comparison=planted))]

    assert [table.rows[0][1].endswith("at most 0.03") for table in shown] == [False, True]


# Optimism


@pytest.mark.parametrize(
    ("optimism", "said"),
    [
        (0.5, "+0.50 for the linear model (25 % of the error there)"),
        (-0.5, "-0.50 for the linear model (its searches looked worse than they were)"),
        (-0.001, "0.00 for the linear model and"),
    ],
    ids=["above", "below", "level"],
)
def test_optimism_is_this_studys_own(record, optimism, said):
    """Its sign and its share of the error on held-out images."""
    of_a = {"optimism": optimism / 100, "holdout": mean_of(2, 1, 3)}

    text = text_of(with_sides(record, of_a, {"optimism": 0.0}))

    assert said in text
    assert "0.00 for the MLP." in text


@pytest.mark.parametrize("why", ["", "study 'linear/splits': is not there"])
def test_before_a_confirmation_no_size_is_claimed(original, why):
    """Nor is it called little."""
    record = replace(collect(str(original)), unconfirmed=why)

    [said] = confirming.comparison(record, None).text

    nothing = "nothing was confirmed here on held-out images, which play no part in a search"
    assert said.startswith(f"Not known yet: {nothing}{why and ': '}{why}. ")
    assert "Optimism" not in said
    assert "flatters" not in said


# The verdict's section


def parts(record):
    """The verdict's section and its details."""
    return list(with_details([confirming.comparison(record, None)]))


def text_of(record):
    return " ".join(text for part in parts(record) for text in part.text)


def tables_of(record):
    return [table for part in parts(record) for table in part.tables]


def test_the_section_states_the_rule_and_the_power(record, six_record):
    """Of one pair by the interval, with its own sentence; of several by Holm's p, in a table."""
    one, several = text_of(record), text_of(six_record)
    power = record.comparison.pairs[0].verdict.power

    assert ("95 % interval" in one, "15 pairs" in one) == (True, False)
    assert "after Holm’s correction for 15 pairs, is below 0.05" in several
    assert power in one
    assert "80 % power" not in several
    found = {table.kind: len(table.rows) for table in tables_of(six_record)}
    assert (found["pairs"], found["power"]) == (15, 15)


def test_the_powers_table_has_each_pairs_own(six_record):
    """The smallest difference found, the margin, three probabilities, and the splits."""
    pair = six_record.comparison.pairs[3]
    p = pair.verdict.probabilities

    row = pairs.power(six_record).rows[3]

    assert row[1:3] == [
        f"{100 * pair.verdict.detectable:.2f} points",
        f"{100 * pair.verdict.margin:.2f} points",
    ]
    for shown, found in zip(row[3:6], (p.a_better, p.equivalent, p.b_better), strict=True):
        assert float(shown.split()[-1]) == pytest.approx(found, abs=0.0101)
    wins = (1 - pair.b_ahead_over_splits.probability) * 3
    assert row[6] == f"{wins:g} of 3 splits"


def test_the_margins_reason_is_given_for_the_default_one(record):
    """A person's own margin has a reason of their own."""
    own = with_verdict(record, stated_margin=Margin(0.0025, is_relative=False))

    assert general.WHY_RELATIVE in text_of(record)
    assert general.WHY_RELATIVE not in text_of(own)
    assert "here 0.25 percentage points." in text_of(own)


@pytest.mark.parametrize(
    ("changes", "said", "not_said"),
    [
        ({"n_splits": 3}, "3 of them were held out", "all of them"),
        ({"n_splits": 7}, "all of them were held out", "divided anew"),
        ({"n_splits": 14}, "divided anew after each round of 7", "once"),
        ({"n_splits": 14}, "So all 11,791 images were judged, each 2 times.", "at least"),
        ({"n_splits": 9}, "each at least 1 time.", "once"),
        ({"n_splits": 3}, "So 11,791 images were judged, each once.", "So all"),
        ({"folds": 0}, "7 times all images were split at random", "class by class"),
        ({"folds": 0}, "its best trial, at its best step, was judged", "simplest"),
        ({"items": "rows"}, "The rows were divided", "images"),
    ],
)
def test_the_design_is_the_one_that_was_used(changes, said, not_said):
    """Folds in part, in full or more than once; or random splits."""
    judged = Judged(16, 8571, 7, 11791, 7)

    text = judging._design(replace(judged, **changes))

    assert said in text
    assert not_said not in text


def test_overlap_is_corrected_for_in_random_splits_alone(record):
    """Folds do not overlap."""
    judged = replace(record.comparison.pairs[0].judged, folds=0)
    random = with_sides(record, {}, {}, judged=judged)

    assert "corrected for overlap" in text_of(random)
    assert "corrected for overlap" not in text_of(record)


@pytest.mark.parametrize(
    ("leader", "noun", "wins"),
    [("A", "the linear model", 1), ("B", "the MLP", 2), (None, "the MLP", 2)],
)
def test_the_leader_is_the_one_that_is_counted(record, leader, noun, wins):
    """Over splits and over fresh seeds; without a leader it is the second."""
    b_ahead = stats.probability_of_outperforming([1, 2, 3], [2, 3, 2])
    shown = with_sides(
        record,
        {},
        {},
        verdict=replace(record.comparison.pairs[0].verdict, leader=leader),
        b_ahead_over_splits=b_ahead,
        b_outperforms_a=b_ahead,
    )

    text = text_of(shown)

    assert f"{formats.capital(noun)} errs less in {wins} of 3 splits" in text
    assert f"In {wins} of 3, {noun} errs less." in text
    assert f"At the best step {noun} errs less on {wins} of 3 seeds" in text


def test_what_describes_is_named_a_description(record):
    """And nothing of the rule of three quarters is left."""
    section, judged, describing = parts(record)

    captions = [table.caption for table in (*judged.tables, *describing.tables)]
    assert [words.startswith("Described") for words in captions] == [False, True, True]
    assert describing.text[0].startswith("Described, not judged")
    assert "¾" not in text_of(record)
    assert [[c.name for c in part.charts] for part in (section, describing)] == [
        ["splits"],
        ["replicates"],
    ]


def test_equivalence_is_explained_where_it_is_found(record):
    """On the first screen, beside the word."""
    for within in (True, False):
        shown = with_verdict(record, within_margin=within)
        assert (general.EQUIVALENT in headline.caveats(shown)) is within


def test_a_better_model_within_the_margin_is_told_apart(six_record):
    """In the table of pairs."""
    for within in (True, False):
        pair = six_record.comparison.pairs[0]
        verdict = replace(pair.verdict, outcome="A better", leader="A", within_margin=within)
        said = pairs._verdict(six_record, replace(pair, verdict=verdict))
        assert said == "linear is better" + ", by less than the margin" * within


def test_mcnemars_test_is_explained_once(record, original):
    """Where it first appears: in the verdict's section, or without one at the mistakes."""
    plain = collect(str(original))
    sentence = general.MCNEMAR.format(items="images")

    assert sentence in text_of(record)
    assert sentence not in predicting.mistakes(record, None).text
    assert sentence in predicting.mistakes(plain, None).text


@pytest.mark.parametrize(
    ("word", "explained"),
    [
        ("held-out", "held-out images, which played no part in the search"),
        ("ptimism", "ptimism is by how much the lowest validation error"),
        ("fresh seed", "fresh seed: with initial weights and a batch order"),
        ("margin", "margin or more either way"),
        ("power", "power is how often a design finds a difference that is there"),
        ("replicate", "replicate trains a trial’s hyperparameters again"),
        ("McNemar", "McNemar’s test looks at"),
        ("mid-p", "mid-p is the probability of counts"),
    ],
)
def test_a_word_is_explained_where_it_first_appears(report, word, explained):
    """The page's first use of it is the sentence that says what it is."""
    html = re.sub("<svg.*?</svg>", "", (report / "index.html").read_text(), flags=re.DOTALL)
    text = Page(html).text.replace("Power is", "power is")

    assert text.index(word) == text.index(explained)


# The files


def test_the_summary_has_both_trials_and_what_was_judged(report, evidence):
    """Of each study and each side, and the verdict's power."""
    summary = json.loads((report / "summary.json").read_text())
    c = summary["comparison"]

    for model, half, side in zip(MODELS, (evidence.a, evidence.b), "ab", strict=True):
        found = summary["models"][model]
        simple = next(t for t in half.complete if t["number"] == found["simplest"]["trial"])
        assert found["simplest"]["parameters"] == simple["parameters"]
        assert found["simplest"]["val_errors"] == simple["val_errors"]
        assert c[side]["recommended_trial"] == simple["number"]
        parts = [wrong.astype(float) for wrong in half.simplest_wrong]
        assert c[side]["simplest_holdout"]["mean"] == oracle.held_out(parts, *half.sizes)[0]
        assert c[side]["simplicity"]["mean"] is not None
        counts = [t["val_errors"] for t in half.complete]
        assert found["optuna_best_trial"] == counts.index(min(counts))
    assert c["judged"]["n_splits"] == 3
    assert set(c["verdict"]["probabilities"]) == {"a_better", "equivalent", "b_better"}
    assert "80 % power" in c["power"]


def test_the_splits_table_has_the_simplest_trials(report, evidence):
    """Beside the best ones, with their hyperparameters."""
    frame = pd.read_csv(report / "tables" / "splits.csv")

    found = [s["simplest"] for half in (evidence.a, evidence.b) for s in half.splits]
    assert frame["simplest_holdout_errors"].tolist() == [s["holdout_errors"] for s in found]
    rates = [s["parameters"]["learning_rate"] for s in found]
    assert frame["simplest_learning_rate"].tolist() == pytest.approx(rates)


def test_the_chart_of_one_probability_is_gone(report):
    """And its table."""
    assert not list(report.glob("*/outperforming.*"))


def test_another_margin_is_read_from_the_same_storage(confirmed):
    """It changes the page, and nothing that was stored."""
    text = page_of(confirmed, margin=Margin(0.01, is_relative=False)).text

    assert "With a margin of 1.00 percentage points, the probability" in text
    assert "study.report --storage study.db --margin=1pp" in text
