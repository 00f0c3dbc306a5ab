"""``python -m study.confirm``: what it prints, and what it refuses in one line."""

import re
import shlex
from dataclasses import replace

import numpy as np
import optuna
import pytest

from study.confirm.comparison import Comparisons, compare
from study.confirm.loop import confirm as confirm_here
from study.confirm.loop import restart
from study.confirm.options import parser
from study.confirm.summary import lines
from study.errors import StudyError
from study.formats import p_value
from study.report import sections
from study.report.collect import collect
from study.report.content import with_details
from tests.helpers import sql
from tests.helpers.commands import assert_refused
from tests.helpers.plans import search
from tests.helpers.vouching import vouch

from . import oracle
from .helpers import OPTIONS, PAIR, here, plan, run, settings

CONFIRM = "study.confirm"


def percent(fraction):
    """A fraction as the package writes it."""
    return f"{100 * fraction:.2f} %"


def rows(stdout):
    """Label → the two cells of a row of the table."""
    lines = [line[2:] for line in stdout.splitlines() if line.startswith("  ")]
    return {
        line[:36].rstrip(): (line[37:65].strip(), line[66:].strip())
        for line in lines
        if re.match(r"\S.{35} \S", line)
    }


def test_the_command_prints_a_verdict_and_nothing_else(confirmed, comparison):
    """Status 0, the verdict's two sentences first, nothing on stderr where it is no terminal."""
    status, stdout, stderr = confirmed.result

    assert (status, stderr) == (0, "")
    assert stdout.splitlines()[:3] == [comparison.sentence, comparison.verdict.power, ""]


def test_the_sentence_has_the_recomputed_holdout_errors(confirmed, evidence):
    """Both errors, the lower first, their difference and its interval, in percent and points."""
    errors = {
        "the linear model": np.concatenate(evidence.a.holdout_wrong).mean(),
        "the MLP": np.concatenate(evidence.b.holdout_wrong).mean(),
    }
    (ahead, less), (behind, more) = sorted(errors.items(), key=lambda item: item[1])
    ends = oracle.ends(*oracle.held_out(evidence.differences, *evidence.a.sizes))
    lower, upper = ends if ahead == "the MLP" else (-ends[1], -ends[0])

    sentence = confirmed.result.stdout.splitlines()[0]

    assert f"{ahead} errs on {percent(less)} and {behind} on {percent(more)}, a" in sentence
    assert f"a difference of {100 * (more - less):.2f} percentage points" in sentence
    assert f"interval {100 * lower:.2f} to {100 * upper:.2f})." in sentence


def test_the_sentence_names_the_outcome(confirmed, comparison):
    """It begins with the headline, the verdict's outcome in words, with the models' names."""
    sentence = confirmed.result.stdout.splitlines()[0]

    assert sentence == comparison.verdict.sentence
    assert sentence.startswith(f"{comparison.verdict.headline}: ")
    assert comparison.verdict.outcome == "B better"
    assert sentence.startswith("The MLP is better: tuned with 4 trials on 8,571 training images")


@pytest.mark.parametrize("side", ["a", "b"])
def test_the_table_has_the_recomputed_numbers(confirmed, evidence, side):
    """Raw best, recommended trial, replicates, holdout and optimism of each study."""
    half = getattr(evidence, side)
    k, fresh = half.best["val_errors"], half.best_errors
    simple = oracle.recommended(half.complete, 1791)
    optimism = np.mean(
        [
            wrong.mean() - inner / split["n_val"]
            for wrong, inner, split in zip(
                half.holdout_wrong, half.inner_errors, half.splits, strict=True
            )
        ]
    )

    found = {label: row["ab".index(side)] for label, row in rows(confirmed.result.stdout).items()}

    assert found["best trial of the search"] == f"{percent(k / 1791)} ({k} of 1,791)"
    shown = found["simplest within one standard error"]
    assert shown == f"{simple['number']} ({simple['val_errors']} of 1,791)"
    spread = f"({np.mean(fresh):.1f}, SD {np.std(fresh, ddof=1):.1f})"
    assert found["best trial, 4 fresh seeds"] == f"{percent(np.mean(fresh) / 1791)} {spread}"
    for label, wrong in (
        ("held out, 3 searches of 4 trials", half.holdout_wrong),
        ("the same, simplest of each search", half.simplest_wrong),
    ):
        mean, se, df = oracle.held_out(wrong, *half.sizes)
        low, high = oracle.ends(mean, se, df)
        assert found[label] == f"{percent(mean)} ({percent(max(low, 0))} to {percent(high)})"
    assert found["optimism of such a search"] == f"{100 * optimism:+.2f} points"


def test_the_sign_of_the_optimism_is_shown(comparison):
    """A positive one means that a search looks better than it is."""
    found = replace(comparison, a=replace(comparison.a, optimism=0.0046))
    shown = lines(Comparisons((found.a, found.b), (found,)))

    assert rows("\n".join(shown))["optimism of such a search"][0] == "+0.46 points"


def test_a_confirmation_of_version_0_1_has_not_judged_the_simplest_trial(comparison):
    """It has no record of it, and the row says so."""
    found = replace(comparison, a=replace(comparison.a, simplest_holdout=None))
    shown = lines(Comparisons((found.a, found.b), (found,)))

    assert rows("\n".join(shown))["the same, simplest of each search"][0] == "not judged"


def test_the_last_line_describes_splits_seeds_and_the_two_best_trials(confirmed, evidence):
    """Who errs less in how many of the splits and seeds; b, c and mid-p of the raw best."""
    (b, c), told = evidence.raw_counts, confirmed.result.stdout.splitlines()[-1]
    shares = [
        np.mean([(y < x) + (x == y) / 2 for x, y in zip(*errors, strict=True)])
        for errors in (
            (evidence.a.holdout_errors, evidence.b.holdout_errors),
            (evidence.a.best_errors, evidence.b.best_errors),
        )
    ]

    assert told == (
        f"  described, not judged: mlp errs less in {shares[0]:.0%} of the splits and on "
        f"{shares[1]:.0%} of the fresh seeds (ties count half); of the two best trials, {b} "
        f"images only linear gets wrong, {c} only mlp (McNemar's mid-p = "
        f"{p_value(oracle.mid_p(b, c))})"
    )


def test_another_margin_changes_the_verdict_and_trains_nothing(again):
    """It is a choice of the reader; the storage keeps none."""
    before = sql.contents(again)

    told = here(CONFIRM, again, *OPTIONS, "--margin", "5pp").stdout.splitlines()

    assert "but by less than the margin: tuned" in told[0]
    assert told[0].endswith("; margin 5.00).")
    assert "With a margin of 5.00 percentage points, the" in told[1]
    assert sql.contents(again) == before


def test_the_report_has_the_command_that_confirms_again(confirmed):
    """As typed there, it asks for the confirmation that the storage has."""
    composed = with_details(sections.compose(collect(str(confirmed.path))))
    shown = [line for section in composed for line in section.commands]
    [line] = [line for line in shown if line.startswith("python -m study.confirm ")]
    again = parser().parse_args(shlex.split(line)[3:])

    assert (again.seeds, again.splits, again.folds, again.n_trials) == (4, 3, 7, 4)
    manifest = sql.manifest(confirmed.path, "linear/replicates")
    assert again.seed == manifest["seed"]
    assert again.finalists >= len(manifest["finalists"])


def test_the_searches_are_left_as_they_were(confirmed, searched):
    """A confirmation adds studies of its own, and changes no other."""
    before, after = sql.contents(searched), sql.contents(confirmed.path)

    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {n + s for n in PAIR for s in ("/replicates", "/splits")}


def test_optuna_alone_reads_what_was_stored(confirmed):
    """Replicates and splits are ordinary studies of finished trials."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{confirmed.path}")
    study = optuna.load_study(study_name="mlp/splits", storage=storage)
    trials = study.get_trials()
    storage.engine.dispose()

    assert [t.state.name for t in trials] == ["COMPLETE"] * 3
    held_out = [(t.user_attrs["holdout_errors"], t.user_attrs["n_holdout"]) for t in trials]
    assert [t.value for t in trials] == [errors / n for errors, n in held_out]
    assert {name for t in trials for name in t.params} == {"learning_rate", "hidden_units"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--n-trials", 5), ("n_trials 4 → 5", "--restart")),
        (("--n-trials", 4, "--seed", 1), ("seed 0 → 1", "--restart")),
        (("--n-trials", 4, "--folds", 5), ("folds 7 → 5", "--restart")),
        (("--n-trials", 4, "--finalists", 1), ("finalists", "--restart")),
    ],
    ids=["n-trials", "seed", "folds", "finalists"],
)
def test_other_settings_are_refused_by_name(again, options, words):
    """The line names the field, old → new, and the way out; nothing is changed."""
    before = sql.contents(again)

    result = here(CONFIRM, again, "--seeds", 4, "--splits", 3, *options)

    assert_refused(result, *words)
    assert sql.contents(again) == before


def test_a_real_process_refuses_too(confirmed):
    """The refusal is one line and status 2, with no traceback."""
    result = run(CONFIRM, confirmed.path, "--n-trials", 5)

    assert_refused(result, "n_trials 4 → 5", "--restart")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--seeds", 1), "2 or more"),
        (("--splits", 1), "2 or more"),
        (("--seeds", "x"), "'x' is not a whole number"),
        (("--finalists", 0), "1 or more"),
        (("--folds", 1), "2 or more"),
        (("--margin", "0.25"), "'0.25': must be percentage points such as 0.25pp"),
        (("--margin=-1%",), "'-1%': must be"),
        (("--margin", "101pp"), "'101pp': must be"),
        (("--linear", "mlp"), "named twice"),
        (("--linear", "none"), "'none'"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_impossible_options_are_refused(fresh, options, word):
    """One line that names the input; the storage is as before."""
    before = sql.contents(fresh)

    result = here(CONFIRM, fresh, *options)

    assert_refused(result, word)
    assert sql.contents(fresh) == before


def test_studies_of_other_training_are_refused(fresh):
    """A study of 60 steps is not compared with one of 300; nothing is stored for either."""
    longer = plan("mlp", protocol=plan("mlp").protocol.__class__(steps=60, val_every=20))
    search(fresh, "mlp-60", 2, longer)
    before = sql.contents(fresh)

    result = here(CONFIRM, fresh, "--mlp", "mlp-60")

    assert_refused(result, "'linear'", "'mlp-60'", "steps (300 against 60)")
    assert sql.contents(fresh) == before


def test_comparing_before_confirming_is_one_line(searched):
    """The error names the study that is missing."""
    with pytest.raises(StudyError) as refusal:
        compare(str(searched), PAIR)

    assert refusal.value.status == 2
    assert "linear/replicates" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_search_that_found_a_new_best_must_be_confirmed_anew(again):
    """Both the comparison and the command say --restart."""
    half = oracle.Half.of(again, "linear")
    finalists = {replicate["finalist"] for replicate in half.replicates}
    other = next(trial for trial in half.complete if trial["number"] not in finalists)
    sql.set_attribute(again, other["id"], "val_errors", 1)

    with pytest.raises(StudyError, match=f"trial {other['number']} is its best.*--restart"):
        compare(str(again), PAIR)
    assert_refused(here(CONFIRM, again, *OPTIONS), "finalists", "--restart")


def test_a_model_is_not_better_than_itself(fresh):
    """Two searches of the linear model under two names are never told apart."""
    confirm_here(settings(fresh, ("linear", "linear-2"), finalists=1))

    found = compare(str(fresh), ("linear", "linear-2"))

    assert found.verdict.outcome in ("not separated", "equivalent")
    assert "better" not in found.verdict.sentence


def test_swapping_the_models_mirrors_the_comparison(confirmed, comparison):
    """A − B becomes B − A, and the verdict's words are the same."""
    swapped = compare(str(confirmed.path), ("mlp", "linear"))

    assert swapped.difference.mean == -comparison.difference.mean
    assert swapped.difference.interval == comparison.difference.interval.mirrored()
    assert (swapped.raw_mcnemar.b, swapped.raw_mcnemar.c) == (
        comparison.raw_mcnemar.c,
        comparison.raw_mcnemar.b,
    )
    assert (swapped.a, swapped.b) == (comparison.b, comparison.a)
    assert (
        swapped.verdict.sentence.partition(":")[2]
        == (comparison.verdict.sentence.partition(":")[2])
    )


# What a comparison must refuse, or must not mix up


def test_a_search_that_was_done_anew_must_be_confirmed_anew(again):
    """Replicates of trials that are gone are not held against the new ones."""
    optuna.delete_study(study_name="linear", storage=f"sqlite:///{again}")
    search(again, "linear", 16, plan("linear", seed=3))

    with pytest.raises(StudyError, match="--restart"):
        compare(str(again), PAIR)


def test_confirmations_under_two_seeds_are_not_paired(again):
    """Splits and batches of different seeds have nothing in common."""
    other = settings(again, ("linear-2", "mlp"), seed=1, seeds=2, splits=2, finalists=1)
    restart(other)
    confirm_here(other)
    assert sql.manifest(again, "mlp/splits")["seed"] == 1

    with pytest.raises(StudyError, match="seed"):
        compare(str(again), PAIR)


def test_searches_of_two_sizes_are_not_compared(again):
    """A split's search of four trials is no match for one of three."""
    few = {"seeds": 2, "splits": 2, "n_trials": 3, "finalists": 1}
    other = settings(again, ("linear-2", "mlp"), **few)
    restart(other)
    confirm_here(other)

    with pytest.raises(StudyError, match=r"3.*--restart"):
        compare(str(again), PAIR)


def test_unequal_numbers_of_seeds_and_splits_are_cut_alike(again):
    """Both sides and their difference speak of the same seeds and splits."""
    last = sql.trials(again, "linear/splits")[-1]["id"]
    finalists = {r["finalist"] for r in sql.trials(again, "mlp/replicates")}
    seed = [r["id"] for r in sql.trials(again, "mlp/replicates")[-len(finalists) :]]
    for trial in (last, *seed):
        sql.query(again, "DELETE FROM trials WHERE trial_id = ?", trial)
    vouch(again)

    found = compare(str(again), PAIR)

    assert (found.judged.n_splits, found.n_seeds) == (2, 3)
    assert found.a.replicates_final.n == found.b.replicates_final.n == 3
    assert found.a.holdout.mean - found.b.holdout.mean == pytest.approx(found.difference.mean)


def test_a_refused_confirmation_leaves_nothing_behind(again):
    """The second study is not begun when the first one is refused."""
    before = sql.contents(again)

    result = here(CONFIRM, again, "--mlp", "linear-2", *OPTIONS, "--seed", 1)

    assert_refused(result, "seed 0 → 1")
    assert sql.contents(again) == before


def test_restart_drops_nothing_where_it_is_refused(again):
    """A study's name that is mistyped costs no results."""
    before = sql.contents(again)

    result = here(CONFIRM, again, "--mlp", "mpl", "--restart")

    assert_refused(result, "'mpl'")
    assert sql.contents(again) == before


def test_a_training_set_too_small_to_split_again_is_refused(tmp_path):
    """Where less than a batch would train beside a holdout, one line names --n-train's studies."""
    small = plan("linear").protocol.__class__(steps=40, val_every=20, n_train=110)
    path = tmp_path / "study.db"
    for name in ("one", "two"):
        search(path, name, 2, plan("linear", protocol=small))

    result = here(CONFIRM, path, "--linear", "one", "--mlp", "two", *OPTIONS)

    assert_refused(result, "n_train")
    assert set(sql.studies(path)) == {"one", "two"}


def test_other_data_is_refused(fresh, pair, monkeypatch):
    """A confirmation on images that the search never saw is no confirmation."""
    from study.confirm import repetitions

    foreign = pair.taking(np.arange(len(pair.raw))[::-1], pair.n_train)
    monkeypatch.setattr(repetitions, "load_pair", lambda *_: foreign)

    with pytest.raises(StudyError, match="SHA-256"):
        confirm_here(settings(fresh, seeds=2, splits=2))
