"""The trainer on a GPU against the CPU: ``nox -s gpu``; skipped where there is no GPU."""

from contextlib import nullcontext
from itertools import count

import numpy as np
import pytest
import torch
from packaging.version import Version

from study import dataset
from study.training import graphs
from study.training.images import images_of
from study.training.models import SimpleLinear, SimpleMLP
from study.training.protocol import Protocol
from study.training.trainer import train
from tests.helpers.commands import command, run
from tests.helpers.plans import SHORT
from tests.test_graphs import SETTINGS, Wide
from tests.test_trainer import Deep, bits

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]
PROTOCOL = Protocol(steps=215, val_every=20)
RATES = [0.001, 0.01, 0.1, 0.01]  # with momentum too, not chaotic


def seeded(seed):
    return torch.Generator().manual_seed(seed)


class Copying(Deep):
    """Copies a number to the device at each call, for which the CPU waits."""

    def forward(self, x):
        return super().forward(x) * torch.tensor([0.5], device=x.device)


MEMBERS = {
    "linear": lambda: [SimpleLinear(generator=seeded(k)) for k in range(4)],
    "mlp": lambda: [SimpleMLP(h, generator=seeded(h)) for h in (16, 50, 33, 128)],
    "own module": lambda: [Deep(k) for k in range(4)],
    "own modules of two kinds": lambda: [Deep(0), Wide(1), Deep(2), Wide(3)],
}
every_kind = pytest.mark.parametrize("kind", MEMBERS)


@pytest.fixture(scope="module")
def on():
    """``on(device)``: the bundled digits there."""
    pair = dataset.load()
    return {device: images_of(pair, torch.device(device)) for device in ("cpu", "cuda")}.get


@pytest.fixture
def replays(monkeypatch):
    """The graphs that are replayed, one item a replay."""
    seen, replay = [], torch.cuda.CUDAGraph.replay

    def counted(graph):
        seen.append(id(graph))
        replay(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    return seen


def trained(images, members, protocol=PROTOCOL, stops=None, **settings):
    """The histories of a cohort whose members leave by a timetable."""
    stops = stops or {}
    return train(
        members,
        (RATES * len(members))[: len(members)],
        images,
        protocol,
        seed=0,
        rungs=tuple(stops),
        prune=lambda step, places, errors: stops[step],
        **settings,
    )


def assert_same_course(found, expected):
    """Histories are the same within rounding, at learning rates that are not chaotic."""
    for gpu, cpu in zip(found, expected, strict=True):
        assert gpu.pruned == cpu.pruned
        np.testing.assert_array_equal(gpu.steps, cpu.steps)
        np.testing.assert_allclose(gpu.train_losses, cpu.train_losses, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(gpu.val_losses, cpu.val_losses, rtol=1e-3)
        assert np.abs(gpu.val_errors - cpu.val_errors).max() <= 2
        if gpu.best == cpu.best:
            for name, weights in cpu.weights.items():
                np.testing.assert_allclose(gpu.weights[name], weights, rtol=1e-2, atol=1e-3)


# --- the CPU's histories --------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("settings", [{}, SETTINGS], ids=["plain", "momentum and decay"])
def test_a_gpu_gives_the_cpu_s_histories(kind, settings, on, replays):
    """From one graph: 1 + 20 + … + 20 + 14 steps are 10 replays."""
    found, expected = (trained(on(d), MEMBERS[kind](), **settings) for d in ("cuda", "cpu"))

    assert_same_course(found, expected)
    assert len(replays) == 10
    assert len(set(replays)) == 1


@every_kind
def test_members_leave_a_gpu_as_they_leave_the_cpu(kind, on, replays):
    """After each pruning the steps are recorded again."""
    stops = {0: [2], 60: [0], 140: [3]}
    found, expected = (
        trained(on(d), MEMBERS[kind](), stops=stops, **SETTINGS) for d in ("cuda", "cpu")
    )

    assert_same_course(found, expected)
    assert len(replays) == 2 + 3 + 2


def test_64_mlps_at_once(on, replays):
    """The course notebook's training: about 1.3 % with 50 hidden units at 0.1 (median)."""
    members = [SimpleMLP(50, generator=seeded(k)) for k in range(64)]
    found = train(members, [0.1] * 64, on("cuda"), Protocol(), seed=0)
    few = Protocol(steps=101)

    assert np.median([h.val_error for h in found]) == pytest.approx(0.0135, abs=0.002)
    assert len(replays) == 99
    again = ([SimpleMLP(50, generator=seeded(k)) for k in range(64)] for _ in "12")
    assert_same_course(trained(on("cuda"), next(again), few), trained(on("cpu"), next(again), few))


@every_kind
def test_the_same_training_on_a_gpu_gives_the_same_bits(kind, on):
    """Twice, with members that leave: not a bit of a history differs."""
    stops = {60: [0, 3]}

    first, second = (bits(trained(on("cuda"), MEMBERS[kind](), stops=stops)) for _ in "12")

    assert first == second


# --- waiting for the device -----------------------------------------------------------------


@every_kind
def test_validations_and_progress_do_not_wait_for_the_device(kind, on):
    """From the third validation, when all is recorded, to the last, torch refuses to wait."""
    told, last = count(1), len(PROTOCOL.validation_steps)

    def progress(_):
        number = next(told)
        if number in (3, last):
            torch.cuda.set_sync_debug_mode("error" if number == 3 else "default")

    trained(on("cuda"), MEMBERS[kind](), progress=progress)

    assert next(told) == last + 1
    assert torch.cuda.get_sync_debug_mode() == 0


def test_a_module_that_waits_is_trained_one_step_after_the_other(on, replays):
    """Nothing is recorded, and the histories are the CPU's."""
    found, expected = (
        trained(on(d), [Copying(k) for k in range(4)], **SETTINGS) for d in ("cuda", "cpu")
    )

    assert_same_course(found, expected)
    assert replays == []


def test_training_leaves_no_memory_of_the_gpu_in_use(on):
    """The graph and all tensors of the cohort are gone; the library's workspace stays."""
    trained(on("cuda"), MEMBERS["mlp"]())
    before = torch.cuda.memory_allocated()

    trained(on("cuda"), MEMBERS["mlp"](), stops={60: [0]})

    assert torch.cuda.memory_allocated() == before


# --- a search -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_a_search_on_a_gpu_is_a_study_of_its_own(model, tmp_path):
    """It ends, runs again to nothing, and can't be gone on with on the CPU."""
    options = ("--storage", "s.db", *SHORT, "--device")
    ended = [run(command(model, *options, on), tmp_path) for on in ("cuda", "cuda", "cpu")]

    assert [result.status for result in ended] == [0, 0, 2]
    assert "device" in ended[2].stderr


# --- last, since a failed recording may leave torch in a state of its own ---------------------


@pytest.mark.skipif(
    Version(torch.__version__) < Version("2.13"), reason="torch before 2.13 leaks what it recorded"
)
def test_a_recording_that_fails_takes_no_step_and_hinders_no_other(on, replays, monkeypatch):
    """Training goes on one by one; the next cohort is recorded again."""
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "waiting", lambda: nullcontext([]))
        found = trained(on("cuda"), [Copying(k) for k in range(4)])
    expected = trained(on("cpu"), [Copying(k) for k in range(4)])

    assert_same_course(found, expected)
    assert replays == []
    trained(on("cuda"), MEMBERS["linear"]())
    assert len(replays) == 10
