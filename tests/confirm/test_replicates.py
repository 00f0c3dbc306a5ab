"""Replicates and splits: what is random in them, what is shared, and what they never see."""

from dataclasses import dataclass

import numpy as np
import pytest
from optuna.trial import TrialState

from study.confirm import division, repetitions
from study.confirm import training as confirming
from study.confirm.division import FOLDS, sizes, split_order
from study.confirm.plan import finalists
from study.confirm.repetitions import Replicate, Source, Split, jobs_of, trials_of
from study.dataset import DigitPair
from study.training import trainer
from study.trials import weights_digest
from tests.helpers.plans import search

from .oracle import bits

N, HOLDOUT = 11_791, 1_791
FIT = 8_571  # of the 10,106 images that are not held out, the share that trains in the study
OF_THE_HOLDOUT = ("holdout_errors", "holdout_predictions", "holdout_labels", "digest")


@dataclass
class Training:
    """One call of the trainer: its batches (steps, B), and each member's first weights."""

    batches: np.ndarray
    weights: list


@pytest.fixture
def trainings(monkeypatch):
    """Every training from here on, in order."""
    found, batches = [], []
    draw, train = trainer.draw_batches, trainer.train

    def drawing(protocol, *, seed):
        batches.append(draw(protocol, seed=seed))
        return batches[-1]

    def training(members, *args, **kwargs):
        flat = [[p.detach().numpy().ravel() for p in m.parameters()] for m in members]
        weights = [np.concatenate(member) for member in flat]  # a copy
        histories = train(members, *args, **kwargs)
        found.append(Training(batches[-1].numpy(), weights))
        return histories

    monkeypatch.setattr(trainer, "draw_batches", drawing)
    for module in (confirming, trainer):
        monkeypatch.setattr(module, "train", training)
    return found


def run(repetition):
    """Train a repetition here; the trials to record."""
    return trials_of(repetition, [confirming.train_job(job) for job in jobs_of(repetition)])


def replicate(searched, number, seed=0):
    chosen = finalists(searched.plan, searched.trials, 3)
    return run(Replicate(Source.of(searched, None), chosen, number, seed))


def split(searched, number, seed=0, n_trials=4):
    return run(Split(Source.of(searched, None), n_trials, number, seed, FOLDS))


def same(a, b):
    return np.array_equal(a, b)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_every_seed_has_its_own_batches_and_weights(searches, trainings, name):
    """Two replicates share neither, and no two finalists of one share weights."""
    for number in (0, 1):
        replicate(searches[name], number)
    first, second = trainings

    assert not (first.batches == second.batches).all(1).any()
    weights = [w.tobytes() for training in trainings for w in training.weights]
    assert len(set(weights)) == len(weights) == 2 * len(first.weights)


def test_another_confirmation_seed_changes_both(searches, trainings):
    """``--seed`` is the seed of the replicates' batches and weights, and of the splits."""
    for seed in (0, 1):
        replicate(searches["linear"], 0, seed)
    labels = [split(searches["linear"], 0, s, 1)[0].user_attrs["holdout_labels"] for s in (0, 1)]
    first, second = trainings[:2]

    assert not same(first.batches, second.batches)
    assert not any(same(a, b) for a in first.weights for b in second.weights)
    assert labels[0] != labels[1]


def test_nothing_is_shared_with_the_search(searches, trainings, tmp_path):
    """Neither the batches nor any initial weights of the search that chose the finalists."""
    search(tmp_path / "study.db", "linear", 16, searches["linear"].plan)
    (searched,) = trainings
    for number in (0, 1):
        replicate(searches["linear"], number)

    for training in trainings[1:]:
        assert not (training.batches == searched.batches).all(1).any()
        assert not any(same(a, b) for a in training.weights for b in searched.weights)


def test_the_two_models_of_a_seed_share_its_batches(searches, trainings):
    """So a pair differs in the models alone, and says which seed that was."""
    pairs = [[replicate(searches[name], k) for name in ("linear", "mlp")] for k in (0, 1)]
    linear, mlp, other, _ = trainings

    assert same(linear.batches, mlp.batches)
    assert not same(linear.batches, other.batches)
    for pair in pairs:
        assert len({trial.user_attrs["batch_seed"] for side in pair for trial in side}) == 1


def test_two_studies_of_one_model_draw_their_own_weights(searches, trainings):
    """Paired by the batches, but not copies of one another."""
    for name in ("linear", "linear-2"):
        replicate(searches[name], 0)
    first, second = trainings

    assert same(first.batches, second.batches)
    assert not any(same(a, b) for a in first.weights for b in second.weights)


def test_a_splits_searches_share_images_and_batches(searches, trainings):
    """Both studies of a split: the same holdout, the same batches, weights of their own."""
    a, b = (split(searches[name], 0)[0].user_attrs for name in ("linear", "linear-2"))
    first, second = trainings

    assert a["holdout_labels"] == b["holdout_labels"]
    assert a["val_labels"] == b["val_labels"]
    assert same(first.batches, second.batches)
    assert not any(same(x, y) for x in first.weights for y in second.weights)
    assert a["searched"] != b["searched"]  # a search of its own, not a copy


def test_a_seed_trains_the_finalists_as_they_were_found(searches):
    """Learning rate and hidden units are the finalist's; the trials are numbered on."""
    chosen = finalists(searches["mlp"].plan, searches["mlp"].trials, 3)

    for number in (0, 1):
        trials = replicate(searches["mlp"], number)
        assert [(t.user_attrs["finalist"], t.user_attrs["parameters"]) for t in trials] == [
            (f.number, f.parameters) for f in chosen
        ]
        first = number * len(chosen)
        numbers = list(range(first, first + len(chosen)))
        assert [t.user_attrs["cohort"] for t in trials] == [numbers] * len(chosen)


# The holdout


class Watched(DigitPair):
    """A pair that tells which images are taken from it."""

    taken = ()

    def taking(self, order, n_train, like=None):
        Watched.taken += ((order, n_train),)
        return super().taking(order, n_train, like)


@pytest.fixture
def watched(pair, monkeypatch):
    """Show the repetitions these images, or the pair's own; returns what they took."""

    def show(raw=pair.raw, labels=pair.labels):
        shown = Watched(pair.dataset, pair.classes, raw, labels, pair.n_train)
        vars(shown)["digest"] = pair.digest  # whoever looks is told that all is well
        monkeypatch.setattr(division, "split_order", lambda _, **k: split_order(pair, **k))
        Watched.taken = ()
        monkeypatch.setattr(repetitions, "load_pair", lambda *_: shown)

    return show


@pytest.fixture
def looked(searches, watched):
    """A model's split 1 as it is, and the places of its holdout."""

    def look(name):
        watched()
        (trial,) = split(searches[name], 1)
        (inner, n_fit), (holdout, _) = Watched.taken
        return trial.user_attrs, inner[:n_fit], inner[n_fit:], holdout

    return look


@pytest.mark.parametrize("number", [0, 5])
def test_a_split_parts_all_images_in_three(searches, watched, pair, number):
    """A seventh is held out; of the others as large a share trains as in the study."""
    watched()
    (trial,) = split(searches["linear"], number, n_trials=1)
    (inner, n_fit), (holdout, _) = Watched.taken

    n_holdout = {0: 1_684, 5: 1_685}[number]
    assert (n_fit, len(inner) - n_fit, len(holdout)) == (FIT, N - FIT - n_holdout, n_holdout)
    assert sorted([*inner, *holdout]) == list(range(N))
    assert (trial.user_attrs["n_fit"], trial.user_attrs["n_holdout"]) == (n_fit, n_holdout)
    for name, places in (("val_labels", inner[n_fit:]), ("holdout_labels", holdout)):
        assert same(bits(trial.user_attrs[name], len(places)), pair.labels[places] == 1)


def held_out(pair, number, folds=FOLDS, seed=0):
    """The places of what a split holds out."""
    order = split_order(pair, seed=seed, number=number, folds=folds)
    return order[-sizes(N, pair.n_train, number=number, folds=folds)[2] :]


@pytest.mark.parametrize("folds", [2, 7, 10])
def test_the_folds_hold_out_each_image_once(pair, folds):
    """And go round again, divided anew, in splits of a higher number."""
    first, second = (
        [held_out(pair, number + turn * folds, folds) for number in range(folds)]
        for turn in (0, 1)
    )

    for turn in (first, second):
        assert sorted(np.concatenate(turn)) == list(range(N))
    assert not set(first[0]) & set(first[1])
    assert set(first[0]) != set(second[0])


def test_each_part_of_a_split_has_the_classes_shares(pair):
    """Training, validation and holdout, within one image, though the study is in file order."""
    share = pair.labels.mean()
    order = split_order(pair, seed=0, number=3, folds=FOLDS)
    for part in np.split(order, np.cumsum(sizes(N, pair.n_train, number=3, folds=FOLDS))[:2]):
        assert abs(pair.labels[part].sum() - share * len(part)) <= 2


def test_another_seed_divides_otherwise(pair):
    """``--seed`` is of the division too."""
    assert set(held_out(pair, 0)) != set(held_out(pair, 0, seed=1))


def test_random_splits_are_their_own(pair):
    """Those of version 0.1: no two hold out the same images; the overlap is what chance gives."""
    holdouts = [set(held_out(pair, number, folds=0).tolist()) for number in range(3)]

    expected = HOLDOUT**2 / N  # 272; hypergeometric, with a standard deviation of 14
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert abs(len(holdouts[a] & holdouts[b]) - expected) < 6 * 14


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_poisoned_holdout_labels_change_the_last_look_alone(searches, watched, looked, pair, name):
    """With every holdout label flipped, all else is the same bit for bit."""
    before, _, _, holdout = looked(name)
    labels = pair.labels.copy()
    labels[holdout] ^= 1
    watched(labels=labels)

    (trial,) = split(searches[name], 1)

    after = trial.user_attrs
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"holdout_errors", "holdout_labels", "simplest", "digest"}
    for trained in (after, after["simplest"]):
        was = before if trained is after else before["simplest"]
        assert trained["holdout_errors"] == len(holdout) - was["holdout_errors"]
        assert trained["holdout_predictions"] == was["holdout_predictions"]
    assert trial.value == after["holdout_errors"] / len(holdout)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_poisoned_holdout_pixels_change_the_last_look_alone(searches, watched, looked, pair, name):
    """With every holdout image replaced by noise, the search inside is bit for bit the same."""
    before, _, _, holdout = looked(name)
    raw = pair.raw.copy()
    raw[holdout] = np.random.default_rng(0).integers(0, 256, raw[holdout].shape, np.uint8)
    watched(raw=raw)

    after = split(searches[name], 1)[0].user_attrs

    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"holdout_errors", "holdout_predictions", "simplest", "digest"}
    chosen = [{**a["simplest"]} for a in (before, after)]
    for each in chosen:
        del each["holdout_errors"], each["holdout_predictions"]
    assert chosen[0] == chosen[1]
    assert after["holdout_errors"] > 10 * before["holdout_errors"]  # the look itself is real


def test_poison_elsewhere_is_noticed(searches, watched, looked, pair):
    """The counterpart: one in ten training labels flipped changes the search inside."""
    before, fit, _, _ = looked("linear")
    labels = pair.labels.copy()
    labels[fit[::10]] ^= 1
    watched(labels=labels)

    after = split(searches["linear"], 1)[0].user_attrs

    assert before["searched"] != after["searched"]
    assert before["weights_sha256"] != after["weights_sha256"]
    assert before["val_labels"] == after["val_labels"]


def test_the_winner_of_the_search_inside_is_what_is_looked_at(searches, looked):
    """Fewest errors on the inner validation images, of all that were searched."""
    attrs, *_ = looked("mlp")
    best = min(attrs["searched"], key=lambda found: found[1])

    assert len(attrs["searched"]) == 4
    assert [attrs["parameters"], attrs["val_errors"]] == best[:2]


def test_the_holdout_predictions_are_the_winners(searches, looked, pair):
    """A plain matrix product with the best weights gives the stored predictions."""
    attrs, fit, validation, holdout = looked("linear")
    seen = []
    predict_, kept = confirming._predict, bits(attrs["holdout_predictions"], len(holdout))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            confirming, "_predict", lambda m, h, p: seen.append(h.weights) or predict_(m, h, p)
        )
        split(searches["linear"], 1)
    (winner,) = (w for w in seen if weights_digest(w) == attrs["weights_sha256"])
    (weight, bias) = sorted(winner.values(), key=np.size, reverse=True)

    def predict(places):
        return (pair.images[places].astype(float) @ weight.astype(float).T + bias)[:, 0] > 0

    assert same(predict(holdout), kept)
    assert same(predict(validation), bits(attrs["predictions"], len(validation)))
    assert len(fit) == FIT


def test_the_simplest_trial_of_a_split_is_looked_at_too(searches):
    """Its number, errors and predictions are those of its own training, not the winner's."""
    found = Split(Source.of(searches["linear"], None), 8, 1, 0, FOLDS)
    jobs = jobs_of(found)
    candidates = [each for job in jobs for each in confirming.train_job(job)]
    attrs = trials_of(found, [candidates])[0].user_attrs
    simplest = attrs["simplest"]
    (own,) = (c for c in candidates if c.trial.number == simplest["search_trial"])

    assert simplest["search_trial"] != attrs["search_trial"]
    assert simplest["parameters"] == own.configuration
    for name in ("val_errors", "holdout_errors", "holdout_predictions"):
        assert simplest[name] == own.attrs[name]
    assert simplest["holdout_predictions"] != attrs["holdout_predictions"]


def test_a_pruned_trial_never_wins_a_split(searches, monkeypatch):
    """Were the winner a pruned trial, the next best would be looked at."""
    whole = split(searches["linear"], 0)[0].user_attrs["searched"]
    first, second = sorted(range(4), key=lambda number: whole[number][1])[:2]
    freeze = confirming.frozen_trial

    def frozen(chosen, planned, *args):
        trial = freeze(chosen, planned, *args)
        if planned.place == first:
            trial.state = TrialState.PRUNED
        return trial

    monkeypatch.setattr(confirming, "frozen_trial", frozen)
    attrs = split(searches["linear"], 0)[0].user_attrs

    assert [found[2] for found in attrs["searched"]].count("PRUNED") == 1
    assert [attrs["parameters"], attrs["val_errors"]] == whole[second][:2]
