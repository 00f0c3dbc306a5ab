"""Other versions of Python and the libraries than those that are here, as far as studies ask."""

import importlib.metadata
import platform
import sys
from contextlib import contextmanager

import pytest

from tests.helpers.preloaded import ROOT

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


def module_under(names, module, *options):
    """The command line of a module that runs where these have the versions of :data:`OTHERS`."""
    code = (
        f"import runpy, sys; sys.path.insert(0, {ROOT!r})\n"
        "from tests.helpers.versions import others; sys.argv[0] = sys.argv[1]; del sys.argv[1]\n"
        f"with others(*{tuple(names)!r}): runpy.run_module({module!r}, run_name='__main__')"
    )
    return [sys.executable, "-c", code, module, *map(str, options)]
