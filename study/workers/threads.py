"""Threads of this process: torch releases the interpreter's lock in its kernels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from study.errors import StudyError
from study.workers.pool import LOCAL, Report, Trials

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Threads:
    """``jobs`` threads."""

    jobs: int

    def results(
        self, work: Callable[..., Trials], tasks: Sequence[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`."""
        from joblib import Parallel, delayed

        more = () if report is None else (report,)
        parallel = Parallel(n_jobs=self.jobs, backend=LOCAL, return_as="generator")
        return iter(parallel(delayed(try_twice)(work, task, *more) for task in tasks))


def try_twice(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return what ``work`` returns, at the first try or the second.

    A worker or its device can be out of memory for a moment. The work is a pure function, so
    the second try gives what the first would have given.
    """
    try:
        return work(*arguments, **options)
    except StudyError:
        raise
    except Exception as error:
        _log.warning("a cohort failed and is tried once more: %s: %s", type(error).__name__, error)
    return work(*arguments, **options)
