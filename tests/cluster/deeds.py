"""What workers are told to do in the tests; they import it by its name.

A task is a folder and how often it goes wrong, counted there, before it is done.
"""

import os
import signal
import sys
import time

from study.errors import StudyError


def slept(seconds):
    """Sleep, and say how long."""
    time.sleep(seconds)
    return [seconds]


def napped(seconds, report=None):
    """The same, with a word when half of it is over."""
    time.sleep(seconds)
    if report:
        report(0.5)
    return [seconds]


def dies(task):
    """End the process."""
    if _goes_wrong(*task):
        os._exit(1)
    return ["done"]


def hangs(task):
    """Hang; when done, say where."""
    if _goes_wrong(*task):
        time.sleep(600)
    return [os.getpid()]


def stops(task):
    """Stop the whole process, heartbeats included."""
    if _goes_wrong(*task):
        os.kill(os.getpid(), signal.SIGSTOP)
    return ["done"]


def tells(task, report):
    """Report each half of the work after so many seconds, and go wrong between them."""
    *tries, seconds = task
    for half in range(2):
        if half == 1 and _goes_wrong(*tries):
            raise ZeroDivisionError
        time.sleep(seconds)
        report(0.5)
    return ["done"]


def lacks(task):
    """Find that something is not here."""
    if _goes_wrong(*task):
        raise StudyError("digits.npz: is not here")
    return ["done"]


class Unwieldy(Exception):
    """An error that can be pickled, and not unpickled."""

    def __init__(self, number, _):
        super().__init__(f"failure {number}")


def fails(task):
    """Raise an error."""
    if _goes_wrong(*task):
        raise Unwieldy(len(list(task[0].iterdir())) - 1, None)
    return ["done"]


def _goes_wrong(folder, times):
    before = len(list(folder.iterdir()))
    if before < times:
        (folder / str(before)).touch()
    return before < times


def finds(plan):
    """The process's parent, and whether torch and a plan's data were there from the start."""
    has_torch = {"torch", "study.training.trainer", "study.training.models"} <= set(sys.modules)
    from study import dataset
    from study.training.loading import load_pair
    from study.training.work import prepared

    dataset.read = None  # so that nothing can be loaded again
    pair = load_pair(plan.protocol, None)
    return [has_torch, prepared(pair, "cpu") is prepared(pair, "cpu"), os.getppid()]


def maps(plan):
    """The files of a plan's data that the process has mapped, once it would train on them."""
    from study.training.loading import load_pair
    from study.training.work import prepared

    prepared(load_pair(plan.protocol, None), "cpu")
    with open("/proc/self/maps") as maps:
        return sorted({line.split()[-1] for line in maps if line.rstrip().endswith(".npy")})


def stays(task):
    """Train until the process is ended: report little work, over and over."""
    folder, seconds = task
    (folder / str(os.getpid())).touch()
    time.sleep(seconds)
    return ["done"]
