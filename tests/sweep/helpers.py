"""Short sweeps over pairs of KMNIST-like classes, in processes of their own or in this one."""

import csv
import os
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from study.dataset import idx
from study.sweep.data_sets import DataSet, of_pair
from study.sweep.differences import of_trials
from study.sweep.judging import judged
from study.sweep.rows import Content, Row, Side
from tests.helpers.commands import end, start

SHORT = (
    *("--steps", "40", "--val-every", "20", "--batch-size", "10", "--n-train", "120"),
    *("--dataset", "kmnist", "--n-trials", "4", "--storage", "sweep.db", "--data-root", "."),
)
PAIRS = ("0-1", "8-9")
SETTINGS = {"steps": 5000, "sampler": "qmc"}
TINY = ("--confirm", "--seeds", "2", "--splits", "2", "--finalists", "1")


def begin(folder, *options, pairs=PAIRS, **popen):
    """Start a short sweep in ``folder``; its process."""
    buffered = {"PYTHONUNBUFFERED": ""} if "PYTHONUNBUFFERED" in os.environ else {}
    env = buffered | popen.pop("env", {})  # empty is as good as unset
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


def images_once(once):
    """A folder with the training files alone, which no test may change."""
    return once("images of ten classes", write_images)[0]


def swept_once(once):
    """A folder with a sweep in it, which no test may change, and how its command ended."""
    images = images_once(once)
    return once("swept", lambda folder: sweep(with_images_of(images, folder), "--jobs", 1))


def table(folder):
    """The rows of ``sweep.csv`` by pair."""
    with (folder / "reports/sweep.csv").open() as file:
        return {f"{row['first']}-{row['second']}": row for row in csv.DictReader(file)}


def links(folder):
    """The reports to which the overview's links lead, each once."""
    page = (folder / "reports/index.html").read_text()
    return sorted(set(re.findall(r'<a href="([^"]+/index\.html)"', page)))


def undated(folder, name):
    """A file of the sweep without the date of the newest trial, which changes at midnight."""
    return re.sub(r"\d{4}-\d\d-\d\d", "", (folder / "reports" / name).read_text())


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


def row(first=4, second=9, errors=(5, 4), **changes):
    """A pair's row."""
    return row_of(of_pair("mnist", (first, second)), errors, **changes)


def own(name, errors=(5, 4), **changes):
    """A row of a person's own data."""
    return row_of(DataSet(name, name), errors, **changes)


def row_of(
    data,
    errors,
    *,
    n_val=100,
    trials=(64, 64, 64),
    settings=None,
    models=("linear", "mlp", "deep"),
    **changes,
):
    """A row of any data set, of as many models as there are errors.

    Of two models one is wrong wherever the other is: they differ on as few images as can be.
    """
    sides = {
        name: Side(error, count, count, sha256="digest", settings=settings or SETTINGS)
        for name, error, count in zip(models, errors, trials, strict=False)
    }
    found = of_trials({name: trial(side.errors, n_val) for name, side in sides.items()})
    return replace(Row(data, sides, n_val, differences=found), **changes)


def trial(errors, n_val, labels=None, wrong=None):
    """A trial that is wrong on these images, by default the first ones, of class 0."""
    wrong = np.arange(n_val) < errors if wrong is None else wrong
    predictions = wrong if labels is None else labels ^ wrong
    return SimpleNamespace(val_errors=errors, n_val=n_val, predictions=predictions)


def judge(*rows):
    """The rows, judged together."""
    return judged(rows)


def content(*rows, models=("linear", "mlp"), **changes):
    """A page of these rows, judged together."""
    return Content(judged(rows), models, **changes)
