"""What only POSIX systems have. Elsewhere a test that comes to need it is skipped."""

import errno
import os
import tempfile
from contextlib import suppress
from importlib import import_module

import pytest


class _Missing:
    """Stands for a module that this system lacks, until something of it is needed."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        if attribute.startswith("__"):  # pytest asks every name of a module for some
            raise AttributeError(attribute)
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


def _can_link():
    with tempfile.TemporaryDirectory() as folder, suppress(OSError):
        os.symlink("nowhere", link := os.path.join(folder, "link"))
        return os.path.islink(link)
    return False


def refuse_link(path, *_, **__):
    """What Windows answers to a user who may make no links."""
    raise OSError(errno.EINVAL, "the privilege to make links is not held", path, NO_PRIVILEGE)


NO_PRIVILEGE = 1314
CAN_LINK = os.name != "nt" or _can_link()  # Windows asks for a privilege


def lengthen(path, size):
    """Give a file gigabytes that take no room on the disk."""
    if os.name == "nt":
        pytest.skip("Windows writes every zero of a file to the disk")
    path.touch()
    os.truncate(path, size)


mkfifo = function(os, "mkfifo")
openpty = function(os, "openpty")
