"""Other processes through joblib: those of ``loky``, or of any backend that is registered."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any, Self

from study.errors import StudyError, of_status
from study.workers.pool import Report, Trials
from study.workers.remote import (
    Hung,
    TaskRequirements,
    Unfit,
    decode_result,
    described,
    encode_task,
    failed_twice,
)

_TRACKER = "ignore:resource_tracker"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Processes:
    """``jobs`` workers of a joblib backend."""

    backend: str
    jobs: int
    requirements: TaskRequirements
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def named(cls, name: str, jobs: int, requirements: TaskRequirements) -> Self:
        """The backend of this name, or the one that ``MODULE:FUNCTION`` registers.

        Raises:
            StudyError: There is none.
        """
        from joblib.parallel import BACKENDS

        backend = _registered(name) if ":" in name else name
        if backend not in BACKENDS:
            raise StudyError(
                f"--backend {name}: is not registered with joblib: use one of "
                f"{', '.join(sorted(BACKENDS))}, or MODULE:FUNCTION that registers one"
            )
        _silence_loky()
        return cls(backend, jobs, requirements)

    def results(
        self, work: Callable[..., Trials], tasks: Iterable[Any], report: Report | None = None
    ) -> Iterator[Trials]:
        """See :class:`study.workers.pool.Pool`.

        After a failure the tasks that are not done yet are tried once more. If another one
        fails before any of them is done, the command ends.
        """
        with self.lock:  # joblib's processes are shared, and an error ends all of them
            yield from self._results(work, [*tasks], report)

    def _results(
        self, work: Callable[..., Trials], tasks: Sequence[Any], report: Report | None
    ) -> Iterator[Trials]:
        done, failed_at = 0, None
        while done < len(tasks):
            try:
                for answer in self._run(work, tasks[done:]):
                    result: Any = decode_result(answer)
                    done += 1
                    if report:
                        report(len(result))
                    yield result
            except Exception as error:
                if isinstance(error, Unfit) and not isinstance(error, Hung):
                    raise of_status(error.status)(str(error)) from error
                if failed_at == done:
                    raise failed_twice(error) from error
                failed_at = done
                _log.warning("a cohort failed and is tried once more: %s", described(error))

    def _run(
        self, work: Callable[..., Trials], tasks: Sequence[Any]
    ) -> Iterator[Mapping[str, Any]]:
        from joblib import Parallel, delayed
        from joblib.parallel import BACKENDS

        streams = BACKENDS[self.backend]().supports_return_generator  # Ray's does not
        parallel = Parallel(
            n_jobs=self.jobs,
            backend=self.backend,
            return_as="generator" if streams else "list",
            batch_size=1,
        )
        calls = (encode_task(work, task, self.requirements) for task in tasks)
        return iter(parallel(delayed(eval)(*call) for call in calls))


def _silence_loky() -> None:
    """Hide loky's warnings of what it puts right itself.

    It replaces a process that has grown by 300 MB, as one does that loads torch. On Ctrl-C it
    lists the files that it then deletes, in a process that inherits this one's options.
    """
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
    if _TRACKER not in sys.warnoptions:
        sys.warnoptions.append(_TRACKER)


@cache
def _registered(name: str) -> str:
    """The backend that a call of ``MODULE:FUNCTION`` registers; called once a process."""
    from joblib.parallel import BACKENDS

    before = set(BACKENDS)
    module, _, function = name.partition(":")
    try:
        getattr(import_module(module), function)()
    except (ImportError, AttributeError, TypeError) as error:
        raise StudyError(
            f"--backend {name}: can't be called ({error}): must be MODULE:FUNCTION that registers "
            "a joblib backend"
        ) from error
    return min(set(BACKENDS) - before, default=name)
