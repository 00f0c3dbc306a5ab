"""Recorded steps, on a stand-in for CUDA graphs; ``test_gpu.py`` has the real ones."""

from threading import Thread
from unittest.mock import MagicMock, Mock

import pytest
import torch
from torch import nn

from study.training import graphs, trainer
from study.training.models import SimpleLinear, SimpleMLP
from study.training.protocol import Protocol
from study.training.trainer import train
from tests.helpers.cuda_graphs import Cuda
from tests.test_trainer import Deep, bits


def seeded(seed):
    return torch.Generator().manual_seed(seed)


class Wide(Deep):
    """The same class with other code, so that a cohort of both is a mixed one."""

    def __init__(self, seed):
        super().__init__(seed)
        self.layers[1] = nn.ReLU()


COHORT = {
    "linear": lambda: [SimpleLinear(generator=seeded(k)) for k in range(4)],
    "mlp": lambda: [SimpleMLP(h, generator=seeded(h)) for h in (16, 5, 33, 8)],
    "deep": lambda: [Deep(k) for k in range(4)],
    "mixed": lambda: [Deep(0), Wide(1), Deep(2), Wide(3)],
}
RATES = [0.1, 1e-3, 0.03, 0.05]
SETTINGS = {
    "momentum": [0.9, 0.0, 0.5, 0.9],
    "weight_decay": [0.0, 1e-3, 1e-2, 0.0],
    "nesterov": [True, False, False, False],
}


FEW = Protocol(steps=45, val_every=5)
STOPS = {"nobody stops": {}, "some stop": {0: [2], 10: [0], 30: [3]}}
REPLAYS = {"nobody stops": [8], "some stop": [1, 3, 1]}
every_kind = pytest.mark.parametrize("kind", COHORT)


def train_some(kind, images, protocol, stops=None, **settings):
    """The bits of a training whose members leave by a timetable."""
    stops = stops or {}
    members, prune = COHORT[kind](), lambda step, places, errors: stops[step]
    found = train(
        members, RATES, images, protocol, seed=5, rungs=tuple(stops), prune=prune, **settings
    )
    return bits(found)


@pytest.fixture
def cuda(monkeypatch):
    """The stand-in; from ``cuda.begin()`` on, every cohort's steps are recorded and replayed."""
    cuda = Cuda(monkeypatch)

    def steps_of(cohort, protocol):
        one_by_one = graphs.OneByOne(cohort, protocol.batch_size)
        return graphs.Replayed(one_by_one, min(graphs.LENGTH, protocol.val_every))

    cuda.begin = lambda: monkeypatch.setattr(trainer, "steps_of", steps_of)
    return cuda


# --- the same bits --------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize(
    ("settings", "stops"), [({}, "nobody stops"), (SETTINGS, "some stop")], ids=["plain", "all"]
)
def test_replayed_steps_have_the_bits_of_steps_one_by_one(kind, settings, stops, cuda, images):
    """The graph's addresses stay those of the cohort; after members leave, there is a new one.

    Of 1 + 5 + … + 5 + 4 steps, the first, the last 4, and 5 after members left are taken alone.
    """
    expected = train_some(kind, images, FEW, STOPS[stops], **settings)
    cuda.begin()

    assert train_some(kind, images, FEW, STOPS[stops], **settings) == expected
    assert cuda.replays == REPLAYS[stops]


@pytest.mark.parametrize(
    ("protocol", "replays"),
    [
        (Protocol(steps=1, val_every=20), []),
        (Protocol(steps=49), []),
        (Protocol(steps=21, val_every=20), [1]),
        (Protocol(steps=60, val_every=1), [59]),
        (Protocol(steps=215, val_every=70), [3]),
        (Protocol(steps=160, val_every=160), [3]),
    ],
)
def test_graphs_fit_every_rhythm(protocol, replays, cuda, images):
    """What does not fill a graph of min(50, val_every) steps is taken alone, none twice."""
    expected = train_some("linear", images, protocol)
    cuda.begin()

    assert train_some("linear", images, protocol) == expected
    assert cuda.replays == replays


# --- where it is not possible ---------------------------------------------------------------


def test_a_step_that_waits_for_the_device_is_not_recorded(cuda, images):
    """A recording would fail, and leave torch as no caller wants it."""
    expected = train_some("deep", images, FEW)
    cuda.begin()
    cuda.waits = True

    assert train_some("deep", images, FEW) == expected
    assert cuda.graphs == []
    assert cuda.modes == ["warn", "default"]


@pytest.mark.parametrize(("kind", "nth"), [("linear", 0), ("mlp", 7), ("deep", 40), ("mixed", 60)])
def test_a_recording_that_fails_takes_no_step(kind, nth, cuda, images):
    """Wherever it stops, training goes on one by one from where it was, and tries no second."""
    expected = train_some(kind, images, FEW, **SETTINGS)
    cuda.begin()
    calls = iter(range(nth))
    cuda.refused = lambda operator: next(calls, None) is None

    assert train_some(kind, images, FEW, **SETTINGS) == expected
    assert cuda.replays == [0]


def test_an_error_of_the_step_itself_is_raised(cuda, images, monkeypatch):
    """It stops the recording, and then the step that is taken for itself."""
    cuda.begin()
    calls = iter(range(3))
    step = graphs.OneByOne.__call__

    def failing(self, batches, labels):
        if next(calls, None) is None:
            raise RuntimeError("out of order")
        return step(self, batches, labels)

    monkeypatch.setattr(graphs.OneByOne, "__call__", failing)
    cuda.refused = lambda operator: True

    with pytest.raises(RuntimeError, match="out of order"):
        train_some("linear", images, FEW)


# --- devices --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "kind"), [("cpu", "OneByOne"), ("mps", "OneByOne"), ("cuda", "Replayed")]
)
def test_only_cuda_devices_have_graphs(device, kind):
    """The CPU and Apple's MPS take the steps one by one."""
    cohort = Mock(inputs=MagicMock(device=torch.device(device)))

    assert type(graphs.steps_of(cohort, FEW)).__name__ == kind


@pytest.fixture
def streams(monkeypatch):
    """Takes the place of torch.cuda's streams."""
    fake = MagicMock()
    fake.get_sync_debug_mode.return_value = 2
    monkeypatch.setattr(graphs, "_stream", fake.own)
    for name in ("stream", "current_stream", "get_sync_debug_mode", "set_sync_debug_mode"):
        monkeypatch.setattr(torch.cuda, name, getattr(fake, name))
    return fake


def test_training_on_a_gpu_leaves_nothing_running_and_the_settings_as_they_were(streams):
    """Also where it fails: the stream has ended, and the caller's mode of debugging is back."""

    def fail():
        with graphs.own_stream(torch.device("cuda")):
            assert not streams.own().synchronize.called
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert streams.own().synchronize.called
    assert [call.args for call in streams.set_sync_debug_mode.mock_calls] == [("default",), (2,)]


def test_one_thread_at_a_time_trains_on_a_gpu(streams):
    """A second one waits, and then has its turn."""
    seen = []

    def second():
        with graphs.own_stream(torch.device("cuda")):
            seen.append("second")

    thread = Thread(target=second)
    with graphs.own_stream(torch.device("cuda")):
        thread.start()
        thread.join(0.2)
        seen.append("first")
    thread.join(60)

    assert seen == ["first", "second"]


def test_the_cpu_needs_no_stream(streams):
    """Nothing of CUDA is asked for."""
    with graphs.own_stream(torch.device("cpu")):
        pass

    assert streams.mock_calls == []
