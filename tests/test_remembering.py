"""Threads that ask for the same at once."""

import time
from concurrent.futures import ThreadPoolExecutor

from study.remembering import remembered


def test_threads_that_ask_at_once_compute_it_once():
    """All get what the first one made."""
    made = []

    @remembered(maxsize=1)
    def slow(name):
        time.sleep(0.05)
        made.append(name)
        return object()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(slow, ["same"] * 4))

    assert made == ["same"]
    assert len(set(map(id, found))) == 1
