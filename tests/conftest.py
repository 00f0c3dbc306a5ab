"""What several test modules share: the bundled digits and a short protocol."""

import signal

import pytest
from hypothesis import settings

from study.dataset import load
from study.training.protocol import Protocol

pytest_plugins = ("tests.browser", "tests.faults.table")

settings.register_profile("unhurried", deadline=None)  # a busy machine is slow, not wrong
settings.register_profile("long", deadline=None, max_examples=5_000)  # nox -s fuzz
settings.load_profile("unhurried")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # commands would pass over it too


@pytest.fixture(scope="session")
def pair():
    """The bundled 4s and 9s."""
    return load()


@pytest.fixture(scope="session")
def images(pair):
    """The bundled pair as tensors on the CPU."""
    import torch

    from study.training.images import images_of

    return images_of(pair, torch.device("cpu"))


@pytest.fixture(scope="session")
def short():
    """The real protocol cut to 200 steps: ten validations."""
    return Protocol(steps=200, val_every=20)
