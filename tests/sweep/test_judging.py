"""Which differences are clear: a paired test on stored predictions, Holm over all rows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from study import stats
from study.stats import Interval, PairedCounts, newcombe
from study.sweep.differences import Difference, of_trials, paired_counts
from study.sweep.frame import frame, frame_of_pairs
from study.sweep.page import to_html
from study.sweep.sentences import answer, apart, basis, winner
from study.training import registry

from .helpers import content, judge, own, row, trial


@pytest.fixture(autouse=True)
def deep(monkeypatch):
    """A third model."""
    model = registry.Model("deep", "deep", "study.training.models:SimpleMLP")
    monkeypatch.setitem(registry.MODELS, "deep", model)


@pytest.mark.parametrize("seed", range(5))
def test_the_paired_counts_need_no_labels(seed):
    """They are those of the mistakes, which the labels tell."""
    random = np.random.default_rng(seed)
    labels, a, b = random.random((3, 500)) < np.array([[0.5], [0.1], [0.2]])
    trials = [trial(int(wrong.sum()), 500, labels, wrong) for wrong in (a, b)]

    assert paired_counts(*trials) == stats.paired_counts(a, b)


def test_the_p_is_mcnemars_and_the_interval_newcombes():
    """The mid-p is statsmodels' exact p less the chance of this very result."""
    trials = {"linear": trial(12, 300), "mlp": trial(3, 300, wrong=np.arange(300) > 296)}
    [found] = of_trials(trials)
    exact = mcnemar([[0, 12], [3, 285]], exact=True).pvalue
    counts = PairedCounts(0, 12, 3, 285)

    assert found.p == pytest.approx(exact - binom.pmf(3, 15, 0.5))
    assert (found.mean, found.interval) == (0.03, newcombe(counts))


def test_holms_correction_is_over_all_counted_rows():
    """A row with a note neither counts nor is judged; the p values are statsmodels'."""
    rows = [row(0, k, (errors, 0)) for k, errors in enumerate((4, 6, 8, 9), 1)]
    rows.append(row(2, 3, (50, 0), note="steps 40, not 5000"))
    p = [each.differences[0].p for each in rows[:4]]

    *counted, noted = [each.differences[0].p_adjusted for each in judge(*rows)]

    assert counted == pytest.approx(multipletests(p, method="holm")[1])
    assert noted is None


def test_confirmed_rows_are_corrected_apart():
    """Their p values are of another test."""
    rows = [row(0, 1, (6, 0)), row(0, 2, (6, 0)), confirmed(row(0, 3))]

    adjusted = [each.differences[0].p_adjusted for each in judge(*rows)]

    assert adjusted == pytest.approx([2 * 0.5**6, 2 * 0.5**6, 0.01])  # twice the mid-p of 0 and 6


def confirmed(found, mean=0.03, p=0.01, **changes):
    """The row with a confirmation's difference: the MLP errs less by 3 points."""
    gap = Difference("linear", "mlp", mean, Interval(mean - 0.01, mean + 0.01), p)
    held_out = {"linear": 0.05, "mlp": 0.05 - mean}
    return replace(found, held_out=held_out, differences=[gap], **changes)


@pytest.mark.parametrize(
    ("errors", "kind", "gap"),
    [
        ((50, 20), "mlp", 0.03),
        ((20, 50), "linear", 0.03),
        ((7, 9), "no clear difference", 0.002),
        ((3, 3), "no clear difference", 0),
    ],
)
def test_the_fewest_errors_alone_do_not_win(errors, kind, gap):
    """A small difference on the same images is no clear one, and a tie is none."""
    [found] = judge(row(errors=errors, n_val=1000))

    assert (found.kind, found.winner or "no clear difference") == (kind, kind)
    assert found.gap == pytest.approx(gap)


def test_what_one_row_shows_many_may_not():
    """Six discordant images are enough for one pair, and too few for ten."""
    pairs = [row(0, k, (6, 0)) for k in range(1, 10)]

    assert judge(pairs[0])[0].kind == "mlp"
    assert {each.kind for each in judge(*pairs)} == {"no clear difference"}


def test_the_confirmation_decides_where_there_is_one():
    """Whatever the best trials of the searches say."""
    [won] = judge(confirmed(row(0, 1, errors=(4, 40))))
    [level] = judge(confirmed(row(0, 1, errors=(40, 4)), p=0.2))

    assert (won.kind, won.gap) == ("mlp", 0.03)
    assert level.kind == "no clear difference"


@pytest.mark.parametrize(
    ("errors", "kind", "level", "said"),
    [
        ((29, 4, 26), "mlp", ["mlp"], "MLP"),
        ((29, 4, 6), "no clear winner", ["mlp", "deep"], "no clear winner: MLP and deep"),
        ((29, 29, 30), "no clear winner", ["linear", "mlp", "deep"], "no clear winner"),
    ],
)
def test_the_winner_of_three_models_is_clearly_better_than_each(errors, kind, level, said):
    """Those that do not err clearly more than the leader are level with it."""
    [found] = judge(own("a", errors))

    assert (found.kind, found.level, winner(found)) == (kind, level, said)


def test_the_gap_of_three_models_is_to_the_one_told_apart_least():
    """And positive: the other's error less the leader's."""
    [found] = judge(own("a", (29, 26, 4)))

    closest = found.closest
    assert (closest.more, closest.less, found.gap) == ("mlp", "deep", 0.22)
    assert closest.interval.lower < 0.22 < closest.interval.upper


def test_the_sentence_counts_clear_differences():
    """And names the pair that the models differ most on among them."""
    found = content(row(0, 1, (25, 4)), row(2, 3, (19, 4)), row(4, 5, (3, 2)))

    assert answer(found) == (
        "At its best, the MLP errs clearly less on 2 of 3 pairs, the linear model on none; 1 "
        "shows no clear difference; they differ most on 0 against 1, by 21.00 percentage points."
    )
    assert apart(found) == ""


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            [(5, 4), (4, 5)],
            "At its best, neither model errs clearly less on any of 2 pairs; 2 show no clear "
            "difference.",
        ),
        (
            [(25, 4), (4, 25)],
            "At its best, the linear model errs clearly less on 1 of 2 pairs, the MLP on 1; none "
            "show no clear difference; they differ most on 0 against 0, by 21.00 percentage "
            "points.",
        ),
    ],
)
def test_the_sentence_on_two_models(errors, said):
    """Where none wins, and where all are won."""
    rows = [row(0, k, each) for k, each in enumerate(errors)]

    assert answer(content(*rows)) == said


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            [(29, 4, 26), (29, 4, 25), (1, 24, 26)],
            "At its best, the MLP errs clearly less than every other on 2 of 3 data sets, the "
            "linear model on 1, no other on any; none show no clear winner; the best leads most "
            "on 2.csv, by 23.00 percentage points.",
        ),
        (
            [(4, 4, 6)],
            "At its best, no model errs clearly less than every other on any of 1 data set; 1 "
            "shows no clear winner.",
        ),
    ],
)
def test_the_sentence_on_three_models_names_those_that_won(errors, said):
    """Those that won most first."""
    rows = [own(f"{k}.csv", each) for k, each in enumerate(errors)]

    models = ("linear", "mlp", "deep")
    assert answer(content(*rows, models=models, only_pairs=False)) == said


def test_a_pair_with_a_note_is_not_counted():
    """However large its gap; and how many such there are is said."""
    found = [row(0, 1, (15, 4)), row(2, 3, (99, 4), note="steps 9, not 5000")]

    assert "the MLP errs clearly less on 1 of 1 pair, the" in answer(content(*found))
    assert apart(content(*found)).startswith("1 pair is shown and not counted: ")
    assert answer(content(found[1])) == "No pair has been searched to its end yet."


def test_the_page_says_what_clearly_rests_on():
    """The best trials, the confirmation, or both, with the number of tests of each."""
    pairs, sure = [row(0, 1), row(0, 2)], confirmed(row(0, 3))

    [trials] = basis(content(*pairs))
    assert trials.startswith(
        "“Clearly” means that p is below 0.05 after Holm’s correction, which allows for all 2 "
        "tests. It is the p of McNemar’s test, which "
    )
    [confirmation] = basis(content(sure))
    assert confirmation == (
        "“Clearly” means that p is below 0.05. It is the p of the confirmation’s difference, on "
        "images that played no part in tuning."
    )
    heads = [text.partition(" means")[0] for text in basis(content(*pairs, sure))]
    assert heads == ["“Clearly” on 2 pairs", "“Clearly” on 1 pair"]


def test_a_verdict_that_is_not_corrected_is_called_so():
    """Where several rows are confirmed, its own p is smaller than Holm's."""
    sure = [confirmed(row(0, k)) for k in (1, 2)]

    assert basis(content(*sure))[0].endswith(" A verdict in the table is about its pair alone.")


def test_confirmed_models_are_tuned_not_at_their_best():
    """The sentence says which of the two is compared."""
    assert answer(content(confirmed(row()))).startswith("Once tuned, the MLP errs clearly less on")


def test_the_table_has_class_p_and_interval_of_each_row():
    """In the direction of the first model's error less the second's, with what they rest on."""
    rows = judge(row(0, 1, (4, 40)), row(0, 2, (3, 2)), confirmed(row(0, 3)))
    found = frame_of_pairs(rows)

    assert [*found["class"]] == ["linear", "no clear difference", "mlp"]
    assert [*found["evidence"]] == ["validation", "validation", "confirmation"]
    assert [*found["gap_points"]] == [-36, 1, 3]
    counts = (4, 0, 36, 60), (2, 1, 0, 97)
    ends = [newcombe(PairedCounts(*each)) for each in counts] + [Interval(0.02, 0.04)]
    assert [*found["lower_points"]] == pytest.approx([100 * each.lower for each in ends])
    assert [*found["upper_points"]] == pytest.approx([100 * each.upper for each in ends])
    p = [0.5**36, 0.5, 0.01]  # the mid-p of 0 and 36, of 1 and 0, and the confirmation's
    assert [*found["p"]] == pytest.approx(p)
    assert [*found["p_adjusted"]] == pytest.approx([2 * p[0], *p[1:]])


def test_the_table_of_three_models_says_against_which_one():
    """The leader's lead over it."""
    found = frame(judge(own("a", (29, 26, 4), classes=(0, 1))))

    columns = ["class", "leader", "against", "gap_points"]
    assert found[columns].to_numpy().tolist() == [["deep", "deep", "mlp", 22]]


def test_the_matrix_has_a_class_of_its_own_for_no_clear_difference(tmp_path):
    """And says so in words too, as of a row that is not counted."""
    found = [row(0, 1, (3, 4)), row(0, 2, (3, 30)), row(0, 3, note="steps 9, not 5000")]
    page = to_html(tmp_path, content(*found))

    assert page.count('<td class="unclear"><span title="0 against 1: ') == 2
    assert page.count(">not clear 1.00</span>") == 2
    assert page.count(">linear 27.00</span>") == 2
    assert page.count(">not counted 1.00</span>") == 2
