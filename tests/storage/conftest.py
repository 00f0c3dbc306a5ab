"""Fixtures of the storage's tests."""

import pytest

from study.storage import open_study


@pytest.fixture
def path(tmp_path):
    """Where a storage may be made."""
    return tmp_path / "study.db"


@pytest.fixture
def study(path):
    """A fresh study called linear, at ``path``."""
    return open_study(str(path), "linear")
