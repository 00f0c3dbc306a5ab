"""The workers that a command names."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from study.errors import StudyError
from study.system import CAN_FORK
from study.training.loading import is_in_memory
from study.training.plan import Plan
from study.training.registry import BUILT_IN, Model
from study.workers.pool import LOCAL, THREADS, Pool


@dataclass(frozen=True)
class Workers:
    """What trains the cohorts; nothing here changes a result."""

    jobs: int = 1  # cohorts at once; a Dask cluster takes as many as it has threads
    backend: str = LOCAL  # or a joblib backend, or MODULE:FUNCTION that registers one
    dask: str | None = None  # the address of a scheduler
    trial_timeout: float | None = None  # seconds that a cohort may take
    model_files: tuple[Path, ...] = ()  # what other processes load too

    @contextmanager
    def open(self, plans: Sequence[Plan] = (), data_root: Path | None = None) -> Iterator[Pool]:
        """The workers, for the length of the block.

        It returns before local processes have loaded torch and the data: the earlier it is
        called, the earlier they train.

        Args:
            plans: What will be searched: local processes prepare their data once. A device that
                is no CPU, and a model that only this process knows, are used in this process.
            data_root: Where the data lies.

        Raises:
            StudyError: These workers can't be used; the message says why.
            ResourceError: No scheduler answers.
        """
        if self.dask is None and self.backend in (LOCAL, THREADS):
            opened = self._local(plans, data_root)
        else:
            opened = self._other(plans, data_root)
        with opened as pool:
            yield pool

    def _local(
        self, plans: Sequence[Plan], data_root: Path | None
    ) -> AbstractContextManager[Pool]:
        """This process, its threads, or processes that are forked for it."""
        why = self._why_here(plans)
        if self.trial_timeout is not None and why:
            raise StudyError(
                f"--trial-timeout: {why} trains in this process, which can't be stopped: leave it "
                "out"
            )
        one_at_once = any(plan.device != "cpu" for plan in plans) or self.jobs == 1
        if one_at_once and self.trial_timeout is None:
            from study.workers.threads import Here

            return nullcontext(Here())
        if why:
            from study.workers.threads import threads

            return threads(self.jobs)
        if sys.platform != "win32" and CAN_FORK:
            from study.workers.local import forked

            return forked(self.jobs, plans, data_root, self.model_files, self.trial_timeout)
        return replace(self, backend="loky")._other(plans, data_root)

    def _why_here(self, plans: Sequence[Plan]) -> str:
        """What can't be trained in another process, in words; empty if nothing is in the way."""
        if self.backend == THREADS:
            return "--backend threading"
        for plan in plans:
            if plan.device != "cpu":
                return f"--device {plan.device}"
            if is_in_memory(plan.protocol):
                return "data in memory"
            if not self._is_known(plan.model_definition):
                return f"model {plan.model!r}, which no --model-file registers,"
        return ""

    def _is_known(self, model: Model) -> bool:
        """Whether other processes know the model too."""
        files = {hashlib.sha256(path.read_bytes()).hexdigest() for path in self.model_files}
        return model.name in BUILT_IN or model.source_sha256 in files

    def _other(
        self, plans: Sequence[Plan], data_root: Path | None
    ) -> AbstractContextManager[Pool]:
        """A cluster, or a backend of joblib's."""
        from study.workers.remote import TaskRequirements

        requirements = TaskRequirements.of(self.trial_timeout, self.model_files)
        if self.dask is not None:
            from study.workers.cluster import connected

            return connected(self.dask, requirements)
        from study.workers.processes import Processes, spawned

        pool = Processes.named(self.backend, self.jobs, requirements)
        return spawned(pool, plans, data_root)
