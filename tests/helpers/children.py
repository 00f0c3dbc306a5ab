"""Work in forked children, which can be killed, and what ends them."""

import os
import signal
import sys
import threading
import warnings
from contextlib import suppress

import pytest
import torch  # once, and not in every child
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tqdm import tqdm

from study.errors import StudyError

EVENTS = (
    *("connect", "checkout", "begin", "before_cursor_execute", "after_cursor_execute"),
    *("commit", "rollback", "checkin", "reset", "close"),
)

_one_at_a_time = threading.Lock()  # filelock refuses to fork in two threads at once


def start(work, stderr=None):
    """Run ``work`` in a forked child; its pid. Its exit status is a command's."""
    if not hasattr(os, "fork"):
        pytest.skip("Windows forks no process")
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads
        pid = os.fork()
    if pid == 0:
        _be_child(work, stderr)
    return pid


def _be_child(work, stderr):
    status = 70
    try:
        tqdm.set_lock(threading.RLock())  # a killed child would hold the one of all processes
        torch.set_num_threads(1)  # the parent's threads are not here
        os.setpgid(0, 0)
        if stderr is not None:
            os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            sys.stderr = os.fdopen(2, "w")
        status = work() or 0
    except StudyError as error:
        status = error.status
    except SystemExit as left:
        status = left.code
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 0)


def ended(pid):
    """Wait for a child; its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forked(work, stderr=None):
    """Run ``work`` in a child to its end."""
    return ended(start(work, stderr))


def kill(pid):
    """SIGKILL to the child and all that it has started."""
    for target in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            target(pid, signal.SIGKILL)


def die():
    """End as in a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def on_database_event(number, action):
    """From now on, do something at every database event from this number on."""
    left = iter(range(number))
    for name in EVENTS:
        event.listen(Engine, name, lambda *_: next(left, None) is None and action())


def events_of(work):
    """How many database events ``work`` has, in a child."""
    ours, theirs = os.pipe()

    def count():
        for name in EVENTS:
            event.listen(Engine, name, lambda *_: os.write(theirs, b".") and None)
        work()

    status = forked(count)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        events = told.read()
    assert status == 0
    return len(events)


def killed_at(k, work):
    """Run ``work`` in a child that is killed at its database event ``k``; was it?"""

    def doomed():
        on_database_event(k - 1, die)
        work()

    status = forked(doomed)
    assert status in (0, -signal.SIGKILL)
    return status != 0
