"""The trainer against the plain loop, against itself, and against hand-made histories."""

import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from study.errors import StudyError
from study.training.batches import draw_batches
from study.training.history import History
from study.training.images import images_of, pick_device
from study.training.models import SimpleLinear, SimpleMLP
from study.training.plain import train_plainly
from study.training.protocol import Protocol
from study.training.trainer import train

# Two float32 trainings that sum in another order part by about 1e-7 of a weight a step. Over 200
# steps at learning rates of 0.1 and less, losses were measured to part by 6e-6 at the most.
ROUNDING = 1e-4
N_VAL = 1_791


@pytest.fixture(autouse=True)
def threads():
    """One thread for the plain loops; torch's number is given back after the test."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch.set_num_threads
    torch.set_num_threads(before)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def linears(count=4):
    return [SimpleLinear(generator=seeded(k)) for k in range(count)]


def mlps(*hidden):
    return [SimpleMLP(h, generator=seeded(k)) for k, h in enumerate(hidden)]


class Deep(nn.Module):
    """An architecture that no closed form is for, 784-32-16-1, with a buffer of its own."""

    def __init__(self, seed):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(784, 32), nn.Tanh(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1)
        )
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=seeded(seed))
        self.register_buffer("gain", torch.tensor(1.0 + seed / 4))

    def forward(self, x):
        return self.layers(x) * self.gain


COHORT = {
    "linear": (linears, [1e-4, 0.01, 0.1, 0.05]),
    "mlp": (lambda: mlps(50, 50, 50), [0.001, 0.03, 0.1]),
    "mixed": (lambda: mlps(16, 128, 33, 50), [0.1, 0.02, 0.005, 0.05]),
    "deep": (lambda: [Deep(k) for k in range(3)], [0.001, 0.01, 0.05]),
}
every_kind = pytest.mark.parametrize("kind", COHORT)


def cohort(kind):
    make, rates = COHORT[kind]
    return make(), rates


def part(images, which):
    rows = slice(images.n_train) if which == "train" else slice(images.n_train, None)
    return images.plain[rows], images.labels[rows]


def assert_same_course(history, plain):
    """A history shows the plain loop's figures at every validation.

    Where rounding may decide, at logits near 0, the counts may differ.
    """
    assert history.steps.tolist() == [shown.step for shown in plain]
    for losses, errors, answers, atol in (
        (history.train_losses, history.train_errors, [shown.batch for shown in plain], 1e-6),
        (history.val_losses, history.val_errors, [shown.validation for shown in plain], 0),
    ):
        near = [int((a.logits.abs() < 1e-3).sum()) for a in answers]
        expected = [a.loss for a in answers]
        np.testing.assert_allclose(losses, expected, rtol=ROUNDING, atol=atol)
        assert (np.abs(errors - [a.errors for a in answers]) <= near).all()


def assert_alike(one, other):
    """Two histories of one member are the same within rounding, weights included."""
    np.testing.assert_array_equal(one.steps, other.steps)
    np.testing.assert_allclose(one.train_losses, other.train_losses, rtol=ROUNDING, atol=1e-6)
    np.testing.assert_allclose(one.val_losses, other.val_losses, rtol=ROUNDING)
    assert np.abs(one.val_errors - other.val_errors).max() <= 1
    assert np.abs(one.train_errors - other.train_errors).max() <= 1
    assert one.pruned == other.pruned
    if one.best == other.best:
        for name, weights in one.weights.items():
            np.testing.assert_allclose(weights, other.weights[name], rtol=1e-3, atol=1e-4)


def bits(histories):
    """Everything in the histories, as bytes."""
    return [
        [
            value.tobytes()
            for value in [*vars(h).values(), *h.weights.values()]
            if isinstance(value, np.ndarray)
        ]
        for h in histories
    ]


# --- against the plain loop -----------------------------------------------------------------


@every_kind
def test_a_cohort_shows_what_the_plain_loop_shows(kind, images, short):
    """Each member has the losses and errors of its own plain training, at every validation."""
    members, rates = cohort(kind)
    plain = deepcopy(members)

    histories = train(members, rates, images, short, seed=0)

    for model, rate, history in zip(plain, rates, histories, strict=True):
        assert_same_course(history, train_plainly(model, rate, images, short, seed=0))


def test_the_notebooks_settings_give_the_notebooks_figures_for_the_linear_model(images):
    """About 5.2 % at a learning rate of 1e-4, about 2.5 % at 0.1 (medians of three)."""
    rates = [1e-4] * 3 + [0.1] * 3

    histories = train(linears(6), rates, images, Protocol(), seed=0)

    errors = [history.val_error for history in histories]
    assert np.median(errors[:3]) == pytest.approx(0.052, abs=0.002)
    assert np.median(errors[3:]) == pytest.approx(0.026, abs=0.002)


def test_the_notebooks_settings_give_the_notebooks_figure_for_the_mlp(images):
    """About 1.3 % with 50 hidden units at a learning rate of 0.1."""
    [history] = train(mlps(50), [0.1], images, Protocol(), seed=0)

    assert history.val_error == pytest.approx(0.0135, abs=0.002)


# --- one trainer, any width -----------------------------------------------------------------


@every_kind
def test_a_cohort_is_its_members_trained_alone(kind, images, short):
    """K together and K cohorts of one agree, member by member."""
    together = train(*cohort(kind), images, short, seed=3)

    for k, rate in enumerate(cohort(kind)[1]):
        [alone] = train([cohort(kind)[0][k]], [rate], images, short, seed=3)
        assert_alike(together[k], alone)


@every_kind
def test_the_same_training_gives_the_same_bits(kind, images, short):
    """Twice, or in another thread: not a bit of a history differs."""

    def run():
        return bits(train(*cohort(kind), images, short, seed=1))

    once = run()

    with ThreadPoolExecutor(1) as pool:
        assert run() == pool.submit(run).result() == once


@pytest.mark.parametrize("before", [1, 2, 3])
def test_training_takes_one_thread_and_gives_back_what_there_was(before, threads, images, short):
    """The bits depend on no thread setting, and the setting survives."""
    threads(before)
    inside = []
    protocol = replace(short, steps=60)

    histories = train(
        *cohort("mixed"),
        images,
        protocol,
        seed=1,
        progress=lambda _: inside.append(torch.get_num_threads()),
    )

    assert set(inside) == {1}
    assert torch.get_num_threads() == before
    threads(1)
    assert bits(histories) == bits(train(*cohort("mixed"), images, protocol, seed=1))


def test_training_that_fails_gives_the_threads_back(threads, images, short):
    """An error in a callback leaves torch as it was."""
    threads(2)

    def fail(_):
        raise KeyError

    with pytest.raises(KeyError):
        train(linears(1), [0.1], images, short, seed=0, progress=fail)

    assert torch.get_num_threads() == 2


def test_of_overlapping_trainings_the_last_to_leave_restores_the_threads(threads, images, short):
    """Who is still inside stays on one thread; afterwards a new thread has the old setting."""
    threads(2)
    inside, leave, seen = threading.Event(), threading.Event(), []

    def hold(_):
        inside.set()
        assert leave.wait(60)
        seen.append(torch.get_num_threads())

    def join_in(_):
        other.start()
        assert inside.wait(60)

    def run(progress):
        train(linears(1), [0.1], images, replace(short, steps=1), seed=0, progress=progress)

    other = threading.Thread(target=run, args=(hold,))
    run(join_in)
    leave.set()
    other.join()

    with ThreadPoolExecutor(1) as pool:
        assert (seen, pool.submit(torch.get_num_threads).result()) == ([1], 2)


def test_training_leaves_the_global_random_states_alone(images, short):
    """Batches come from the seed; nothing is drawn from torch's or NumPy's generator."""
    members, rates = cohort("deep")
    before = torch.get_rng_state(), np.random.get_state()[1].copy()

    train(members, rates, images, replace(short, val_every=50), seed=8)

    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


# --- batches --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batches():
    return draw_batches(Protocol(), seed=0).numpy()


def test_a_batch_repeats_no_image_and_takes_training_images_alone(batches):
    """100 different numbers from 0 to 9,999 in each of 5,000 rows."""
    assert batches.shape == (5_000, 100)
    assert batches.min() == 0
    assert batches.max() == 9_999
    assert (np.diff(np.sort(batches, 1), axis=1) > 0).all()


def test_every_step_draws_afresh_and_every_image_equally_often(batches):
    """Draws an image are binomial, mean 50: a shuffle an epoch would give variance 0."""
    drawn = np.bincount(batches.ravel(), minlength=10_000)

    assert drawn.min() > 0
    assert drawn.var() / (50 * 0.99) == pytest.approx(1, abs=6 * (2 / 10_000) ** 0.5)


def test_batches_depend_on_the_seed_and_on_nothing_else(short):
    """The same seed gives the same batches, a shorter training the first of them."""
    first = draw_batches(short, seed=5)
    again = draw_batches(replace(short, steps=120, val_every=7), seed=5)

    assert torch.equal(first[:120], again)
    assert not torch.equal(first, draw_batches(short, seed=6))


@given(
    n_train=st.integers(1, 300),
    steps=st.integers(1, 5),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**40),
)
def test_batches_of_any_size_are_subsets(n_train, steps, share, seed):
    """From one image to all of them, without repeats."""
    size = max(1, round(n_train * share))
    protocol = Protocol(n_train=n_train, steps=steps, batch_size=size)

    drawn = draw_batches(protocol, seed=seed).numpy()

    assert drawn.shape == (steps, size)
    assert all(len(set(row)) == size and set(row) <= set(range(n_train)) for row in drawn)


def test_the_trainers_batches_are_the_seeds(images, short):
    """Another seed trains on other images; both models see those of the seed."""
    [one] = train(linears(1), [0.1], images, short, seed=0)
    [other] = train(linears(1), [0.1], images, short, seed=1)

    assert not np.array_equal(one.train_losses, other.train_losses)


# --- what a history says --------------------------------------------------------------------


def history(errors, *, losses=None, train_losses=None, n_val=100):
    """A history with these validations, the other fields plausible."""
    count = len(errors)
    losses = np.full(count, 0.5) if losses is None else losses
    train_losses = np.full(count, 0.5) if train_losses is None else train_losses
    return History(
        steps=np.arange(count) * 10,
        train_losses=np.asarray(train_losses, np.float32),
        train_errors=np.zeros(count, int),
        val_losses=np.asarray(losses, np.float32),
        val_errors=np.asarray(errors),
        batch_size=100,
        n_val=n_val,
        constant_errors=49,
        predictions=np.zeros(n_val, bool),
        final_predictions=np.zeros(n_val, bool),
        weights={},
        pruned=False,
    )


def test_the_best_step_has_the_fewest_errors():
    """Whatever its loss."""
    found = history([9, 3, 7], losses=[0.1, 0.9, 0.2])

    assert (found.step, found.val_error, found.final_error) == (10, 0.03, 0.07)
    assert found.val_loss == pytest.approx(0.9)


def test_equal_errors_are_decided_by_loss_and_equal_losses_by_time():
    """The lower loss at that step wins, then the earlier step."""
    assert history([5, 3, 3, 3, 3], losses=[0, 0.4, 0.2, 0.2, 0.3]).step == 20


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.1, 0.2, np.nan])), min_size=1),
)
def test_the_best_step_is_the_least_by_errors_loss_and_time(validations):
    """A loss that is not a number loses every tie."""
    errors, losses = zip(*validations, strict=True)
    keys = [(e, np.inf if np.isnan(v) else v, i) for i, (e, v) in enumerate(validations)]

    found = history(errors, losses=losses)

    assert found.best == min(keys)[2]


@pytest.mark.parametrize(
    ("target", "step"), [(0.09, 0), (0.05, 10), (0.049, 30), (0.02, 30), (0.019, None)]
)
def test_the_first_step_at_a_target_is_at_or_under_it(target, step):
    """The first such step, and none where the target was missed."""
    assert history([9, 5, 7, 2, 2]).first_step_at(target) == step


def test_a_target_that_is_a_count_of_images_is_met_by_that_count():
    """k/n as a float counts as at the target, for every k of the 1,791 images."""
    for k in range(1, N_VAL):
        assert history([k + 1, k], n_val=N_VAL).first_step_at(k / N_VAL) == 10


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["losses", "train_losses"])
def test_training_diverged_at_the_first_loss_that_is_not_finite(which, bad):
    """Training or validation loss, whichever is first."""
    found = history([1, 1, 1, 1], **{which: [0.1, 0.1, bad, bad]})

    assert found.diverged_at == 20
    assert found.diverged


@pytest.mark.parametrize(("last", "diverged"), [(48, False), (49, True), (51, True)])
def test_an_end_no_better_than_a_constant_answer_is_diverged(last, diverged):
    """49 of 100 is what answering always the more frequent class gets wrong."""
    found = history([3, last])

    assert found.diverged is diverged
    assert found.diverged_at is None


# --- what real training leaves --------------------------------------------------------------


def replay(history, model, images):
    """A plain model with a history's weights: logits, and where they are surely not 0."""
    model.load_state_dict({n: torch.from_numpy(w) for n, w in history.weights.items()})
    with torch.no_grad():
        logits = model(part(images, "validate")[0])[:, 0]
    return logits, (logits.abs() > 1e-6 * logits.abs().max()).numpy()


@every_kind
def test_the_weights_reproduce_predictions_errors_and_loss(kind, images, short):
    """A plain model with a history's weights answers what the history says it answered."""
    histories = train(*cohort(kind), images, short, seed=2)
    labels = part(images, "validate")[1][:, 0]

    for found, model in zip(histories, cohort(kind)[0], strict=True):
        logits, sure = replay(found, model, images)
        loss = F.binary_cross_entropy_with_logits(logits, labels).item()
        assert sure.sum() >= N_VAL - 2
        np.testing.assert_array_equal((logits > 0).numpy()[sure], found.predictions[sure])
        assert (found.predictions != labels.bool().numpy()).sum() == found.val_errors[found.best]
        assert loss == pytest.approx(found.val_loss, rel=1e-5)
        wrong = found.final_predictions != labels.bool().numpy()
        assert wrong.sum() / N_VAL == found.final_error


def test_the_members_are_given_their_best_weights(images, short):
    """The modules that went in come out trained, as their histories say."""
    members, rates = cohort("mixed")

    histories = train(members, rates, images, short, seed=2)

    for member, found in zip(members, histories, strict=True):
        for name, tensor in member.state_dict().items():
            np.testing.assert_array_equal(tensor.numpy(), found.weights[name])


def test_a_history_keeps_its_weights_when_its_member_trains_on(images, short):
    """What a training showed does not change under later ones."""
    members = linears(1)
    [found] = train(members, [0.1], images, short, seed=0)
    before = found.weights["linear.weight"].copy()

    train(members, [0.1], images, short, seed=1)

    np.testing.assert_array_equal(found.weights["linear.weight"], before)


def test_figures_are_of_the_images_of_the_pair(images, short):
    """Counts state what they are counts of, and steps where the validations were."""
    [found] = train(linears(1), [0.1], images, short, seed=0)

    ones = int(part(images, "validate")[1].sum())
    assert (found.batch_size, found.n_val) == (100, N_VAL)
    assert found.constant_errors == min(ones, N_VAL - ones) == 881
    assert found.steps.tolist() == list(range(0, 200, 20))
    assert not found.pruned


@pytest.mark.parametrize("flipped", [0, 1], ids=["more fours", "more nines"])
def test_another_split_has_its_own_constant_answer(flipped, pair, short):
    """The better constant's errors are counted on the validation images, whichever it is."""
    other = replace(pair, n_train=11_000, labels=pair.labels ^ flipped)
    protocol = replace(short, n_train=11_000, steps=1)

    [found] = train(linears(1), [0.1], images_of(other, torch.device("cpu")), protocol, seed=0)

    ones = int(pair.labels[11_000:].sum())
    assert ones != 791 - ones
    assert (found.n_val, found.constant_errors) == (791, min(ones, 791 - ones))


@pytest.mark.parametrize("steps", [1, 20, 21, 45])
def test_validation_follows_the_update_at_every_multiple(steps, images, short):
    """Steps 0, val_every, … as far as the training goes, the last step only if it is one."""
    protocol = replace(short, steps=steps)
    model, plain = linears(1), linears(1)[0]

    [found] = train(model, [0.1], images, protocol, seed=0)

    assert found.steps.tolist() == list(range(0, steps, 20))
    assert_same_course(found, train_plainly(plain, 0.1, images, protocol, seed=0))


def test_losses_that_overflow_are_recorded_as_divergence(images, short):
    """A learning rate near float32's end: infinite or NaN losses, no error."""
    [linear] = train(linears(1), [3e38], images, short, seed=0)
    [mlp] = train(mlps(16), [1e30], images, short, seed=0)

    for found in (linear, mlp):
        assert found.diverged
        assert found.diverged_at in (0, 20)
        labels = part(images, "validate")[1][:, 0].bool().numpy()
        assert (found.predictions != labels).sum() == found.val_errors[found.best]


def test_a_huge_linear_learning_rate_is_no_divergence_while_losses_are_finite(images, short):
    """At 1e30 the losses are about 1e30 and finite, and the errors better than a constant's."""
    [found] = train(linears(1), [1e30], images, short, seed=0)

    assert found.val_losses.min() > 1e25
    assert found.diverged_at is None
    assert found.diverged is bool(found.final_error >= 881 / N_VAL)


def test_an_mlp_whose_units_died_is_diverged_with_finite_losses(images, short):
    """At learning rates of 2 and 5 almost every image gets the same answer in the end."""
    histories = train(mlps(16, 16), [2.0, 5.0], images, short, seed=0)

    for found in histories:
        assert found.diverged_at is None
        assert found.diverged
        assert min(found.final_predictions.sum(), (~found.final_predictions).sum()) < 5


def test_a_member_that_diverges_leaves_the_others_as_they_are(images, short):
    """The neighbours of an overflow train as if alone."""
    histories = train(mlps(16, 24), [1e30, 0.1], images, short, seed=0)

    [alone] = train(mlps(16, 24)[1:], [0.1], images, short, seed=0)
    assert histories[0].diverged_at is not None
    assert_alike(histories[1], alone)


# --- pruning and progress -------------------------------------------------------------------


class Stopper:
    """A prune callback that follows a timetable, and remembers what it was told."""

    def __init__(self, timetable):
        self.timetable = timetable
        self.told = []

    def __call__(self, step, places, errors):
        self.told.append((step, places.tolist(), errors.tolist()))
        return self.timetable.get(step, [])


@every_kind
def test_who_stops_leaves_the_others_as_if_it_had_never_been_there(kind, images, short):
    """The survivors of two prunings end as a cohort of their own; the others end early."""
    members, rates = cohort(kind)
    staying = [k for k in range(len(members)) if k not in (0, 1)]
    stopper = Stopper({40: [1], 100: [0]})

    pruned = train(members, rates, images, short, seed=4, rungs=(40, 100), prune=stopper)

    alone = [cohort(kind)[0][k] for k in staying]
    expected = train(alone, [rates[k] for k in staying], images, short, seed=4)
    for k, other in zip(staying, expected, strict=True):
        assert_alike(pruned[k], other)
    whole = train(*cohort(kind), images, short, seed=4)
    for k, rows in ((1, 3), (0, 6)):
        assert pruned[k].pruned
        assert pruned[k].steps.tolist() == list(short.validation_steps[:rows])
        np.testing.assert_allclose(pruned[k].val_losses, whole[k].val_losses[:rows], rtol=ROUNDING)


@every_kind
def test_who_stops_leaves_with_its_own_best_weights(kind, images, short):
    """A pruned member's weights reproduce its predictions too."""
    members, rates = cohort(kind)
    stopper = Stopper({60: [2], 80: [0]})

    histories = train(members, rates, images, short, seed=4, rungs=(60, 80), prune=stopper)

    for found, model in zip(histories, cohort(kind)[0], strict=True):
        logits, sure = replay(found, model, images)
        np.testing.assert_array_equal((logits > 0).numpy()[sure], found.predictions[sure])


def test_pruning_is_asked_at_the_rungs_about_those_in_training(images, short):
    """It sees the members' places and their last validation errors, as fractions."""
    stopper = Stopper({40: [1], 100: [0, 3]})

    histories = train(
        *cohort("linear"), images, short, seed=4, rungs=(40, 100, 160), prune=stopper
    )

    steps, places, errors = zip(*stopper.told, strict=True)
    assert steps == (40, 100, 160)
    assert places == ([0, 1, 2, 3], [0, 2, 3], [2])
    for step, who, shown in stopper.told:
        assert shown == [histories[k].val_errors[step // 20] / N_VAL for k in who]
    assert [h.pruned for h in histories] == [True, True, False, True]
    assert len(errors) == 3


def test_training_ends_when_everyone_was_stopped(images, short):
    """No step is taken for nobody."""
    validations = []
    stopper = Stopper({20: [0], 60: [1, 2, 3]})

    histories = train(
        *cohort("linear"),
        images,
        short,
        seed=0,
        rungs=short.validation_steps,
        prune=stopper,
        progress=validations.append,
    )

    assert [len(h.steps) for h in histories] == [2, 4, 4, 4]
    assert all(h.pruned for h in histories)
    assert len(validations) == 4


def test_stopping_at_the_last_validation_is_no_pruning(images, short):
    """Whoever was measured to the end had the whole budget."""
    stopper = Stopper({180: [0, 1]})

    histories = train(linears(2), [0.1, 0.01], images, short, seed=0, rungs=(180,), prune=stopper)

    assert [h.pruned for h in histories] == [False, False]


@pytest.mark.parametrize("steps", [1, 45, 200])
def test_progress_adds_up_to_the_trials(steps, images, short):
    """K members are K trials' worth of work, told at every validation."""
    told = []
    protocol = replace(short, steps=steps)

    train(linears(3), [0.1] * 3, images, protocol, seed=0, progress=told.append)

    assert len(told) == len(protocol.validation_steps)
    assert sum(told) == pytest.approx(3)


def test_progress_counts_those_in_training_alone(images, short):
    """After half the members left, a validation is half the work."""
    told = []

    train(
        *cohort("linear"),
        images,
        short,
        seed=0,
        rungs=(80,),
        prune=Stopper({80: [0, 1]}),
        progress=told.append,
    )

    assert told == pytest.approx([4 / 10] * 5 + [2 / 10] * 5)


# --- devices --------------------------------------------------------------------------------


def test_the_cpu_is_always_there():
    """It may be named, and auto takes it where there is no CUDA."""
    assert pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("there", [True, False])
def test_auto_is_cuda_where_there_is_one(there, monkeypatch):
    """And the CPU otherwise, even beside MPS."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    assert pick_device("auto").type == ("cuda" if there else "cpu")
    assert pick_device("mps").type == "mps"


@pytest.mark.parametrize("name", ["cuda", "mps", "tpu", ""])
def test_a_device_that_is_not_there_is_refused_by_name(name, monkeypatch):
    """One line says which, and what would do."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    with pytest.raises(StudyError) as caught:
        pick_device(name)

    expected = f"--device {name}: not on this machine: use auto or one of cpu"
    assert str(caught.value) == expected
