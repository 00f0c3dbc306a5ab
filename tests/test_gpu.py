"""The trainer on a GPU against the CPU: ``nox -s gpu``; skipped where there is no GPU."""

import numpy as np
import pytest
import torch

from study import dataset
from study.training.images import images_of
from study.training.models import SimpleLinear, SimpleMLP
from study.training.protocol import Protocol
from study.training.trainer import train
from tests.helpers.commands import command, run
from tests.helpers.plans import SHORT

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]
PROTOCOL = Protocol(steps=200)
RATES = [0.001, 0.01, 0.1]
MEMBERS = {
    "linear": lambda seeded: [SimpleLinear(generator=seeded(k)) for k in range(3)],
    "mlp": lambda seeded: [SimpleMLP(n, generator=seeded(n)) for n in (16, 50, 33)],
}


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("stopped", [(), (1,)], ids=["all to the end", "one pruned"])
def test_a_gpu_gives_the_cpu_s_histories(kind, stopped):
    """Within rounding, at learning rates that are not chaotic."""
    pair, found = dataset.load(), []
    for device in ("cpu", "cuda"):
        members = MEMBERS[kind](lambda seed: torch.Generator().manual_seed(seed))
        images = images_of(pair, torch.device(device))
        found.append(
            train(members, RATES, images, PROTOCOL, seed=0, rungs=(50,), prune=lambda *_: stopped)
        )

    for cpu, gpu in zip(*found, strict=True):
        assert gpu.pruned == cpu.pruned
        np.testing.assert_allclose(gpu.val_losses, cpu.val_losses, rtol=1e-3)
        assert np.abs(gpu.val_errors - cpu.val_errors).max() <= 2


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_a_search_on_a_gpu_is_a_study_of_its_own(model, tmp_path):
    """It ends, runs again to nothing, and can't be gone on with on the CPU."""
    options = ("--storage", "s.db", *SHORT, "--device")
    ended = [run(command(model, *options, on), tmp_path) for on in ("cuda", "cuda", "cpu")]

    assert [result.status for result in ended] == [0, 0, 2]
    assert "device" in ended[2].stderr
