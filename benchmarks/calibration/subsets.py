"""How much the true difference of two models varies: between training sets, between seeds.

The bundled images are divided at random, often. Of each division a part is held out, two parts
validate, and the rest gives disjoint training sets of two sizes. On each set both models, with the
hyperparameters of the reference study, are trained twice: with other initial weights, another
order of batches and the other validation images, which choose the best step. All models of a
division are judged on the same held-out images.

With d[s, r, i] the difference of the models (−1, 0 or 1) on held-out image i, for training set s
and repetition r:

- τ² (training set): the covariance over s of d[s, 0, i] and d[s, 1, j], mean over i ≠ j. Two
  repetitions share nothing but the training set, and two images not even the accidents of one.
- σ² (seeds, validation images): the same with one repetition, less τ².

Both are unbiased, and so may come out below 0. A mean over n training images varies as 1/n, so τ²
should do: the two sizes check it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.calibration.population import Effects
from benchmarks.samplers import misjudged
from study.training.protocol import Protocol

if TYPE_CHECKING:
    from study.dataset import Data
    from study.training.images import Images
    from study.training.space import Configuration

SIZES = (1_250, 2_500)  # training images of a set
HELD_OUT, VALIDATING = 3_791, 1_500  # images; twice VALIDATING, and 5,000 give training sets
REPETITIONS = 2
DIVISIONS = 20
N_FIT = 8_571  # training images of a search inside a split of 11,791 into seven parts
QUANTITIES = {"difference": (1, -1), "linear": (1, 0), "mlp": (0, 1)}  # of the models' errors


@dataclass(frozen=True)
class Job:
    """One training set and repetition."""

    division: int
    size: int  # training images
    number: int  # which of the disjoint sets
    repetition: int


def jobs(divisions: int, sizes: tuple[int, ...] = SIZES) -> Iterator[Job]:
    """All of them: in each division two or more disjoint sets of each size."""
    n = len(_data().raw) - HELD_OUT - REPETITIONS * VALIDATING
    for division, size in product(range(divisions), sizes):
        for number, repetition in product(range(n // size), range(REPETITIONS)):
            yield Job(division, size, number, repetition)


@lru_cache
def _data() -> Data:
    from study import dataset

    return dataset.load()


def wrong(job: Job, configurations: dict[str, Configuration], steps: int) -> np.ndarray:
    """Which held-out images the two models get wrong, (2, HELD_OUT) booleans."""
    import torch

    from study.seeds import derive
    from study.training.images import images_of, pick_device

    torch.set_num_threads(1)  # a job a core
    inner, held_out = _divided(job)
    first = derive(derive(job.division, "replicates", job.size), "replicates", job.number)
    seed = derive(first, "replicates", job.repetition)
    images = images_of(inner, pick_device("cpu"))
    protocol = Protocol(n_train=job.size, steps=steps)
    return np.array(
        [
            _trained(name, configuration, images, protocol=protocol, held_out=held_out, seed=seed)
            for name, configuration in configurations.items()
        ]
    )


def _divided(job: Job) -> tuple[Data, Data]:
    """The images to train on, which those to validate on follow, and those that are held out."""
    data = _data()
    order = np.random.default_rng(job.division).permutation(len(data.raw))
    held_out, *validating, pool = np.split(
        order, np.cumsum([HELD_OUT, *[VALIDATING] * REPETITIONS])
    )
    own = pool[job.number * job.size :][: job.size]
    inner = data.taking(np.concatenate([own, validating[job.repetition]]), job.size)
    return inner, data.taking(held_out, 1)


def _trained(
    name: str,
    configuration: Configuration,
    images: Images,
    *,
    protocol: Protocol,
    held_out: Data,
    seed: int,
) -> np.ndarray:
    from study.training.registry import build, model_named
    from study.training.sgd import optimiser_of
    from study.training.trainer import train

    model = build(model_named(name), configuration, seed=seed)
    (history,) = train(
        [model], **optimiser_of([configuration]), images=images, protocol=protocol, seed=seed
    )
    return misjudged(model, history, held_out)


def measure(
    configurations: dict[str, Configuration],
    *,
    divisions: int,
    steps: int,
    processes: int,
    sizes: tuple[int, ...] = SIZES,
) -> pd.DataFrame:
    """Train on all subsets; a row a quantity and size, and one with both sizes together."""
    from joblib import Parallel, delayed

    todo = list(jobs(divisions, sizes))
    results = Parallel(n_jobs=processes)(delayed(wrong)(j, configurations, steps) for j in todo)
    found = dict(zip(todo, results, strict=True))
    rows = [_row(found, name, size, divisions) for name, size in product(QUANTITIES, sizes)]
    return pd.DataFrame(rows)


def _row(
    found: dict[Job, np.ndarray], quantity: str, size: int, divisions: int
) -> dict[str, object]:
    weights = np.array(QUANTITIES[quantity])
    parts = []
    for division in range(divisions):
        own = [job for job in found if job.division == division and job.size == size]
        sets = len(own) // REPETITIONS
        d = np.array([np.tensordot(weights, found[job].astype(float), 1) for job in own])
        parts.append(components(d.reshape(sets, REPETITIONS, -1)))
    values = np.array(parts)  # (divisions, 2)
    mean, error = values.mean(0), values.std(0, ddof=1) / divisions**0.5
    return {
        "quantity": quantity,
        "training_images": size,
        "training_sets": divisions * sets,
        **dict(zip(("tau2", "sigma2"), mean, strict=True)),
        **dict(zip(("tau2_se", "sigma2_se"), error, strict=True)),
        "tau2_at_full_size": mean[0] * size / N_FIT,
        "tau2_at_full_size_se": error[0] * size / N_FIT,
    }


def effects(variances: pd.DataFrame, quantity: str, *, standard_errors: float = 0.0) -> Effects:
    """How far the true difference moves at full size.

    τ² is the mean of both sizes, weighted by their precision. σ² is that of the larger size:
    it does not vary as 1/n.

    Args:
        variances: What :func:`measure` found.
        quantity: One of ``QUANTITIES``.
        standard_errors: How many to add to each variance.
    """
    own = variances[variances["quantity"] == quantity]
    weights = 1 / own["tau2_at_full_size_se"] ** 2
    tau2 = float(np.average(own["tau2_at_full_size"], weights=weights))
    tau2 += standard_errors * float(weights.sum() ** -0.5)
    largest = own.loc[own["training_images"].idxmax()]
    sigma2 = largest["sigma2"] + standard_errors * largest["sigma2_se"]
    return Effects(max(tau2, 0) ** 0.5, max(sigma2, 0) ** 0.5)


def effects_of_one(variances: pd.DataFrame, model: str) -> Effects:
    """Of a model against itself: training sets move both alike, each has seeds of its own."""
    return Effects(0.0, 2**0.5 * effects(variances, model).sigma)


def components(d: np.ndarray) -> tuple[float, float]:
    """τ² and σ² of the values d (S sets, R = 2 repetitions, H images) of one division."""
    a, b = (d - d.mean(0)).swapaxes(0, 1)  # (S, H) each
    between = _covariance(a, b)
    return between, (_covariance(a, a) + _covariance(b, b)) / 2 - between


def _covariance(a: np.ndarray, b: np.ndarray) -> float:
    """Over sets, of the values on two different images, mean over the pairs of images."""
    sets, images = a.shape
    products = (a.sum(1) * b.sum(1)).sum() - (a * b).sum()
    return float(products / (sets - 1) / (images * (images - 1)))
