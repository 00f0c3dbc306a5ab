"""Trials as data frames: what every figure and table shows.

Errors are fractions (``val_error``) or counts (``val_errors`` of ``n_val``). ``model`` is
categorical, with all models of the report as its categories: so each keeps its colour in every
figure.
"""

from study.report.tables.answer import answer
from study.report.tables.classes import by_class, chances, scores, sure, thresholds
from study.report.tables.confirming import mcnemar, pairs, replicates, splits
from study.report.tables.images import averages, columns, data_counts, examples
from study.report.tables.predicting import misread, predictions, wrong
from study.report.tables.searching import (
    against,
    distribution,
    expected,
    history,
    importance,
    learning_rates,
    pair,
    trials,
)
from study.report.tables.training import (
    coefficients,
    curves,
    linear_weights,
    unit_columns,
    unit_weights,
)

__all__ = [
    "against",
    "answer",
    "averages",
    "by_class",
    "chances",
    "coefficients",
    "columns",
    "curves",
    "data_counts",
    "distribution",
    "examples",
    "expected",
    "history",
    "importance",
    "learning_rates",
    "linear_weights",
    "mcnemar",
    "misread",
    "pair",
    "pairs",
    "predictions",
    "replicates",
    "scores",
    "splits",
    "sure",
    "thresholds",
    "trials",
    "unit_columns",
    "unit_weights",
    "wrong",
]
