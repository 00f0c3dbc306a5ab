"""Threads that ask for the same at once."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from study.caching import cached_for_owner, cached_once, cached_while_used


def test_threads_that_ask_at_once_compute_it_once():
    """All get what the first one made."""
    made = []

    @cached_once(maxsize=1)
    def slow(name):
        time.sleep(0.05)
        made.append(name)
        return object()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(slow, ["same"] * 4))

    assert made == ["same"]
    assert len(set(map(id, found))) == 1


class Thing:
    """What can be held."""


@pytest.fixture
def made():
    """The names that something was made for."""
    return []


def test_what_something_holds_is_given_again(made):
    """And what nothing holds is made anew."""

    @cached_while_used
    def make(name):
        made.append(name)
        return Thing()

    kept = make("kept")
    make("dropped")
    gc.collect()

    assert make("kept") is kept
    make("dropped")
    assert made == ["kept", "dropped", "dropped"]


def test_what_belongs_to_a_thing_is_made_once_and_goes_with_it(made):
    """For threads that ask at once too."""
    from weakref import ref

    @cached_for_owner
    def make(thing, name):
        time.sleep(0.05)
        made.append(name)
        return Thing()

    owners = [Thing()]
    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(lambda name: ref(make(owners[0], name)), "aabb"))
    assert sorted(made) == ["a", "b"]

    owners.clear()
    gc.collect()

    assert len(found) == 2
    assert all(each() is None for each in found)
