"""Search one model's hyperparameters: ``python -m study.search --model linear``."""

from study.search.loop import Outcome, Settings, search
from study.training.plan import Plan

__all__ = ["Outcome", "Plan", "Settings", "search"]
