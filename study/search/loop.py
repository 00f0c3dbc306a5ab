"""The search: plan a generation, train it, record it, report it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import formats, notebook_html, storage
from study.errors import StudyError
from study.search.checkpoints import drop_weights, keep_weights, lost_weights, save_again
from study.search.planner import Planner, task_of_stored, tasks_of
from study.storage.ledger import REMEDY
from study.storage.searched import require_fit
from study.storage.urls import shown
from study.storage.versions import tell_versions
from study.text import one_line
from study.training.engine import is_here
from study.training.plan import Plan
from study.training.registry import build
from study.training.space import first_value
from study.training.work import train_cohort
from study.trials import StoredTrial, best_of, rank, require_storable
from study.trials.selection import meets_target
from study.workers import Pool, Workers

if TYPE_CHECKING:
    from study.training.task import Planned, Task, Trained


@dataclass(frozen=True)
class Settings:
    """How a search is run: nothing here changes a trial's result."""

    storage: str
    study_name: str
    n_trials: int = 64  # the size of the study
    workers: Workers = field(default_factory=Workers)
    data_root: Path | None = None
    until_target: bool = False
    timeout: float | None = None  # seconds
    other_versions: bool = False  # go on with a study that was begun with others than are here
    remedy: str = REMEDY  # if the study was searched under another plan

    @property
    def where(self) -> tuple[str, str]:
        """The storage and the study's name."""
        return self.storage, self.study_name

    @property
    def root(self) -> Path | None:
        """The data root as workers find it, whose current folder may be another."""
        return self.data_root and self.data_root.absolute()


@dataclass(frozen=True)
class Outcome:
    """What a search leaves: the study's trials, and what this run added."""

    trials: list[StoredTrial]
    added: int
    seconds: float  # of this run
    others: Counter[str] = field(default_factory=Counter)  # unfinished trials, by state
    plan: Plan = field(kw_only=True)  # as the study has it
    storage: str = field(default="", kw_only=True)  # where it is
    study_name: str = field(default="", kw_only=True)

    @property
    def best(self) -> StoredTrial | None:
        """The best trial that was trained to the end; None where there is none."""
        return best_of(self.trials)

    def __repr__(self) -> str:
        best, name = self.best, self.study_name or self.plan.model
        found = "no trial was trained to the end" if best is None else f"best {repr(best)[1:-1]}"
        trials = formats.plural(len(self.trials), "trial")
        return one_line(f"<{type(self).__name__} of {name}: {trials}, {self.added} new; {found}>")

    def _repr_html_(self) -> str:
        """The three best trials, for a notebook."""
        best = sorted(self.trials, key=lambda t: (t.state != "COMPLETE", rank(t)))[:3]
        names = list(best[0].parameters) if best else []
        head = ["trial", "validation error", *map(formats.parameter_name, names), "outcome"]
        rows = [
            [
                str(t.number),
                formats.error(t.val_errors, t.n_val),
                *(formats.value(t.parameters[name]) for name in names),
                t.outcome,
            ]
            for t in best
        ]
        trials, duration = formats.plural(len(self.trials), "trial"), formats.seconds(self.seconds)
        return notebook_html.table(f"{trials}, {self.added} of them new in {duration}", head, rows)


Progress = Callable[[float, StoredTrial | None], None]
"""(work done since the last call, a whole trial being 1; the best trial so far)."""


def search(
    plan: Plan, settings: Settings, progress: Progress | None = None, pool: Pool | None = None
) -> Outcome:
    """Search until the study has ``settings.n_trials`` trials.

    Run again after a kill, it goes on to the same table, bit for bit.

    Args:
        plan: What is searched. What it does not state is the stored study's, if there is one.
        settings: Where the study is stored, and how the search is run.
        progress: Called as work is done, first with the trials that are there.
        pool: Open workers that are shared with others; by default those of the settings.

    Returns:
        All trials of the study.

    Raises:
        StudyError: The study was searched under another plan, with an engine that is not here,
            or with other versions, or the storage is unusable.
        BusyError: Another search holds the study.
        ResourceError: The storage can't be written.
    """
    from study.training.loading import load_pair

    start = time.monotonic()
    storage.check_name(settings.study_name, storage.MAX_NAME)
    require_storable(plan.protocol)
    pair = load_pair(plan.protocol, settings.root)  # held, so that it is loaded once
    plan = replace(plan, inputs=pair.inputs)
    require_model(plan)

    def wanted(stored: Mapping[str, Any] | None) -> dict[str, Any]:
        return plan.settled(stored).manifest(pair.digest)

    require_fit(*settings.where, wanted, settings.remedy)
    with (
        nullcontext(pool) if pool else settings.workers.open([plan], settings.root) as workers,
        storage.Ledger.hold(*settings.where, wanted, settings.remedy) as ledger,
    ):
        run = _Run(ledger.found.plan, settings, ledger, workers, progress)  # as the study has it
        before = len(run.trials)
        if not run.is_done(0):
            ledger.require_versions(others=settings.other_versions)
        tell_versions(ledger.found)
        run.prepare()
        run.report(before)
        while not run.is_done(time.monotonic() - start):
            run.train_and_record(settings.n_trials)
        run.report(0)
    added, seconds = len(run.trials) - before, time.monotonic() - start
    return Outcome(
        run.trials,
        added,
        seconds,
        ledger.found.others,
        plan=run.plan,
        storage=settings.storage,
        study_name=settings.study_name,
    )


def require_model(plan: Plan) -> None:
    """Refuse a person's model that can't be built, before a storage is made.

    Raises:
        StudyError: Its factory fails, or its modules can't be trained as a cohort.
    """
    model = plan.model_definition
    if model.source_sha256:
        simplest = {name: first_value(found) for name, found in plan.space.items()}
        build(model, simplest, seed=plan.seed, inputs=plan.inputs)


class _Run:
    """The steps of a search whose study and workers are open."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        ledger: storage.Ledger,
        pool: Pool,
        progress: Progress | None,
    ) -> None:
        self.plan, self.settings, self.ledger, self.pool = plan, settings, ledger, pool
        self.progress = progress
        self.trials = [*ledger.found.trials]
        self.best = best_of(self.trials)  # found once a generation, not at every report
        self.planner = Planner(plan, ledger.found.frozen)
        self.data_sha256 = ledger.found.manifest["data_sha256"]

    def prepare(self) -> None:
        """Restore the files beside the storage, and check that there is room for more."""
        where, missing = self.settings.where, self.settings.n_trials - len(self.trials)
        drop_weights(*where, self.trials)  # a killed search may have left some
        self._restore_weights()
        if missing > 0:
            self._require_engine()
            storage.require_room(storage.files(*where), self.plan.bytes_needed(missing))

    def _require_engine(self) -> None:
        if not is_here(self.plan.engine):
            raise StudyError(
                f"study {shown(self.settings.study_name)}: was searched with engine "
                f"{self.plan.engine}, which is not on this machine: report and confirm it as it "
                "is, or search another --study-name with --engine torch, whose trials differ in "
                "the last bits"
            )

    def _restore_weights(self) -> None:
        """Repeat the training of the best trials whose weights are lost, and save them."""
        found, root = self.ledger.found, self.settings.root
        lost = lost_weights(*self.settings.where, found.trials)
        tasks = {
            tuple(trial.user_attrs["cohort"]): task_of_stored(
                self.plan, found.frozen, trial, self.data_sha256, root
            )
            for trial in found.frozen
            if trial.number in lost
        }
        if not tasks:
            return
        trained = self._trained(list(tasks.values()), lambda _: None)
        numbers = [number for cohort in tasks for number in cohort]
        for number, (planned, result) in zip(numbers, trained, strict=True):
            if number in lost:
                save_again(
                    *self.settings.where, lost[number], planned.seed, result.history.weights
                )

    def is_done(self, seconds: float) -> bool:
        """Whether the study is whole, at its target, or out of time."""
        best, settings = self.best, self.settings
        return (
            len(self.trials) >= settings.n_trials
            or (settings.until_target and best is not None and meets_target(self.plan, best))
            or (settings.timeout is not None and seconds >= settings.timeout)
        )

    def report(self, work: float) -> None:
        """Report work that is done."""
        if self.progress:
            self.progress(work, self.best)

    def train_and_record(self, upto: int) -> None:
        """The next generation; all that are left where their trials are known ahead."""
        stops_early = self.settings.until_target or self.settings.timeout is not None
        is_ahead = self.plan.is_known_ahead and not stops_early
        planned = list(self.planner.generations(upto)) if is_ahead else [self.planner.ask(upto)]
        began = datetime.now()
        for results in self._train(planned, self.report):
            self.record(results, began)

    def _train(
        self, generations: Sequence[Sequence[Planned]], report: Callable[[float], None]
    ) -> Iterator[list[tuple[Planned, Trained]]]:
        """Train generations; the results of each, by place, as soon as it is whole."""
        where = self.data_sha256, self.settings.root
        tasks = [
            t
            for planned in generations
            for t in tasks_of(self.plan, self.planner, planned, *where)
        ]
        trained = self._trained(tasks, report)
        for planned in generations:
            yield sorted(islice(trained, len(planned)), key=lambda result: result[0].place)

    def _trained(
        self, tasks: Sequence[Task], report: Callable[[float], None]
    ) -> Iterator[tuple[Planned, Trained]]:
        """Train cohorts; each of their trials with its result, in the tasks' order."""
        results = self.pool.results(train_cohort, tasks, report)
        for task, trained in zip(tasks, results, strict=True):
            yield from zip(task.trials, trained, strict=True)

    def record(self, results: Sequence[tuple[Planned, Trained]], began: datetime) -> None:
        """Append a generation to the study; the weights of its best trials are saved first."""
        from study.trials.frozen import frozen_trial

        first = self.ledger.next_number()
        offset = first - results[0][0].place
        frozen = [frozen_trial(self.plan, *result, began, offset) for result in results]
        new = [StoredTrial.of(trial) for trial in frozen]
        self.trials += new
        self.best = best_of(self.trials)
        keep_weights(*self.settings.where, self.trials, new, results)
        self.ledger.append(frozen, first)
        self.planner.tell(frozen)
        drop_weights(*self.settings.where, self.trials)
