"""What holds while a function works: Optuna's messages, its data in memory, its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from study.dataset import Data
from study.explain import explain
from study.training.loading import in_memory


@contextmanager
def quietly() -> Iterator[None]:
    """In the block Optuna logs warnings alone, and an error of a library is one line."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    except Exception as error:
        known = explain(error)
        if known is None or known is error:
            raise
        raise known from error
    finally:
        logging.set_verbosity(before)


@contextmanager
def held(data: object) -> Iterator[None]:
    """In the block, data in memory is found."""
    with in_memory(data if isinstance(data, Data) else None):
        yield
