"""The commands as functions: tune a model, fit one, compare those of a storage, write the report.

Each does what its command does, with the same trials bit for bit, and returns a result that a
notebook shows. Meanwhile a bar moves, and of Optuna's messages only warnings are shown.
``arguments`` and ``data_arguments`` check what they are given.
"""

from study.shortcuts.comparing import compare
from study.shortcuts.reporting import WrittenReport, write_report
from study.shortcuts.training import fit, tune

__all__ = ["WrittenReport", "compare", "fit", "tune", "write_report"]
