"""Confirm in forked children that are killed: ``python doomed.py STORAGE SEED TWIN``.

The first child confirms TWIN, a copy of the storage, to its end and counts its database
events. The next ones confirm STORAGE, each killed with SIGKILL: half of them at a random
event, the others after a random part of the time that the first one took. Everything is
imported before the first fork, and no tensor is touched. Prints how each child ended: the
signal, or that it ended before.
"""

import os
import random
import signal
import sys
import threading
import time

from sqlalchemy import event
from sqlalchemy.engine import Engine

from study.confirm import training  # noqa: F401 (imported once, before the forks)
from study.confirm.loop import Settings, confirm
from study.workers import Workers

EVENTS = (
    *("connect", "checkout", "begin", "before_cursor_execute", "after_cursor_execute"),
    *("commit", "rollback", "checkin", "reset", "close"),
)
KILLS = 4


def confirming(storage):
    """The confirmation that every child works on."""
    sizes = {"seeds": 4, "splits": 3, "n_trials": 4, "finalists": 2}
    confirm(Settings(storage, ("linear", "mlp"), **sizes, workers=Workers(2)))


def child(work):
    """Run ``work`` in a fork; its wait status."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def counting(storage, report):
    """Confirm to the end, and write how many database events that took."""
    seen = []
    for name in EVENTS:
        event.listen(Engine, name, lambda *_: seen.append(0))
    confirming(storage)
    os.write(report, str(len(seen)).encode())


def die():
    """As a power cut would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(storage, number):
    """Confirm until the database event of this number."""
    left = iter(range(number))
    for name in EVENTS:
        event.listen(Engine, name, lambda *_: next(left, None) is None and die())
    confirming(storage)


def killed_after(storage, seconds):
    """Confirm for this long."""
    threading.Timer(seconds, die).start()
    confirming(storage)


def main(storage, seed, twin):
    """Count, then kill."""
    moments, (reading, writing) = random.Random(int(seed)), os.pipe()
    began = time.monotonic()
    assert child(lambda: counting(twin, writing)) == 0
    took, events = time.monotonic() - began, int(os.read(reading, 20))
    for _ in range(KILLS // 2):
        number, seconds = moments.randrange(events), moments.uniform(0, took / 2)
        for status in (
            child(lambda number=number: killed_at(storage, number)),
            child(lambda seconds=seconds: killed_after(storage, seconds)),
        ):
            print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else "ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
