"""Official-looking training files of ten classes, and a short sweep over two pairs of them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from study.dataset import idx

SHORT = (
    *("--steps", "40", "--val-every", "20", "--batch-size", "10", "--n-train", "120"),
    *("--dataset", "kmnist", "--n-trials", "4", "--storage", "sweep.db", "--data-root", "."),
)
PAIRS = ("0-1", "8-9")


def sweep(folder, *options, pairs=PAIRS):
    """Run a short sweep in ``folder``; its process, ended."""
    env = {k: v for k, v in os.environ.items() if k != "OPTUNA_STORAGE"}
    command = [sys.executable, "-m", "study.sweep", *SHORT, "--digits", *pairs, *options]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def swept(tmp_path_factory):
    """A folder with a sweep in it, and how its command ended."""
    folder = tmp_path_factory.mktemp("swept")
    write_images(folder)
    return folder, sweep(folder)


def write_images(folder):
    """KMNIST's two training files, whose digests nobody published: noise with bright rows."""
    random = np.random.default_rng(0)
    labels = random.permutation(np.arange(60_000) % 10).astype(np.uint8)
    labels[1000:] = 7  # few images of the other classes, so that a sweep is quick
    images = np.zeros((60_000, 28, 28), np.uint8)
    images[:1000] = random.integers(0, 128, (1000, 28, 28))
    images[np.arange(60_000), 2 * labels] += 100
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        (folder / f"train-{name}-ubyte").write_bytes(idx.encode(array))
