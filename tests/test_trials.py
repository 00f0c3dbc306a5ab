"""A trial as it is stored: JSON that gives back what training showed, to the bit."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from study.training.models import SimpleMLP
from study.training.protocol import Protocol, report_steps
from study.training.trainer import train
from study.trials import (
    StoredTrial,
    attributes,
    best_of,
    digest,
    pack,
    rank,
    reported,
    unpack,
    weights_digest,
)
from tests.helpers.plans import configuration_of

RATE, HIDDEN, TARGET = 0.03, 12, 0.05
DISTRIBUTIONS = {
    "learning_rate": FloatDistribution(1e-5, 1, log=True),
    "hidden_units": IntDistribution(8, 128, log=True),
}


@pytest.fixture(scope="module")
def history(images, short):
    """A real training."""
    model = SimpleMLP(HIDDEN, generator=torch.Generator().manual_seed(0))
    return train([model], [RATE], images, short, seed=0)[0]


def diverged(history):
    """The same training, as if losses had stopped being finite at its third validation."""
    losses = history.val_losses.copy()
    losses[2], losses[3:] = np.inf, np.nan
    return replace(history, val_losses=losses)


def stored_attributes(history, target=TARGET):
    """The attributes as a storage returns them: through strict JSON."""
    attrs = attributes(
        history,
        configuration_of(RATE, HIDDEN),
        77,
        target,
        cohort_numbers=[4, 6, 7],
        first_of_generation=4,
    )
    return json.loads(json.dumps(attrs, allow_nan=False))


def frozen(attrs, *, number=6, state=TrialState.COMPLETE, value=0.5):
    trial = create_trial(
        state=state,
        value=value,
        params={"learning_rate": RATE, "hidden_units": HIDDEN},
        distributions=DISTRIBUTIONS,
        user_attrs=attrs,
    )
    trial.number = number
    return trial


@pytest.fixture(scope="module")
def stored(history):
    return StoredTrial.of(frozen(stored_attributes(history)))


# --- there and back -------------------------------------------------------------------------


def test_a_trial_read_back_is_the_training_that_was_stored(history, stored):
    """Every outcome field survives JSON unchanged."""
    assert (stored.number, stored.state, stored.outcome) == (6, "COMPLETE", "finished")
    assert stored.parameters == {"learning_rate": RATE, "hidden_units": HIDDEN}
    assert (stored.val_error, stored.final_error) == (history.val_error, history.final_error)
    assert (stored.val_errors, stored.n_val) == (history.val_errors.min(), 1_791)
    assert (stored.step, stored.val_loss) == (history.step, pytest.approx(history.val_loss))
    assert stored.first_step_at_target == history.first_step_at(TARGET) is not None
    assert stored.diverged_at is None
    np.testing.assert_array_equal(stored.predictions, history.predictions)
    assert stored.weights_sha256 == weights_digest(history.weights)


@pytest.mark.parametrize("change", [lambda h: h, diverged], ids=["finite", "diverged"])
def test_curves_come_back_to_the_last_bit(history, change):
    """Nine digits give the same float32; what is not finite becomes NaN."""
    shown = change(history)

    curve = StoredTrial.of(frozen(stored_attributes(shown))).curve

    losses = np.where(np.isfinite(shown.val_losses), shown.val_losses, np.nan)
    np.testing.assert_array_equal(curve["val_loss"].astype(np.float32), losses)
    np.testing.assert_array_equal(curve["train_loss"].astype(np.float32), shown.train_losses)
    np.testing.assert_array_equal(curve["val_errors"], shown.val_errors)
    np.testing.assert_array_equal(curve["train_errors"], shown.train_errors)
    np.testing.assert_array_equal(curve["step"], shown.steps)


@given(npst.arrays(np.float32, 10, elements=st.floats(width=32, min_value=0)))
def test_any_float32_loss_survives(history, losses):
    """From the least denormal to the greatest float32, NaN and infinity as NaN."""
    shown = replace(history, val_losses=losses, train_losses=losses[::-1].copy())

    found = StoredTrial.of(frozen(stored_attributes(shown)))

    expected = np.where(np.isfinite(losses), losses, np.nan)
    np.testing.assert_array_equal(found.curve["val_loss"].astype(np.float32), expected)
    np.testing.assert_array_equal(found.curve["train_loss"].astype(np.float32), expected[::-1])
    np.testing.assert_array_equal(np.float32(found.val_loss), expected[shown.best])


def test_a_diverged_trial_says_so_and_where(history):
    """The outcome is diverged, with the first such step, and no loss where there is none."""
    attrs = stored_attributes(diverged(history))

    assert (attrs["outcome"], attrs["diverged_at"], attrs["final_loss"]) == ("diverged", 40, None)


@pytest.mark.parametrize(
    ("pruned", "errors", "outcome"),
    [
        (False, 100, "finished"),
        (True, 100, "pruned"),
        (False, 881, "diverged"),
    ],
)
def test_the_outcome_tells_finished_pruned_and_diverged_apart(history, pruned, errors, outcome):
    """An end no better than a constant answer is divergence."""
    shown = replace(history, pruned=pruned, val_errors=np.full(10, errors))

    assert stored_attributes(shown)["outcome"] == outcome


def test_a_loss_that_is_not_finite_outweighs_pruning(history):
    """Who was stopped after diverging has diverged."""
    assert stored_attributes(replace(diverged(history), pruned=True))["outcome"] == "diverged"


def test_attributes_name_seed_cohort_and_generation(history):
    """What is needed to train the same bits again is stored."""
    attrs = stored_attributes(history)

    assert (attrs["seed"], attrs["cohort"], attrs["generation"]) == (77, [4, 6, 7], 4)
    assert attrs["final_loss"] == pytest.approx(float(history.val_losses[-1]), rel=1e-8)


@pytest.mark.parametrize("target", [0.0, 0.05, 1.0])
def test_the_first_step_at_the_target_is_for_the_studys_target(history, target):
    """Another target, another step."""
    attrs = stored_attributes(history, target=target)

    assert attrs["first_step_at_target"] == history.first_step_at(target)


def test_a_missing_attribute_is_a_key_error(history):
    """Whichever is missing, the error is the one that the docstring promises."""
    attrs = stored_attributes(history)
    unread = {"digest", "seed", "cohort", "generation", "final_loss"}

    for name in attrs.keys() - unread:
        trial = frozen({n: v for n, v in attrs.items() if n != name})
        with pytest.raises(KeyError, match=name):
            StoredTrial.of(trial)


# --- predictions and digests ----------------------------------------------------------------


@given(npst.arrays(bool, st.integers(0, 2_000)))
def test_packed_bits_come_back(bits):
    """For every length, also those that don't fill a byte."""
    assert (unpack(pack(bits), len(bits)) == bits).all()


def test_the_first_image_is_the_highest_bit():
    """1000 0001 0100 0000 is 0x81 0x40: others can read it by this rule."""
    bits = np.zeros(10, bool)
    bits[[0, 7, 9]] = True

    assert base64.b64decode(pack(bits)) == b"\x81\x40"


def changed(value):
    """Something else of the same type."""
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if isinstance(value, list):
        return [changed(value[0]), *value[1:]]
    return {n: changed(v) if n == max(value) else v for n, v in value.items()}


def test_the_digest_changes_with_every_attribute_and_with_the_value(history):
    """Nothing in a stored trial can change unseen."""
    attrs = stored_attributes(history)
    value = history.val_error

    assert digest(attrs, value) == attrs["digest"]
    assert digest(attrs, value + 1 / 1_791) != attrs["digest"]
    for name in attrs.keys() - {"digest"}:
        assert digest(attrs | {name: changed(attrs[name])}, value) != attrs["digest"], name


def test_the_digest_changes_with_every_curve(history):
    """A single figure of any curve counts."""
    attrs = stored_attributes(history)

    for name, values in attrs["curve"].items():
        curve = attrs["curve"] | {name: [*values[:-1], values[-1] + 1]}
        assert digest(attrs | {"curve": curve}, history.val_error) != attrs["digest"], name


def test_the_digest_does_not_depend_on_the_order_of_attributes(history):
    """A storage may return them in any order."""
    attrs = stored_attributes(history)

    assert digest(dict(reversed(attrs.items())), history.val_error) == attrs["digest"]


def test_the_weights_digest_is_of_names_shapes_and_bytes(history):
    """A name, a shape or one bit of a weight: each changes it; memory layout does not."""
    weights = dict(history.weights)
    known = weights_digest(weights)
    first = weights["hidden.weight"]
    flipped = first.copy()
    flipped.view(np.uint32)[0, 0] ^= 1

    others = [
        weights | {"hidden.weight": flipped},
        weights | {"hidden.weight": first.reshape(784, HIDDEN)},
        {name.replace("hidden", "other"): w for name, w in weights.items()},
    ]

    assert known not in map(weights_digest, others)
    assert weights_digest(weights | {"hidden.weight": np.asfortranarray(first)}) == known
    assert weights_digest(dict(reversed(weights.items()))) == known


# --- what dashboards draw -------------------------------------------------------------------


def test_the_notebooks_protocol_reports_these_steps():
    """Rows 100^(i/9), rounded, of its hundred validations."""
    expected = (0, 50, 100, 200, 350, 600, 1050, 1750, 2950, 4950)

    assert report_steps(Protocol()) == expected


@given(steps=st.integers(1, 20_000), every=st.integers(1, 500), count=st.integers(2, 15))
def test_reported_steps_are_validated_ones_the_first_and_last_included(steps, every, count):
    """Ascending, without repeats, no more than asked for."""
    protocol = Protocol(steps=steps, val_every=every)

    found = report_steps(protocol, count)

    assert set(found) <= set(protocol.validation_steps)
    assert list(found) == sorted(set(found))
    assert (found[0], found[-1]) == (0, protocol.validation_steps[-1])
    assert len(found) <= count


def test_reported_values_are_the_curves_errors_as_fractions(history, short):
    """At the reported steps, as far as the trial came."""
    early = replace(history, steps=history.steps[:4], val_errors=history.val_errors[:4])

    for shown in (history, early):
        curve = dict(zip(shown.steps.tolist(), shown.val_errors / 1_791, strict=True))
        expected = {step: curve[step] for step in report_steps(short) if step in curve}
        assert reported(shown, short) == expected


# --- the best -------------------------------------------------------------------------------


def test_the_best_trial_has_the_fewest_errors_then_the_lowest_loss_then_the_lowest_number(stored):
    """A loss that is not a number loses every tie."""
    keys = [(9, 0.1, 0), (5, 0.3, 1), (5, np.nan, 2), (5, 0.2, 4), (5, 0.2, 3)]
    trials = [replace(stored, val_errors=e, val_loss=v, number=n) for e, v, n in keys]

    assert [t.number for t in sorted(trials, key=rank)] == [3, 4, 1, 2, 0]
    assert best_of(trials).number == 3


def test_a_pruned_trial_never_is_the_best(stored):
    """However few its errors."""
    pruned = replace(stored, state="PRUNED", val_errors=0)

    assert best_of([pruned, stored]) is stored
    assert best_of([pruned]) is None
    assert best_of([]) is None
