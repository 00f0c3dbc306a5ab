"""Remember what threads share, computed once."""

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def remembered(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
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
