"""The data: how many images or rows, and what normalisation does to them.

``pixels`` holds a small picture as text (:mod:`study.report.pictures`), and ``label`` what stands
under it, its lines parted by ``"; "``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.dataset import Data
from study.report import words
from study.report.pictures import SIDE, Pictures

EXAMPLES = 5  # images of each class


def data_counts(data: Data) -> pd.DataFrame:
    """How many images or rows of each class train and validate."""
    split = np.where(np.arange(len(data.labels)) < data.n_train, "training", "validation")
    return (
        pd.DataFrame({"split": split, "class": np.array(data.classes, object)[data.labels]})
        .groupby(["split", "class"])
        .size()
        .unstack(fill_value=0)
        .reindex(columns=list(data.classes), fill_value=0)
        .assign(all=lambda counts: counts.sum(axis=1))
        .rename(columns=str)
        .reset_index()
    )


def examples(data: Data) -> pd.DataFrame:
    """The first training images of each class, raw and normalised, a row a pixel.

    Raw pixels are centred and scaled by the mean and the deviation of all training pixels, which
    changes nothing but the unit: so both kinds can be seen on one colour range. Of colours it is
    the mean, and of a large image every k-th pixel.
    """
    training = data.raw[: data.n_train]
    mean, sd = training.mean(), training.std() or 1.0
    places = first_of_each(data.labels[: data.n_train])
    raw = data.raw[places]
    kinds = {"raw": (raw - mean) / sd}
    if data.normalisation != "none":
        kinds["normalised"] = data.normalised(raw).reshape(raw.shape)
    kinds = {kind: _grey(values) for kind, values in kinds.items()}
    order, row, column = np.indices(kinds["raw"].shape).reshape(3, -1)
    return pd.concat(
        pd.DataFrame(
            {
                "kind": kind,
                "image": places[order],
                "class": np.array(data.classes, object)[data.labels[places]][order],
                "row": row,
                "column": column,
                "value": np.round(values.reshape(-1).astype(float), 5),
            }
        )
        for kind, values in kinds.items()
    ).reset_index(drop=True)


def _grey(values: np.ndarray) -> np.ndarray:
    """(n, H, W[, 3]) → (n, H', W'), no side longer than a picture's."""
    grey = values.mean(axis=3) if values.ndim == 4 else values
    step = -(-max(grey.shape[1:]) // SIDE)
    return grey[:, ::step, ::step]


def first_of_each(labels: np.ndarray) -> np.ndarray:
    """The places of the first images of class 0, then of class 1."""
    return np.concatenate([np.flatnonzero(labels == label)[:EXAMPLES] for label in (0, 1)])


def averages(data: Data) -> pd.DataFrame:
    """The mean training image of each class."""
    raw, labels = data.raw[: data.n_train], data.labels[: data.n_train]
    pictures = Pictures(data)
    return pd.DataFrame(
        [
            {
                "group": "The average training image of each class",
                "class": data.classes[label],
                "label": f"average {words.class_name(data.dataset, data.classes[label])}",
                "alt": "the mean of all training images of "
                + words.class_name(data.dataset, data.classes[label]),
                "pixels": pictures.text(raw[labels == label].mean(axis=0).round()),
            }
            for label in (0, 1)
            if (labels == label).any()
        ]
    )


def columns(data: Data) -> pd.DataFrame:
    """Of a table: the mean and the deviation of each column in the training part, by class too."""
    raw, labels = data.raw[: data.n_train], data.labels[: data.n_train]
    means = {f"mean_{name}": raw[labels == k].mean(0) for k, name in enumerate(data.classes)}
    frame = {"column": data.columns, "mean": raw.mean(0), "sd": raw.std(0), **means}
    return pd.DataFrame(frame)
