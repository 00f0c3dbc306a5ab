"""Errors by class, and what the probabilities of the winners are worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from study import stats
from study.dataset import Data
from study.report.inference import probabilities
from study.report.record import Record
from study.report.tables.searching import by_model, categorical
from study.trials import unpack

AT_ONCE = 4096  # images or rows whose probabilities are computed together, for memory
MOST = 60  # points of a model's curve
SURE = (0.5, 0.75, 0.9, 0.99, 1.0)  # ends of the bins of probabilities
HELD_OUT, VALIDATION = "held out", "validation"


def by_class(record: Record) -> pd.DataFrame:
    """How many images of each class every model takes for the other: its confusion matrix.

    Held out: of all splits' winners, where there is a confirmation; validation: of the best
    trial, where the data are there. ``precision`` is the share of right answers among those
    that name the class.
    """
    first, second = record.protocol.classes
    rows = []
    for title, study, on, labels, given in _answers(record):
        for label, other in ((False, True), (True, False)):
            of_class, said = labels == label, given == label
            errors = int((of_class & ~said).sum())
            rows.append(
                {
                    **{"model": title, "study": study, "on": on},
                    "class": second if label else first,
                    "taken_for": second if other else first,
                    **{"images": int(of_class.sum()), "errors": errors},
                    "error": errors / of_class.sum() if of_class.any() else np.nan,
                    "precision": (of_class & said).sum() / said.sum() if said.any() else np.nan,
                }
            )
    return by_model(rows, record)


def _answers(record: Record) -> Iterator[tuple[str, str, str, np.ndarray, np.ndarray]]:
    """Title and study; on which images; which are of the second class; which a model says are."""
    for found in record.evidence:
        assert record.comparison is not None
        search = record.search_of(found.search.name)
        splits = found.splits[: record.comparison.pairs[0].judged.n_splits]
        names = ("holdout_labels", "holdout_predictions")
        labels, given = (
            np.concatenate([unpack(split[name], split["n_holdout"]) for split in splits])
            for name in names
        )
        yield search.title, search.name, HELD_OUT, labels, given
    if record.data is not None:
        labels = record.data.labels[record.data.n_train :].astype(bool)
        for search, best in record.winners:
            yield search.title, search.name, VALIDATION, labels, best.predictions


def chances(record: Record, data: Data) -> pd.DataFrame:
    """The probability ``p`` of the second class that each winner gives to every image or row.

    Of those winners whose weights are there. ``trains``: it is one of the training images.
    ``second``: it is of the second class.
    """
    shown = [(search, best) for search, best in record.winners if search.weights is not None]
    found: list[list[np.ndarray]] = [[] for _ in shown]
    for start in range(0, len(data.raw) if shown else 0, AT_ONCE):
        x = data.normalised(data.raw[start : start + AT_ONCE])
        for parts, (search, best) in zip(found, shown, strict=True):
            parts.append(probabilities(search.model, best, search.weights, x))
    trains = np.arange(len(data.raw)) < data.n_train
    common = {"trains": trains, "second": data.labels.astype(bool)}
    frames = [
        pd.DataFrame({"model": search.title, "study": search.name, **common}).assign(
            p=np.concatenate(parts)
        )
        for parts, (search, _) in zip(found, shown, strict=True)
    ]
    if not frames:
        return pd.DataFrame(columns=["model", "study", *common, "p"])
    return pd.concat(frames).assign(model=lambda frame: categorical(frame["model"], record))


def scores(frame: pd.DataFrame) -> pd.DataFrame:
    """What a model's probabilities are worth, a row a model, from :func:`chances`."""
    rows = []
    for study, own in frame.groupby("study", sort=False):
        validated, trained = own[~own["trains"]], own[own["trains"]]
        rows.append(
            {
                "model": own["model"].iloc[0],
                "study": study,
                "roc_auc": round(stats.roc_auc(validated["second"], validated["p"]), 6),
                "brier": round(stats.brier(validated["second"], validated["p"]), 6),
                "train_errors": int(((trained["p"] > 0.5) != trained["second"]).sum()),
                "n_train": len(trained),
            }
        )
    return _like(frame, rows)


def thresholds(frame: pd.DataFrame) -> pd.DataFrame:
    """Both kinds of errors on validation images at every threshold, from :func:`chances`.

    A model says the second class where its probability is at least ``threshold``. The corners
    of its curve, at most :data:`MOST`, and the threshold of one half, marked ``is_half``.
    """
    rows = []
    for study, own in frame[~frame["trains"]].groupby("study", sort=False):
        second, p = own["second"].to_numpy(), own["p"].to_numpy()
        above = np.nextafter(0.5, 1)  # one half itself is an answer for the first class
        for threshold in np.unique([*_corners(second, p), above])[::-1]:
            said = p >= threshold
            rows.append(
                {
                    "model": own["model"].iloc[0],
                    "study": study,
                    "threshold": round(float(threshold), 6),
                    "is_half": threshold == above,
                    **_counts(second, said),
                }
            )
    return _like(frame, rows)


def _corners(second: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Thresholds where a ROC curve turns, falling; as many as are drawn."""
    found = np.unique(p)[::-1]
    ends = np.searchsorted(np.sort(p[~second]), found), np.searchsorted(np.sort(p[second]), found)
    turns = np.logical_or(*(np.diff(end, 2) != 0 for end in ends))
    corners = found[np.r_[True, turns, True][: len(found)]]
    places = np.linspace(0, len(corners) - 1, min(MOST, len(corners))).round().astype(int)
    return np.asarray(corners[places])


def _counts(second: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Errors of both kinds and their shares; precision and recall are of the second class."""
    n_second, n_first = int(second.sum()), int((~second).sum())
    taken, missed = int((said & ~second).sum()), int((second & ~said).sum())
    return {
        **{"first_taken_for_second": taken, "n_first": n_first},
        **{"second_taken_for_first": missed, "n_second": n_second},
        "precision": (n_second - missed) / said.sum() if said.any() else np.nan,
        "recall": 1 - missed / n_second,
    }


def sure(frame: pd.DataFrame) -> pd.DataFrame:
    """Errors on validation images by how sure a model is of its answer, from :func:`chances`.

    ``sure`` is the mean probability that it gives to its own answer.
    """
    rows = []
    for study, own in frame[~frame["trains"]].groupby("study", sort=False):
        says = own["p"] > 0.5
        certainty = own["p"].where(says, 1 - own["p"])
        bins = np.clip(np.searchsorted(SURE, certainty, "right") - 1, 0, len(SURE) - 2)
        for place in range(len(SURE) - 1):
            inside = bins == place
            wrong = says[inside] != own["second"][inside]
            rows.append(
                {
                    **{"model": own["model"].iloc[0], "study": study},
                    **{"from": SURE[place], "to": SURE[place + 1]},
                    **{"images": int(inside.sum()), "errors": int(wrong.sum())},
                    "error": float(wrong.mean()) if inside.any() else np.nan,
                    "sure": round(float(certainty[inside].mean()), 6) if inside.any() else np.nan,
                }
            )
    return _like(frame, rows)


def _like(frame: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame whose models have the looks that they have in another."""
    return pd.DataFrame(rows).astype({"model": frame["model"].dtype})
