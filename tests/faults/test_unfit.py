"""Data without its two classes, and models that no cohort can train: one line, before training."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from study.baseline import baseline
from study.confirm.repetitions import Source, Split, require_classes
from study.dataset import DigitPair, load
from study.errors import StudyError
from study.search.objective import Objective
from study.training.protocol import Protocol
from study.training.registry import Model, build
from tests.helpers.plans import configuration_of, space_of
from tests.test_own_data import put

ONE = configuration_of(0.01, None)
TINY = Protocol(dataset="own", classes=(2, 7), n_train=60, steps=20, batch_size=10, val_every=10)


def labelled(part):
    """100 labels; those of one part of a split at 60 are of one class."""
    labels = np.where(np.arange(100) % 2, 7, 2).astype(np.uint8)
    labels[{"all": slice(None), "train": slice(60), "validate": slice(60, None)}[part]] = 2
    return labels


@pytest.mark.matrix("F37")
@pytest.mark.parametrize("part", ["all", "train", "validate"])
def test_own_data_of_one_class_is_refused(part, pair, tmp_path):
    """The line names the class and the part that lacks it."""
    put(tmp_path, pair.raw[:100], labelled(part))

    with pytest.raises(StudyError) as refused:
        baseline(linear(), ONE, TINY, seed=0, data_root=tmp_path)

    where = {"all": "train"}.get(part, part)
    assert str(refused.value).startswith("class 7 of own: none of the ")
    assert f"images that {where} is of it" in str(refused.value)


@pytest.mark.matrix("F37")
@pytest.mark.parametrize("part", ["train", "validate"])
def test_an_objective_refuses_a_pair_of_one_class(part, pair):
    """So does whatever else prepares the images."""
    labels = (labelled(part) == 7).astype(np.uint8)
    mine = DigitPair("own", (2, 7), pair.raw[:100], labels, 60)

    with pytest.raises(StudyError, match=f"class 7 of own.* {part} "):
        Objective("linear", mine, seed=0, protocol=TINY)


@pytest.mark.matrix("F37")
def test_a_split_of_one_class_is_refused_before_it_is_searched(pair, tmp_path):
    """A rare class misses a part of some split; the line names split and part."""
    labels = np.full(100, 2, np.uint8)
    labels[[3, 70]] = 7
    put(tmp_path, pair.raw[:100], labels)
    digest = load("own", (2, 7), data_root=tmp_path, n_train=60).digest
    source = Source("linear", planned(), 0, digest, tmp_path)

    with pytest.raises(StudyError) as refused:
        require_classes([Split(source, 2, 4, 0, 0)])

    assert re.match(r"class 7 of own: none of the \d+ images that .* split 4 ", str(refused.value))


@pytest.mark.matrix("F37")
def test_constant_images_are_trained_on(pair, tmp_path):
    """They become zeros: nothing is divided by none, and half are told wrongly."""
    labels = np.where(np.arange(100) % 2, 7, 2).astype(np.uint8)
    put(tmp_path, np.full_like(pair.raw[:100], 9), labels)

    history = baseline(linear(), ONE, TINY, seed=0, data_root=tmp_path)

    assert history.val_error == 0.5


def linear():
    from study.training.registry import MODELS

    return MODELS["linear"]


def planned():
    from study.search import Plan

    return Plan("linear", space_of(), protocol=TINY)


class Net(nn.Module):
    """784 → 3 → 1, with a layer between, and what a test breaks in it."""

    def __init__(self, middle=None, *, answer=None, generator=None):
        super().__init__()
        self.first = nn.Linear(784, 3)
        self.middle = nn.Identity() if middle is None else middle()
        self.last = nn.Linear(3, 1)
        self.answer = answer or (lambda z: z)

    def forward(self, x):
        return self.answer(self.last(self.middle(self.first(x))))


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("n", torch.zeros(()))

    def forward(self, x):
        self.n += 1
        return x


class Scale(nn.Module):
    def __init__(self, value=1.0, dtype=torch.float32, device="cpu"):
        super().__init__()
        self.weight = nn.Parameter(torch.full((3,), value, dtype=dtype, device=device))

    def forward(self, x):
        return x * self.weight


class Unused(nn.Linear):
    def forward(self, x):
        return x


class Branch(Scale):
    def forward(self, x):
        return x * self.weight if self.weight.sum() > 0 else x


class Last(nn.Module):
    def forward(self, x):
        before, self.kept = getattr(self, "kept", 0), x.detach().mean()
        return x + before


class Generatorless(Net):
    def __init__(self):
        super().__init__()


def of(make):
    def factory(*, generator):
        return make()

    return factory


def local(*, generator):
    """A module whose class is another one each time."""

    class Local(Net):
        pass

    return Local()


ONE_FOR_ALL = Net()


def frozen():
    return Net().requires_grad_(False)


def misfits():
    """(factory, words of the refusal) by what is wrong."""
    middle = {
        "dropout": (lambda: nn.Dropout(0.5), "layer middle (Dropout) is random"),
        "alpha dropout": (lambda: nn.AlphaDropout(0.1), "layer middle (AlphaDropout) is random"),
        "batch norm": (
            lambda: nn.BatchNorm1d(3),
            "layer middle (BatchNorm1d) answers differently",
        ),
        "untracked": (
            lambda: nn.BatchNorm1d(3, track_running_stats=False),
            "layer middle (BatchNorm1d) answers differently",
        ),
        "lazy": (lambda: nn.LazyLinear(3), "layer middle (LazyLinear) has no sizes yet"),
        "buffer": (Counter, "layer middle (Counter) changes its 'middle.n'"),
        "memory": (Last, "answers differently the second time"),
        "float64": (lambda: Scale(dtype=torch.float64), "layer middle (Scale) has its"),
        "half": (lambda: Scale(dtype=torch.float16), "'middle.weight' in float16"),
        "meta": (lambda: Scale(device="meta"), "'middle.weight' on meta"),
        "nan": (lambda: Scale(torch.nan), "layer middle (Scale) starts with"),
        "unused": (lambda: Unused(3, 3), "layer middle (Unused) does not use its"),
        "branch": (Branch, "layer middle (Branch) fails with"),
        "tuple": (lambda: nn.LSTM(3, 3), "fails with TypeError"),
        "size": (lambda: nn.Linear(4, 3), "layer middle (Linear) fails with RuntimeError"),
    }
    answers = {
        "(B,)": (lambda z: z[:, 0], "module Net returns (4,) float32 for 4 images"),
        "(B, 2)": (lambda z: z.repeat(1, 2), "module Net returns (4, 2) float32"),
        "no tensor": (lambda z: [z], "module Net returns a list"),
        "float64": (lambda z: z.double(), "returns (4, 1) float64"),
        "detached": (lambda z: z.detach(), "module Net fails with RuntimeError"),
        "the batch": (lambda z: z - z.mean(), "answers differently beside other images"),
        "noise": (lambda z: z + torch.randn(1), "answers differently the second time"),
        "NumPy": (lambda z: torch.from_numpy(z.numpy()), "module Net fails with"),
    }
    factories = {
        "no module": (of(list), "its factory returns a list"),
        "no generator": (Generatorless, "its factory fails with TypeError"),
        "raises": (lambda *, generator: 1 / 0, "its factory fails with ZeroDivisionError"),
        "frozen": (of(frozen), "module Net has no weight to train"),
        "a class each time": (local, "returns a module of another class each time, a Local"),
        "one for all": (of(lambda: ONE_FOR_ALL), "returns the same module each time, a Net"),
        "without": (of(nn.Flatten), "module Flatten has no weight to train"),
        "urandom": (
            lambda *, generator: Net(lambda: Scale(np.random.default_rng().random())),
            "layer middle (Scale) draws another 'middle.weight' each time",
        ),
    }
    yield from ((n, of(lambda m=m: Net(m)), words) for n, (m, words) in middle.items())
    yield from ((n, of(lambda a=a: Net(answer=a)), w) for n, (a, w) in answers.items())
    yield from ((n, make, words) for n, (make, words) in factories.items())


@pytest.mark.matrix("F41")
@pytest.mark.parametrize(
    ("factory", "words"), [pytest.param(f, w, id=name) for name, f, w in misfits()]
)
def test_a_model_that_does_not_fit_is_one_line_that_names_the_layer(factory, words):
    """It is refused where it is first built, before anything is trained."""
    model = Model("mine", "mine", factory, target=0.1, has_hidden_units=False)

    with pytest.raises(StudyError) as refused:
        build(model, ONE, seed=1)

    assert str(refused.value).startswith("model 'mine': ")
    assert words in str(refused.value)
    assert ": must " in str(refused.value)
    assert "\n" not in str(refused.value)


def tied():
    found = nn.Sequential(nn.Linear(784, 784, bias=False), nn.Linear(784, 784), nn.Linear(784, 1))
    found[1].weight = found[0].weight
    return found


def partly():
    found = Net()
    found.first.requires_grad_(False)
    return found


def convolution():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 2, 7, 7), nn.Flatten(), nn.Linear(32, 1)
    )


@pytest.mark.matrix("F41")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(convolution, id="convolution"),
        pytest.param(tied, id="tied"),
        pytest.param(partly, id="partly frozen"),
        pytest.param(lambda: Net(lambda: nn.Dropout(0.0)), id="dropout of nothing"),
        pytest.param(lambda: Net(lambda: nn.LayerNorm(3)), id="layer norm"),
    ],
)
def test_a_module_that_draws_its_own_weights_is_reproducible(make, pair):
    """Trained twice, whatever was drawn from the global generators meanwhile: the same bits."""
    from study.training.images import images_of
    from study.training.trainer import train

    model = Model("mine", "mine", of(make), target=0.1, has_hidden_units=False)
    images, protocol = images_of(pair, torch.device("cpu")), Protocol(steps=20, val_every=10)

    def trained():
        torch.rand(3)
        before = torch.get_rng_state()
        [history] = train([build(model, ONE, seed=4)], [0.01], images, protocol, seed=0)
        assert torch.equal(torch.get_rng_state(), before)
        return history

    first, second = trained(), trained()

    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)
    assert np.array_equal(first.val_losses, second.val_losses)
