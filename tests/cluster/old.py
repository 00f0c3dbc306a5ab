"""Loaded by a worker that is to be of another version: ``dask worker --preload``."""

from importlib.metadata import version

from study.search import plan


def _old():
    names = ("study", "numpy", "optuna", "torch")
    return {name: version(name) for name in names} | {"torch": "1.0"}


plan.versions = _old
