"""What workers are told to do in the tests; they import it by its name.

A task is a folder and how often it goes wrong, counted there, before it is done.
"""

import os
import time


def slept(seconds):
    """Sleep, and say how long."""
    time.sleep(seconds)
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


def fails(task):
    """Raise an error."""
    if _goes_wrong(*task):
        raise ZeroDivisionError(f"failure {len(list(task[0].iterdir())) - 1}")
    return ["done"]


def _goes_wrong(folder, times):
    before = len(list(folder.iterdir()))
    if before < times:
        (folder / str(before)).touch()
    return before < times
