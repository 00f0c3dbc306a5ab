"""What several test modules share: the bundled digits and a short protocol."""

import gc
import logging
import os
import pickle
import signal

import optuna
import pytest
from filelock import FileLock
from hypothesis import settings

from study.dataset import load
from study.training.protocol import Protocol
from tests.helpers.posix import CAN_LINK, NO_PRIVILEGE, refuse_link

pytest_plugins = ("tests.browser", "tests.faults.table")

settings.register_profile("unhurried", deadline=None)  # a busy machine is slow, not wrong
settings.register_profile("long", deadline=None, max_examples=5_000)  # nox -s fuzz
settings.load_profile("unhurried")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # commands would pass over it too

if not CAN_LINK:
    os.symlink = refuse_link  # Wine says nothing, and makes none


@pytest.fixture(autouse=True)
def _quiet():
    """Optuna's log says nothing, and the package's all, whatever a test before has asked of it.

    A command sets the levels for the life of its process, which here is that of the tests.
    """
    logging.getLogger("study").setLevel(logging.NOTSET)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """``once(name, make)``: the folder that ``make`` filled, and what ``make`` returned.

    It is made by one of the processes among which pytest-xdist spreads the tests, for all.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    shared.mkdir(exist_ok=True)

    def get(name, make):
        folder, returned = shared / name, shared / f"{name}.pickle"
        with FileLock(shared / f"{name}.lock"):
            if not returned.exists():
                folder.mkdir()
                returned.write_bytes(pickle.dumps(make(folder)))
        return folder, pickle.loads(returned.read_bytes())

    return get


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


def pytest_collection_modifyitems(items):
    """Skip on Windows what needs more than it has, and say what that is."""
    for item in items:
        if os.name == "nt" and (marker := item.get_closest_marker("posix")):
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    """Skip what needs links, where the user may make none; its fixtures here."""
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """As before: the test itself."""
    return (yield from _skipping())


def _skipping():
    try:
        return (yield)
    except OSError as error:
        if getattr(error, "winerror", None) == NO_PRIVILEGE:
            pytest.skip("this user may make no links")
        raise


def pytest_collection_finish():
    """Let the garbage collector pass over what the imports have made, a million objects."""
    gc.collect()
    gc.freeze()
