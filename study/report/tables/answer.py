"""The errors that answer the question, each with the search that it is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from study import stats
from study.report.record import Record
from study.report.tables.searching import by_model, without_target

HELD_OUT, VALIDATION = "held out", "validation"


def answer(record: Record) -> pd.DataFrame:
    """Each model's error on held-out images, and the lowest validation error of its own search.

    A row an error, so that none mixes two searches: ``on`` says which images it was counted on,
    and ``searches``, ``trials`` and ``n_train`` what was searched for it. The interval of an error
    on held-out images is corrected for the splits, that of a validation error is Wilson's. The
    former are there once ``study.confirm`` has been run, and the columns of targets, of the
    study's own search, where a study has one.
    """
    frame = by_model([*_judged(record), *_own(record)], record)
    return without_target(frame, "target_met").astype(
        {name: "Int64" for name in ("trial", "errors") if name in frame}
    )


def _judged(record: Record) -> Iterator[dict[str, Any]]:
    c = record.comparison
    for side in c.sides if c else ():
        judged, ends = c.pairs[0].judged, side.holdout.interval  # type: ignore[union-attr]
        yield {
            "model": record.search_of(side.study).title,
            "study": side.study,
            "on": HELD_OUT,
            "error": side.holdout.mean,
            "lower": max(ends.lower, 0.0),
            "upper": min(ends.upper, 1.0),
            "searches": judged.n_splits,
            "trials": judged.n_trials,
            "n_train": judged.n_fit,
            "trial": None,
            "errors": None,
            "target": None,
            "target_met": None,
        }


def _own(record: Record) -> Iterator[dict[str, Any]]:
    for search, best in record.winners:
        ends = stats.wilson(best.val_errors, best.n_val)
        yield {
            "model": search.title,
            "study": search.name,
            "on": VALIDATION,
            "error": best.val_error,
            "lower": ends.lower,
            "upper": ends.upper,
            "searches": 1,
            "trials": len(search.trials),
            "n_train": search.protocol.n_train,
            "trial": best.number,
            "errors": best.val_errors,
            "target": search.target,
            "target_met": search.target_met,
        }
