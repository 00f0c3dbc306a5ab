"""Other processes through joblib: those of ``loky``, or of any backend that is registered."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Self

from study import interrupts
from study.errors import StudyError, of_status
from study.training.plan import Plan
from study.training.work import prepare_shared
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

_HERE = ("loky", "multiprocessing")  # joblib's backends whose processes are on this machine
_log = logging.getLogger(__name__)


@contextmanager
def spawned(pool: Processes, plans: Sequence[Plan], data_root: Path | None) -> Iterator[Processes]:
    """The pool with the data of these plans prepared by one of its processes, for all."""
    if pool.backend not in _HERE or not plans:
        yield pool
        return
    with TemporaryDirectory(prefix="study-", ignore_cleanup_errors=True) as folder:
        own = replace(pool, requirements=replace(pool.requirements, folder=Path(folder)))
        root = data_root and data_root.absolute()
        for protocol in {plan.protocol for plan in plans if plan.device == "cpu"}:
            own.unprepared.append((Path(folder), protocol, root))
        try:
            yield own
        finally:
            own.let_go()


@dataclass(frozen=True)
class Processes:
    """``jobs`` workers of a joblib backend."""

    backend: str
    jobs: int
    requirements: TaskRequirements
    lock: Lock = field(default_factory=Lock)
    unprepared: list[object] = field(default_factory=list)  # data, as tasks of prepare_shared

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
            self._prepare()
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

    def _prepare(self) -> None:
        """Let one process write the data; meanwhile the others load what it loads."""
        while self.unprepared:
            task = self.unprepared.pop()
            with suppress(Exception):  # whoever trains on the data says what is wrong with it
                list(self._run(prepare_shared, self.jobs * [task]))

    def let_go(self) -> None:
        """On Windows, a file can't be deleted while a process maps it."""
        if os.name == "nt" and self.backend == "loky":
            from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]

            get_reusable_executor().shutdown(kill_workers=True)

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
    lists the files that it then deletes.
    """
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
    interrupts.silence_trackers()


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
