"""The workers that a command names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from study.errors import StudyError
from study.workers.pool import LOCAL, Pool


@dataclass(frozen=True)
class Workers:
    """What trains the cohorts; nothing here changes a result."""

    jobs: int = 1  # cohorts at once; a Dask cluster takes as many as it has threads
    backend: str = LOCAL  # a joblib backend, or MODULE:FUNCTION that registers one
    dask: str | None = None  # the address of a scheduler
    trial_timeout: float | None = None  # seconds that a cohort may take
    model_files: tuple[Path, ...] = ()  # what other processes load too

    @contextmanager
    def open(self) -> Iterator[Pool]:
        """The workers, for the length of the block.

        Raises:
            StudyError: These workers can't be used; the message says why.
            ResourceError: No scheduler answers.
        """
        if self.dask is None and self.backend == LOCAL:
            if self.trial_timeout is not None:
                raise StudyError(
                    "--trial-timeout: a thread of this process can't be stopped: pass --dask, or "
                    "--backend loky for processes"
                )
            from study.workers.threads import Threads

            yield Threads(self.jobs)
            return
        from study.workers.remote import TaskRequirements

        requirements = TaskRequirements.of(self.trial_timeout, self.model_files)
        if self.dask is not None:
            from study.workers.cluster import connected

            with connected(self.dask, requirements) as pool:
                yield pool
        else:
            from study.workers.processes import Processes

            yield Processes.named(self.backend, self.jobs, requirements)
