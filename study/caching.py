"""Caches that threads share. Of threads that ask for the same thing at once, one computes it."""

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def cached_once(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """``functools.lru_cache`` whose function runs in one thread at a time.

    Args:
        maxsize: How many results are kept.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cached, lock = cast("Callable[P, T]", lru_cache(maxsize)(function)), Lock()

        @wraps(function)
        def call(*args: P.args, **options: P.kwargs) -> T:
            with lock:
                return cached(*args, **options)

        return call

    return decorate


def cached_while_used(function: F) -> F:
    """Cache a result for as long as anything else refers to it; call it from one thread."""
    results: WeakValueDictionary[object, Any] = WeakValueDictionary()

    @wraps(function)
    def call(*args: object) -> object:
        found = results.get(args)
        if found is None:
            found = results[args] = function(*args)
        return found

    return cast("F", call)


def cached_for_owner(function: F) -> F:
    """Cache results for as long as the function's first argument, their owner, exists."""
    results: WeakKeyDictionary[object, dict[object, Any]] = WeakKeyDictionary()
    lock = Lock()

    @wraps(function)
    def call(owner: object, *args: object) -> object:
        with lock:
            own = results.setdefault(owner, {})
            if args not in own:
                own[args] = function(owner, *args)
            return own[args]

    return cast("F", call)
