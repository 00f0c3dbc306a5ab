"""The figures: plain functions that draw a data frame onto an ``Axes``.

Each takes the frame that the function of the same name in :mod:`study.report.tables` returns,
or the one that its docstring names. Draw under :func:`study.report.rendering.theme`.
"""

from study.report import matplotlib_import  # noqa: F401 (before matplotlib itself)

# isort: split
from study.report.figures.answer import answer
from study.report.figures.confirming import replicates, splits
from study.report.figures.images import examples, pictures
from study.report.figures.parameters import against, learning_rate, pair
from study.report.figures.searching import (
    expected_seconds,
    expected_trials,
    history,
    importance,
)
from study.report.figures.training import error, loss
from study.report.figures.weights import (
    coefficients,
    linear_weights,
    unit_columns,
    unit_weights,
)

__all__ = [
    "against",
    "answer",
    "coefficients",
    "error",
    "examples",
    "expected_seconds",
    "expected_trials",
    "history",
    "importance",
    "learning_rate",
    "linear_weights",
    "loss",
    "pair",
    "pictures",
    "replicates",
    "splits",
    "unit_columns",
    "unit_weights",
]
