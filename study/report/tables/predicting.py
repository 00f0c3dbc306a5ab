"""What the winners say of validation images or rows: their mistakes, and ten predictions.

Of images there are ``pixels`` and words: ``label``, whose lines are parted by ``"; "``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from study import formats
from study.dataset import Data
from study.report import words
from study.report.inference import initial_weights, probabilities
from study.report.pictures import Pictures
from study.report.record import Record, ReportedStudy
from study.report.tables.images import first_of_each
from study.seeds import derive
from study.trials import StoredTrial


def wrong(data: Data, best: StoredTrial) -> np.ndarray:
    """Which validation images the trial misread at its best step, (n_val,) bool."""
    return np.asarray(best.predictions != data.labels[data.n_train :].astype(bool))


def misread(record: Record, data: Data) -> pd.DataFrame:
    """The validation images or rows that at least one winner misread, those of all first.

    ``p_<model>`` is the probability that the model gives the second class, where its
    weights are there.
    """
    mistakes = {search.key: wrong(data, best) for search, best in record.winners}
    places = np.flatnonzero(np.logical_or.reduce(list(mistakes.values())))
    raw = data.raw[data.n_train + places]
    frame = _placed(record, data, places)
    for search, best in record.winners:
        says = np.array(data.classes, object)[best.predictions[places].astype(int)]
        chance = probabilities(search.model, best, search.weights, data.normalised(raw))
        cells = {"says": says, "wrong": mistakes[search.key][places]}
        frame = frame.assign(**{f"{search.key}_{name}": cell for name, cell in cells.items()})
        frame[f"p_{search.key}"] = chance
    return _pictured(frame, data, raw).pipe(_grouped, record, data)


def _placed(record: Record, data: Data, places: np.ndarray) -> pd.DataFrame:
    """Their places among the validation images or in a person's own file, and their classes."""
    classes = np.array(data.classes, object)[data.labels[data.n_train :]][places]
    frame = pd.DataFrame({record.item: places, "class": classes})
    if record.where is not None:
        frame.insert(1, "place", [record.where(data.n_train + int(place)) for place in places])
    return frame


def _pictured(frame: pd.DataFrame, data: Data, raw: np.ndarray) -> pd.DataFrame:
    if data.is_table:
        return frame
    pictures = Pictures(data)
    return frame.assign(pixels=[pictures.text(image) for image in raw])


def _grouped(frame: pd.DataFrame, record: Record, data: Data) -> pd.DataFrame:
    """Add each image's group and words, and put those that all misread first."""
    searches = [search for search, _ in record.winners]
    order, groups, labels, alts = [], [], [], []
    for row in frame.to_dict("records"):
        erring = [search for search in searches if row[f"{search.key}_wrong"]]
        several = len(erring) > 1
        by_all = len(erring) == len(searches)
        order.append(-1 - by_all if several else searches.index(erring[0]))
        groups.append(_group(erring, len(searches)))
        said = row[f"{erring[0].key}_says"]
        second = said == data.classes[1]
        all_sure = [_sure(s, float(row[f"p_{s.key}"]), second, several) for s in erring]
        sure = [found for found in all_sure if found]
        labels.append("; ".join([f"{row['class']}, not {said}", *sure]))
        what = words.class_name(data.dataset, row["class"])
        alts.append("; ".join([f"{_called(record, row)}: {what}, taken for {said}", *sure]))
    counts = {group: formats.plural(groups.count(group), record.item) for group in groups}
    titles = [f"{group}: {counts[group]}" for group in groups]
    told = {} if data.is_table else {"label": labels, "alt": alts}
    return (
        frame.assign(order=order, group=titles, **told)
        .sort_values("order", kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)
    )


def _called(record: Record, row: Mapping[Any, Any]) -> str:
    """What a text calls an image."""
    place = f", {row['place']}" if "place" in row else ""
    return f"validation {record.item} {row[record.item]}{place}"


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


def predictions(record: Record, data: Data) -> pd.DataFrame:
    """The first validation images of each class: P(the right class) before and after training.

    Empty where no winner's weights are there.
    """
    shown = [(search, best) for search, best in record.winners if search.weights is not None]
    labels = data.labels[data.n_train :]
    places = first_of_each(labels)
    raw, second = data.raw[data.n_train + places], labels[places] == 1
    frame = _placed(record, data, places)
    for search, best in shown:
        for when, weights in _before_and_after(search, best).items():
            p = probabilities(search.model, best, weights, data.normalised(raw))
            frame[f"{search.key}_{when}"] = np.round(np.where(second, p, 1 - p), 6)
    rows = frame.to_dict("records")
    told = {
        "group": f"The first validation {record.items} of each class",
        "label": ["; ".join([str(row["class"]), *_chances(row, shown)]) for row in rows],
        "alt": [f"{_called(record, row)}, of class {row['class']}" for row in rows],
    }
    frame = frame if data.is_table else frame.assign(**told)
    return _pictured(frame, data, raw).head(len(frame) if shown else 0)


def _before_and_after(
    search: ReportedStudy, best: StoredTrial
) -> dict[str, dict[str, np.ndarray] | None]:
    assert search.weights is not None
    seed = derive(int(search.manifest["seed"]), "weights", best.number)
    inputs = search.stored.plan.inputs
    before = initial_weights(search.model, best, search.weights, seed=seed, inputs=inputs)
    return {"before": before, "after": search.weights}


def _chances(
    row: Mapping[Any, Any], shown: Sequence[tuple[ReportedStudy, StoredTrial]]
) -> list[str]:
    """``MLP 48 → 99 %``, for each model."""
    return [f"{search.title} {before_and_after(row, search)}" for search, _ in shown]


def before_and_after(row: Mapping[Any, Any], search: ReportedStudy) -> str:
    """``48 → 99 %``: the probability of the right class."""
    before, after = (100 * float(row[f"{search.key}_{when}"]) for when in ("before", "after"))
    return f"{before:.0f} → {after:.0f} %"
