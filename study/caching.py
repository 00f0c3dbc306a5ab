"""Remember what threads share, computed once."""

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

P = ParamSpec("P")
T = TypeVar("T")
Owner = TypeVar("Owner")


def cached_once(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """``functools.lru_cache``, but of threads that ask at once only one computes.

    Args:
        maxsize: How many results are remembered.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cached = cast(Callable[P, T], lru_cache(maxsize)(function))
        lock = Lock()

        @wraps(function)
        def call(*args: P.args, **options: P.kwargs) -> T:
            with lock:
                return cached(*args, **options)

        return call

    return decorate


def cached_while_used(function: Callable[P, T]) -> Callable[P, T]:
    """Give a result again for as long as anything else holds it; for one thread at a time."""
    held: WeakValueDictionary[object, T] = WeakValueDictionary()

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> T:
        key = (args, tuple(sorted(options.items())))
        found = held.get(key)
        if found is None:
            found = held[key] = function(*args, **options)
        return found

    return call


def cached_for_owner(
    function: Callable[Concatenate[Owner, P], T],
) -> Callable[Concatenate[Owner, P], T]:
    """Remember results as long as their first argument is there; of threads, one computes."""
    kept: WeakKeyDictionary[Owner, dict[object, T]] = WeakKeyDictionary()
    lock = Lock()

    @wraps(function)
    def call(owner: Owner, /, *args: P.args, **options: P.kwargs) -> T:
        key = (args, tuple(sorted(options.items())))
        with lock:
            results = kept.setdefault(owner, {})
            if key not in results:
                results[key] = function(owner, *args, **options)
            return results[key]

    return call
