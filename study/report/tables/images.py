"""The images: how many, what normalisation does to them, and what the models say of them.

``pixels`` holds an image of 28 × 28 bytes as hexadecimal digits, row by row, and ``label`` what
stands under it, its lines parted by ``"; "``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from study import formats
from study.dataset import DigitPair, normalise
from study.report import words
from study.report.inference import initial_weights, probabilities
from study.report.record import Record, ReportedStudy
from study.seeds import derive
from study.trials import StoredTrial

EXAMPLES = 5  # images of each class


def data_counts(pair: DigitPair) -> pd.DataFrame:
    """How many images of each class train and validate."""
    split = np.where(np.arange(len(pair.labels)) < pair.n_train, "training", "validation")
    return (
        pd.DataFrame({"split": split, "class": np.array(pair.classes)[pair.labels]})
        .groupby(["split", "class"])
        .size()
        .unstack(fill_value=0)
        .reindex(columns=list(pair.classes), fill_value=0)
        .assign(all=lambda counts: counts.sum(axis=1))
        .rename(columns=str)
        .reset_index()
    )


def examples(pair: DigitPair) -> pd.DataFrame:
    """The first training images of each class, raw and normalised, a row a pixel.

    Raw pixels are centred and scaled by the mean and the deviation of all training pixels, which
    changes nothing but the unit: so both kinds can be seen on one colour range.
    """
    training = pair.raw[: pair.n_train]
    mean, sd = training.mean(), training.std() or 1.0
    places = _first_of_each(pair.labels[: pair.n_train])
    raw = pair.raw[places]
    kinds = {"raw": (raw - mean) / sd, "normalised": normalise(raw).reshape(raw.shape)}
    order, row, column = np.indices(raw.shape).reshape(3, -1)
    return pd.concat(
        pd.DataFrame(
            {
                "kind": kind,
                "image": places[order],
                "class": np.array(pair.classes)[pair.labels[places]][order],
                "row": row,
                "column": column,
                "value": np.round(values.reshape(-1).astype(float), 5),
            }
        )
        for kind, values in kinds.items()
    ).reset_index(drop=True)


def _first_of_each(labels: np.ndarray) -> np.ndarray:
    """The places of the first images of class 0, then of class 1."""
    return np.concatenate([np.flatnonzero(labels == label)[:EXAMPLES] for label in (0, 1)])


def averages(pair: DigitPair) -> pd.DataFrame:
    """The mean training image of each class."""
    raw, labels = pair.raw[: pair.n_train], pair.labels[: pair.n_train]
    return pd.DataFrame(
        [
            {
                "group": "The average training image of each class",
                "class": pair.classes[label],
                "label": f"average {words.class_name(pair.dataset, pair.classes[label])}",
                "alt": "the mean of all training images of "
                + words.class_name(pair.dataset, pair.classes[label]),
                "pixels": _hexadecimal(raw[labels == label].mean(axis=0).round()),
            }
            for label in (0, 1)
            if (labels == label).any()
        ]
    )


def _hexadecimal(image: np.ndarray) -> str:
    return image.astype(np.uint8).tobytes().hex()


def wrong(pair: DigitPair, best: StoredTrial) -> np.ndarray:
    """Which validation images the trial misread at its best step, (n_val,) bool."""
    return np.asarray(best.predictions != pair.labels[pair.n_train :].astype(bool))


def misread(record: Record, pair: DigitPair) -> pd.DataFrame:
    """The validation images that at least one winner misread, those of both first.

    ``p_<model>`` is the probability that the model gives the second class, where its
    weights are there.
    """
    mistakes = {search.key: wrong(pair, best) for search, best in record.winners}
    places = np.flatnonzero(np.logical_or.reduce(list(mistakes.values())))
    raw = pair.raw[pair.n_train + places]
    frame = pd.DataFrame({"image": places, "class": _classes(pair)[places]})
    for search, best in record.winners:
        says = np.array(pair.classes)[best.predictions[places].astype(int)]
        chance = probabilities(search.model, best, search.weights, raw)
        columns = {"says": says, "wrong": mistakes[search.key][places]}
        frame = frame.assign(**{f"{search.key}_{name}": c for name, c in columns.items()})
        frame[f"p_{search.key}"] = chance
    return frame.assign(pixels=[_hexadecimal(image) for image in raw]).pipe(_grouped, record, pair)


def _grouped(frame: pd.DataFrame, record: Record, pair: DigitPair) -> pd.DataFrame:
    """Add each image's group and words, and put those that both misread first."""
    searches = [search for search, _ in record.winners]
    order, groups, labels, alts = [], [], [], []
    for row in frame.to_dict("records"):
        erring = [search for search in searches if row[f"{search.key}_wrong"]]
        several = len(erring) > 1
        by_all = len(erring) == len(searches)
        order.append(-1 - by_all if several else searches.index(erring[0]))
        said = int(row[f"{erring[0].key}_says"])
        groups.append(_group(erring, len(searches)))
        second = said == pair.classes[1]
        sure = [_sure(s, float(row[f"p_{s.key}"]), second, several) for s in erring]
        labels.append("; ".join([f"{row['class']}, not {said}", *filter(None, sure)]))
        what = words.class_name(pair.dataset, int(row["class"]))
        alts.append(f"validation image {row['image']}: {what}, taken for {said}")
    counts = {group: formats.plural(groups.count(group), "image") for group in groups}
    titles = [f"{group}: {counts[group]}" for group in groups]
    return (
        frame.assign(order=order, group=titles, label=labels, alt=alts)
        .sort_values("order", kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)
    )


def _group(erring: Sequence[ReportedStudy], models: int) -> str:
    """Which of the models get an image wrong."""
    if models == 1:
        return "It gets wrong"
    if len(erring) == 1:
        return f"Only {erring[0].noun} gets wrong"
    if len(erring) == models:
        return "Both get wrong" if models == 2 else "All get wrong"
    return "More than one gets wrong, but not all"


def _sure(search: ReportedStudy, p: float, second: bool, named: bool) -> str:
    """How sure the model is of what it says."""
    sure = f"{100 * (p if second else 1 - p):.0f} %" if np.isfinite(p) else ""
    return f"{search.title} {sure}" if sure and named else sure


def _classes(pair: DigitPair) -> np.ndarray:
    """The validation images' classes, (n_val,)."""
    return np.array(pair.classes)[pair.labels[pair.n_train :]]


def predictions(record: Record, pair: DigitPair) -> pd.DataFrame:
    """The first validation images of each class: P(the right class) before and after training.

    Empty where no winner's weights are there.
    """
    shown = [(search, best) for search, best in record.winners if search.weights is not None]
    labels = pair.labels[pair.n_train :]
    places = _first_of_each(labels)
    raw, second = pair.raw[pair.n_train + places], labels[places] == 1
    frame = pd.DataFrame({"image": places, "class": _classes(pair)[places]})
    for search, best in shown:
        for when, weights in _before_and_after(search, best).items():
            p = probabilities(search.model, best, weights, raw)
            frame[f"{search.key}_{when}"] = np.round(np.where(second, p, 1 - p), 6)
    said = [_said(row, shown) for row in frame.to_dict("records")]
    return frame.assign(
        group="The first validation images of each class",
        label=said,
        alt=[
            f"validation image {row['image']}, of class {row['class']}"
            for row in frame.to_dict("records")
        ],
        pixels=[_hexadecimal(image) for image in raw],
    ).head(len(frame) if shown else 0)


def _before_and_after(
    search: ReportedStudy, best: StoredTrial
) -> dict[str, dict[str, np.ndarray] | None]:
    assert search.weights is not None
    seed = derive(int(search.manifest["seed"]), "weights", best.number)
    before = initial_weights(search.model, best, search.weights, seed=seed)
    return {"before": before, "after": search.weights}


def _said(row: dict[object, object], shown: list[tuple[ReportedStudy, StoredTrial]]) -> str:
    chances = [
        f"{search.title} {100 * float(str(row[f'{search.key}_before'])):.0f} →"
        f" {100 * float(str(row[f'{search.key}_after'])):.0f} %"
        for search, _ in shown
    ]
    return "; ".join([str(row["class"]), *chances])
