"""Other versions of Python and the libraries than those that are here, as far as studies ask."""

import importlib.metadata
import platform
from contextlib import contextmanager

import pytest

OTHERS = {"study": "0.0.9", "numpy": "1.26.4", "optuna": "4.0.0", "torch": "2.1.2"} | {
    "Python": "3.9.7"
}


@contextmanager
def others(*names):
    """Within the block, these have the versions of :data:`OTHERS`."""
    real, python = importlib.metadata.version, platform.python_version()
    found = {name: OTHERS[name] for name in names}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.metadata, "version", lambda name: found.get(name) or real(name))
        patch.setattr(platform, "python_version", lambda: found.get("Python", python))
        yield
