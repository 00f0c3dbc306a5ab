"""What only POSIX systems have. Elsewhere a test that comes to need it is skipped."""

import os
from importlib import import_module

import pytest


class _Missing:
    """Stands for a module that this system lacks, until something of it is needed."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        pytest.skip(f"this system has no {self.name}.{attribute}")


def module(name):
    """A module of the standard library; importing it costs no test that needs nothing of it."""
    try:
        return import_module(name)
    except ImportError:
        return _Missing(name)


def function(owner, name):
    """A module's function; calling it skips the test where the system lacks it."""
    return getattr(owner, name, None) or (
        lambda *_: pytest.skip(f"this system has no {owner.__name__}.{name}")
    )


mkfifo = function(os, "mkfifo")
openpty = function(os, "openpty")
