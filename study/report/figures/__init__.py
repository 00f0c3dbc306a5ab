"""The figures: plain functions that draw a data frame onto an ``Axes``.

Each takes the frame that the function of the same name in :mod:`study.report.tables` returns,
or the one that its docstring names. ``…_values`` says what each mark of a figure is, in data
coordinates of its axes, for the page (see :mod:`study.report.inline`). Draw under
:func:`study.report.rendering.theme`.
"""

from study.report import matplotlib_import  # noqa: F401 (before matplotlib itself)

# isort: split
from study.report.figures.answer import answer, answer_values
from study.report.figures.confirming import (
    replicates,
    replicates_values,
    splits,
    splits_values,
)
from study.report.figures.images import examples, examples_values, pictures
from study.report.figures.parameters import (
    against,
    against_values,
    learning_rate,
    pair,
    pair_values,
)
from study.report.figures.searching import (
    expected_trials,
    expected_trials_values,
    history,
    history_values,
)
from study.report.figures.training import curves, curves_values, error, loss
from study.report.figures.weights import (
    coefficients,
    coefficients_values,
    linear_weights,
    unit_columns,
    unit_columns_values,
    unit_weights,
    unit_weights_values,
)

__all__ = [
    "against",
    "against_values",
    "answer",
    "answer_values",
    "coefficients",
    "coefficients_values",
    "curves",
    "curves_values",
    "error",
    "examples",
    "examples_values",
    "expected_trials",
    "expected_trials_values",
    "history",
    "history_values",
    "learning_rate",
    "linear_weights",
    "loss",
    "pair",
    "pair_values",
    "pictures",
    "replicates",
    "replicates_values",
    "splits",
    "splits_values",
    "unit_columns",
    "unit_columns_values",
    "unit_weights",
    "unit_weights_values",
]
