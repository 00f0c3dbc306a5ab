"""Three or more studies: confirmed together or one after the other, and compared in pairs."""

import json
import secrets
import shlex
import time
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from study.confirm.comparison import Comparisons, compare, compare_all
from study.confirm.loop import confirm
from study.confirm.options import names_of, parser
from study.confirm.plan import command_of
from study.confirm.summary import lines
from study.confirm.verdict import names_of as models_called
from study.errors import NotConfirmedError, StudyError
from study.stats import Interval
from study.storage.comparable import require_comparable
from tests.helpers import sql
from tests.helpers.commands import KILLED, PATIENCE_S, assert_refused, start
from tests.helpers.storages import copied
from tests.helpers.vouching import vouch

from . import oracle
from .helpers import OPTIONS, PAIR, arguments, here, run, settings
from .test_choosing import searched_as

CONFIRM = "study.confirm"
THREE = ("linear", "mlp", "mlp-wide")
PARTS = ("/replicates", "/splits")
LEAST = ("--seeds", 2, "--splits", 2, "--n-trials", 2, "--finalists", 1)
DATES = "SELECT study_name, datetime_start FROM trials JOIN studies USING (study_id)"


@pytest.fixture(scope="session")
def three(confirmed, once):
    """The two confirmed studies, to which the third was added by the command."""
    folder, result = once(
        "three confirmed",
        lambda folder: run(CONFIRM, copied(confirmed.path, folder), *THREE, *OPTIONS),
    )
    assert result.status == 0, result.stderr
    return folder / "study.db", result


@pytest.fixture(scope="session")
def comparisons(three):
    """What the package makes of it."""
    return compare_all(str(three[0]), THREE)


@pytest.fixture(scope="session")
def halves(three):
    """Each study's rows, from the SQLite file alone."""
    return [oracle.Half.of(three[0], name) for name in THREE]


# What is trained


def test_a_model_that_is_added_later_is_the_only_one_trained(three, confirmed):
    """The rows of the others stay as they are, dates included."""
    before, after = sql.contents(confirmed.path), sql.contents(three[0])

    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"mlp-wide" + part for part in PARTS}
    assert set(sql.query(confirmed.path, DATES)) <= set(sql.query(three[0], DATES))


def test_all_at_once_gives_the_same_table(fresh, three):
    """Every bit is that of one after the other."""
    assert confirm(settings(fresh, THREE)) == 21

    assert sql.contents(fresh) == sql.contents(three[0])


def test_all_models_share_splits_and_batches(halves):
    """Holdouts of a split have the same labels, and replicates of a seed the same batches."""
    for first, other in combinations(halves, 2):
        for split, its in zip(first.splits, other.splits, strict=True):
            assert split["holdout_labels"] == its["holdout_labels"]
        seeds = [[r["batch_seed"] for r in half.of_best] for half in (first, other)]
        assert seeds[0] == seeds[1]


@pytest.mark.faults
def test_a_command_that_was_killed_ends_as_if_it_had_not_been(searched, three, tmp_path):
    """SIGKILL at a random moment of three studies' confirmation, and again."""
    path, seed = copied(searched, tmp_path), secrets.randbelow(10**6)
    print(f"seed of the kill: {seed}")
    count = "SELECT count(*) FROM trials JOIN studies USING (study_id) WHERE study_name LIKE '%/%'"
    process = start(arguments(CONFIRM, path, *THREE, *OPTIONS), tmp_path)
    while process.poll() is None and sql.query(path, count)[0][0] <= seed % 9:
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == KILLED

    assert run(CONFIRM, path, *THREE, *OPTIONS) == three[1]
    assert sql.contents(path) == sql.contents(three[0])


def test_restart_drops_what_all_of_them_have(three, tmp_path):
    """Under another seed, the parts of all three are made anew, also with other settings."""
    path = copied(three[0], tmp_path)

    options = ("--restart", "--seed", 1, *LEAST)
    assert here(CONFIRM, path, *THREE, *options).status == 0

    for name in (name + part for name in THREE for part in PARTS):
        new, old = sql.trials(path, name), sql.trials(three[0], name)
        assert sql.manifest(path, name)["seed"] == 1
        assert not {t["weights_sha256"] for t in new} & {t["weights_sha256"] for t in old}
    assert {len(t["searched"]) for t in sql.trials(path, "mlp/splits")} == {2}


# What is computed


def test_each_pair_has_holms_p_and_bonferronis_interval(comparisons, halves):
    """Recomputed from the stored predictions, with SciPy's t and statsmodels' correction."""
    found = [
        oracle.held_out(oracle.Evidence(a, b).differences, *a.sizes)
        for a, b in combinations(halves, 2)
    ]
    p = [2 * stats.t.sf(abs(mean) / se, df) for mean, se, df in found]

    for pair, (mean, se, df), own, adjusted in zip(
        comparisons.pairs, found, p, multipletests(p, method="holm")[1], strict=True
    ):
        ends = oracle.ends(mean, se, df, 1 - 0.05 / 3)
        difference = pair.difference
        assert difference.mean == pytest.approx(mean)
        assert (difference.interval.lower, difference.interval.upper) == pytest.approx(ends)
        assert (difference.p, pair.p_adjusted) == pytest.approx((own, adjusted))
        assert pair.n_pairs == 3
        assert pair.verdict.separated == (adjusted < 0.05)


def test_the_pairs_come_in_the_order_of_the_names(comparisons):
    """Each with each later one; the sides stand as named."""
    assert [side.study for side in comparisons.sides] == list(THREE)
    assert [(p.a.study, p.b.study) for p in comparisons.pairs] == [*combinations(THREE, 2)]


def test_a_pair_differs_from_its_own_comparison_by_the_correction_alone(comparisons, three):
    """Same sides, replicates and tests; a wider interval around the same mean."""
    alone, pair = compare(str(three[0]), PAIR), comparisons.pairs[0]

    assert pair.difference.interval.lower < alone.difference.interval.lower
    assert pair.difference.mean == alone.difference.mean
    assert replace(pair, difference=alone.difference, verdict=alone.verdict, n_pairs=1) == alone


def test_two_models_of_one_kind_are_called_by_their_studies_names(comparisons):
    """The third by its kind."""
    assert comparisons.verdict.names == ("the linear model", "mlp", "mlp-wide")
    assert comparisons.pairs[2].verdict.names == ("mlp", "mlp-wide")


def test_of_two_models_all_reads_as_the_pair(confirmed, comparison):
    """Sentence, headline, JSON and the notebook's table are the same, to the byte."""
    found = compare_all(str(confirmed.path), PAIR)

    assert found.pairs == (comparison,)
    assert found.sentence == comparison.sentence
    assert found.headline == comparison.verdict.headline
    assert json.dumps(found.as_dict()) == json.dumps(comparison.as_dict())
    assert found._repr_html_() == comparison._repr_html_()
    assert comparison.p_adjusted == comparison.difference.p
    assert not {"p_adjusted", "n_pairs"} & set(comparison.as_dict())


def test_the_json_of_three_has_each_side_once_and_every_pair(comparisons):
    """Pairs name their studies, and have the corrected p and their own verdict."""
    found = json.loads(json.dumps(comparisons.as_dict()))

    assert [side["study"] for side in found["sides"]] == list(THREE)
    assert [(p["a"], p["b"]) for p in found["pairs"]] == [*combinations(THREE, 2)]
    assert [p["p_adjusted"] for p in found["pairs"]] == [p.p_adjusted for p in comparisons.pairs]
    assert found["pairs"][0]["verdict"]["outcome"] == comparisons.pairs[0].verdict.outcome
    assert (found["sentence"], found["n_pairs"]) == (comparisons.sentence, 3)
    assert (found["n_seeds"], found["judged"]["n_splits"]) == (4, 3)


def test_a_notebook_shows_a_row_for_each_study(comparisons):
    """Below the sentence about all of them."""
    shown = comparisons._repr_html_()

    assert comparisons.headline in shown
    assert [shown.count(f"<th>{name}</th>") for name in THREE] == [1, 1, 1]


def test_unequal_numbers_of_seeds_and_splits_are_cut_alike(three, tmp_path):
    """All pairs speak of the seeds and splits that all three have."""
    path = copied(three[0], tmp_path)
    last = sql.trials(path, "mlp-wide/splits")[-1]["id"]
    sql.query(path, "DELETE FROM trials WHERE trial_id = ?", last)
    vouch(path)

    found = compare_all(str(path), THREE)

    assert {pair.judged.n_splits for pair in found.pairs} == {2}
    assert {pair.judged.n_images for pair in found.pairs} == {2 * 1_684}
    assert {pair.b_ahead_over_splits.n_pairs for pair in found.pairs} == {2}


# What is printed


def test_the_command_prints_the_sentence_a_row_for_each_study_and_a_line_for_each_pair(
    three, comparisons
):
    """Each study's holdout error with its interval; each pair's difference; the correction."""
    told = three[1].stdout.splitlines()

    assert told == lines(comparisons)
    assert told[0] == comparisons.sentence
    for side in comparisons.sides:
        [row] = [line for line in told if line.startswith(f"  {side.study} ") and "%" in line]
        low, high = max(side.holdout.interval.lower, 0), side.holdout.interval.upper
        assert f"{100 * side.holdout.mean:.2f} %  " in row
        assert f"{100 * low:.2f} % to {100 * high:.2f} %" in row
        assert f"{100 * side.raw_best_errors / 1791:.2f} %" in row
    for pair in comparisons.pairs:
        own = [x for x in told if {pair.a.study, pair.b.study} <= set(x.split()) and " to " in x]
        assert any(f"  {100 * abs(pair.difference.mean):.2f}  " in line for line in own)
    assert any("Holm's correction for 3 pairs" in line for line in told)


def made(n, **changes):
    """A comparison of ``n`` studies, made from a real pair of two by changing its names."""
    pair = changes.pop("of")
    long = "a-long-name-{}"
    sides = [
        replace(side, study=long.format(k))
        for k, side in enumerate([pair.a, pair.b] * ((n + 1) // 2))
    ][:n]
    verdict = replace(pair.verdict, p_adjusted=1.2e-12, **changes)
    pairs = [
        replace(pair, a=a, b=b, verdict=verdict, n_pairs=n * (n - 1) // 2)
        for a, b in combinations(sides, 2)
    ]
    return Comparisons(tuple(sides), tuple(pairs))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "A better", "leader": "A"}, "{0} is better than {1}"),
        ({"outcome": "B better", "leader": "B"}, "{1} is better than {0}"),
        ({"outcome": "equivalent", "separated": False}, "is equivalent to"),
        ({"outcome": "not separated", "separated": False}, "is not separated from"),
    ],
)
def test_six_studies_fit_a_hundred_columns(comparison, changes, words):
    """Tables of a row a study and a line a pair, whatever was decided; the leader is first."""
    found = made(6, of=comparison, **changes)

    tables = [line for line in lines(found)[1:] if "Holm's correction separates" not in line]

    assert sum(words.format("a-long-name-0", "a-long-name-1") in line for line in tables) >= 1
    assert sum("1.2·10⁻¹²" in line for line in tables) == 15
    assert max(map(len, tables)) <= 100


def test_the_pairs_that_the_corrections_tell_apart_differently_are_told(comparison):
    """A line for each pair that Holm's p separates though the simultaneous interval contains 0."""
    level = replace(comparison.difference, interval=Interval(-0.001, 0.01))
    some = made(3, of=comparison, separated=True, outcome="B better", leader="B", difference=level)
    none = made(3, of=comparison, separated=False, outcome="not separated")

    told = [line for line in lines(some) if "Holm's correction separates" in line]

    assert told == [f"  {pair.verdict.disagreement}" for pair in some.pairs]
    assert not any("Holm's correction separates" in line for line in lines(none))


def kind(study, name, label):
    """A study of a kind of model, as far as its name in a sentence goes."""
    model = SimpleNamespace(name=name, label=label)
    return SimpleNamespace(name=study, plan=SimpleNamespace(model_definition=model))


def test_two_kinds_of_one_label_are_called_by_their_studies_names():
    """Or a sentence would say that the net is better than the net."""
    linear, one, two = kind("a", "l", "linear model"), kind("b", "x", "net"), kind("c", "y", "net")

    assert models_called([linear, one]) == ("the linear model", "the net")
    assert models_called([linear, one, two]) == ("a", "b", "c")


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("linear", "mlp", "--mlp", "mlp-wide"), ("--mlp", "twice")),
        (("linear",), ("'linear'", "two or more")),
        (("linear", "mlp", "linear"), ("'linear'", "named twice")),
        (("linear", "mlp", "none"), ("'none'",)),
    ],
    ids=["both-ways", "one", "a-name-twice", "unknown"],
)
def test_names_that_make_no_comparison_are_refused(fresh, options, words):
    """One line that names the input; nothing is stored."""
    before = sql.contents(fresh)

    assert_refused(here(CONFIRM, fresh, *options), *words)
    assert sql.contents(fresh) == before


def test_the_study_that_differs_is_named():
    """The third against the first, and in what."""
    studies = [searched_as("one"), searched_as("two", "mlp"), searched_as("three", steps=400)]

    with pytest.raises(StudyError, match=r"'one' and 'three': .*steps \(300 against 400\)"):
        require_comparable(*studies)


def test_the_advised_command_cures_as_typed(again):
    """Where a study of three is not confirmed, the message has the command that made ``three``."""
    with pytest.raises(NotConfirmedError, match="mlp-wide/replicates") as refusal:
        compare_all(str(again), THREE)

    advice = shlex.split(str(refusal.value).split("`")[1])
    args = parser().parse_args(advice[3:])
    assert (args.storage, names_of(args)) == (str(again), THREE)
    assert advice[1:] == arguments(CONFIRM, again, *THREE)[1:]


@pytest.mark.parametrize("names", [("-a", "b c"), ("a", "-b", "c d"), ("--mlp", "x", "y")])
def test_the_advised_command_names_the_studies_whatever_they_are_called(names):
    """Names with dashes and spaces come back from the shell and the parser as they were."""
    line = shlex.split(command_of("study.db", names, "--restart"))

    args = parser().parse_args(line[3:])

    assert (names_of(args), args.restart) == (names, True)


def test_two_names_are_the_two_options(again, confirmed):
    """``study.confirm linear mlp`` says what ``--linear linear --mlp mlp`` says."""
    assert here(CONFIRM, again, *PAIR, *OPTIONS) == confirmed.result


def test_other_settings_for_one_of_three_are_refused(three, tmp_path):
    """The line names the study that was confirmed otherwise."""
    path = copied(three[0], tmp_path)
    other = ("--linear", "linear-2", "--mlp", "mlp-wide", "--restart")
    assert here(CONFIRM, path, *other, *LEAST).status == 0

    with pytest.raises(NotConfirmedError, match=r"'linear' and 'mlp-wide'.*n_trials 4 and 2"):
        compare_all(str(path), THREE)
