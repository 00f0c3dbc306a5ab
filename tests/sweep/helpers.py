"""Short sweeps over pairs of KMNIST-like classes, in processes of their own or in this one."""

import csv
import re
import sys

import numpy as np
import pytest

from study.dataset import idx
from tests.helpers.commands import end, start

SHORT = (
    *("--steps", "40", "--val-every", "20", "--batch-size", "10", "--n-train", "120"),
    *("--dataset", "kmnist", "--n-trials", "4", "--storage", "sweep.db", "--data-root", "."),
)
PAIRS = ("0-1", "8-9")
TINY = ("--confirm", "--seeds", "2", "--splits", "2", "--finalists", "1")


def begin(folder, *options, pairs=PAIRS, **popen):
    """Start a short sweep in ``folder``; its process."""
    env = {"PYTHONUNBUFFERED": ""} | popen.pop("env", {})  # empty is as good as unset
    command = [sys.executable, "-m", "study.sweep", *SHORT, "--digits", *pairs]
    return start([*command, *map(str, options)], folder, env=env, **popen)


def sweep(folder, *options, pairs=PAIRS):
    """Run a short sweep in ``folder``; how it ended."""
    return end(begin(folder, *options, pairs=pairs))


def write_images(folder):
    """KMNIST's two training files, whose digests nobody published: noise with brighter rows."""
    random = np.random.default_rng(0)
    labels = random.permutation(np.arange(60_000) % 10).astype(np.uint8)
    labels[1000:] = 7  # few images of the other classes, so that a sweep is quick
    images = np.zeros((60_000, 28, 28), np.uint8)
    images[:1000] = random.integers(0, 128, (1000, 28, 28))
    images[np.arange(60_000), 2 * labels] += 12
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        (folder / f"train-{name}-ubyte").write_bytes(idx.encode(array))


def with_images_of(other, folder):
    """The folder, with the training files of the other."""
    for path in other.glob("train-*"):
        (folder / path.name).symlink_to(path)
    return folder


def table(folder):
    """The rows of ``sweep.csv`` by pair."""
    with (folder / "reports/sweep.csv").open() as file:
        return {f"{row['first']}-{row['second']}": row for row in csv.DictReader(file)}


def links(folder):
    """Where the overview's links lead, each once."""
    page = (folder / "reports/index.html").read_text()
    return sorted(set(re.findall(r'<a href="([^"]+)"', page)))


def write_files(folder):
    """200 rows of the breast-cancer table, 8 × 8 digits 3 and 8, and data that can't be used."""
    datasets = pytest.importorskip("sklearn.datasets")
    cancer, digits = datasets.load_breast_cancer(), datasets.load_digits()
    names = cancer.target_names[cancer.target]
    lines = [",".join([*cancer.feature_names, "diagnosis"])]
    lines += [
        ",".join([*map(str, row), name]) for row, name in zip(cancer.data, names, strict=True)
    ]
    (folder / "cancer.csv").write_text("\n".join(lines[:201]))
    images, kept = (digits.images * 15).astype(np.uint8), np.isin(digits.target, (3, 8))
    np.savez(folder / "digits.npz", X=images[kept], y=digits.target[kept])
    np.savez(folder / "ten.npz", X=images, y=digits.target)
    (folder / "text.csv").write_text("colour,class\n" + "red,a\nblue,b\n" * 20)
    return folder
