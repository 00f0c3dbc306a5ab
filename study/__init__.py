"""Which of two small models errs less, once both are tuned fairly?

In Python, a line for each step::

    import study

    study.fit("linear", learning_rate=1e-4)  # one training
    study.tune("linear")  # 64 trials, stored in study.db
    study.tune("mlp")
    study.compare("study.db")  # confirms what was found, which takes a minute
    study.write_report("study.db")  # reports/index.html

Each returns a result that a notebook shows. Figures are functions of a result and an ``Axes``, in
``study.plots``: ``answer``, ``history``, ``learning_rate``, ``against``, ``curves``, ``weights``,
``replicates`` and ``splits``.

The public surface: the names in ``__all__``. Each is imported where it is first used, so that
``import study`` takes no torch with it. Everything else may change between minor versions.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if sys.argv[:1] == ["-m"]:  # python -m study…: its libraries take a second to load
    from study import interrupts

    interrupts.end_at_once()

if TYPE_CHECKING:
    from study import plots as plots
    from study.baseline import Fit as Fit
    from study.confirm.comparison import Comparison as Comparison
    from study.confirm.comparison import Comparisons as Comparisons
    from study.confirm.comparison import compare_all as compare_all
    from study.dataset import Data as Data
    from study.dataset import DigitPair as DigitPair
    from study.dataset import load as load
    from study.dataset import normalise as normalise
    from study.errors import StudyError as StudyError
    from study.margin import Margin as Margin
    from study.search.loop import Outcome as Outcome
    from study.search.objective import Objective as Objective
    from study.shortcuts import WrittenReport as WrittenReport
    from study.shortcuts import compare as compare
    from study.shortcuts import fit as fit
    from study.shortcuts import tune as tune
    from study.shortcuts import write_report as write_report
    from study.training.history import History as History
    from study.training.images import images_of as images_of
    from study.training.models import SimpleLinear as SimpleLinear
    from study.training.models import SimpleMLP as SimpleMLP
    from study.training.models import linear_layer as linear_layer
    from study.training.protocol import Protocol as Protocol
    from study.training.registry import Model as Model
    from study.training.registry import build as build
    from study.training.registry import register as register
    from study.training.space import Configuration as Configuration
    from study.training.space import Space as Space
    from study.training.trainer import train as train
    from study.trials import StoredTrial as StoredTrial
    from study.trials import read_trials as read_trials

_HOMES = {
    "study.confirm.comparison": ("Comparison", "Comparisons", "compare_all"),
    "study.dataset": ("Data", "DigitPair", "load", "normalise"),
    "study.errors": ("StudyError",),
    "study.margin": ("Margin",),
    "study.baseline": ("Fit",),
    "study.search.loop": ("Outcome",),
    "study.search.objective": ("Objective",),
    "study.shortcuts": ("WrittenReport", "compare", "fit", "tune", "write_report"),
    "study.training.history": ("History",),
    "study.training.images": ("images_of",),
    "study.training.models": ("SimpleLinear", "SimpleMLP", "linear_layer"),
    "study.training.protocol": ("Protocol",),
    "study.training.registry": ("Model", "build", "register"),
    "study.training.space": ("Configuration", "Space"),
    "study.training.trainer": ("train",),
    "study.trials": ("StoredTrial", "read_trials"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = list(_HOME)
__all__ += ["plots"]  # a module
__version__: str


def __getattr__(name: str) -> object:
    """Import a public name from the module that it lives in."""
    if name == "__version__":
        return import_module("study.version").version()
    if name == "plots":
        return import_module("study.plots")
    if name not in _HOME:
        raise AttributeError(f"module 'study' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    """The public names, whether they were used yet or not."""
    return sorted({*globals(), *__all__, "__version__"})
