"""The search: plan a generation, train it, record it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from study import html_table, storage
from study.search.checkpoints import drop_weights, keep_weights, lost_weights, save_again
from study.search.planner import Planner
from study.storage.searched import require_fit
from study.training.plan import Plan
from study.training.task import Planned
from study.trials import StoredTrial, best_of, rank, require_storable
from study.trials.selection import meets_target
from study.workers import Pool, Workers

if TYPE_CHECKING:
    from study.storage.searched import Searched
    from study.training.task import Task, Trained


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
    remedy: str = "choose another --study-name"  # where the study was searched otherwise


@dataclass(frozen=True)
class Outcome:
    """What a search leaves: the study's trials, and what this run added."""

    trials: list[StoredTrial]
    added: int
    seconds: float  # spent on the added trials
    others: Counter[str] = field(default_factory=Counter)  # unfinished trials, by state

    def _repr_html_(self) -> str:
        """The five best trials, for a notebook."""
        order = sorted(self.trials, key=lambda t: (t.state != "COMPLETE", rank(t)))[:5]
        rows = [
            [
                str(t.number),
                f"{t.val_error:.2%} ({t.val_errors} of {t.n_val:,})",
                f"{t.learning_rate:.4g}",
                "" if t.hidden_units is None else str(t.hidden_units),
                t.outcome,
            ]
            for t in order
        ]
        head = ["trial", "validation error", "learning rate", "hidden units", "outcome"]
        caption = f"{len(self.trials)} trials, {self.added} of them new in {self.seconds:.1f} s"
        return html_table.table(caption, head, rows)


Progress = Callable[[float, StoredTrial | None], None]
"""(trials' worth of work done since the last call, the best trial so far)."""


def search(plan: Plan, settings: Settings, progress: Progress | None = None) -> Outcome:
    """Search until the study has ``settings.n_trials`` trials.

    Run again after a kill, it goes on to the same table, bit for bit.

    Args:
        plan: What is searched.
        settings: Where it is kept and how it is run.
        progress: Told of the work done.

    Returns:
        All trials of the study.

    Raises:
        StudyError: The study was searched under another plan, or the storage is unusable.
        BusyError: Another search holds the study.
        ResourceError: The storage can't be written.
    """
    from study.search.planner import tasks_of
    from study.training.work import load_pair
    from study.trials.frozen import frozen_trial

    start = time.monotonic()
    storage.check_name(settings.study_name, storage.MAX_NAME)
    require_storable(plan.protocol)
    root = settings.data_root and settings.data_root.absolute()  # workers have other folders
    pair = load_pair(plan.protocol, root)
    manifest = plan.manifest(pair.digest)
    require_fit(settings.storage, settings.study_name, manifest, settings.remedy)
    where = settings.storage, settings.study_name
    with (
        settings.workers.open() as pool,
        storage.Ledger.hold(*where, manifest, settings.remedy) as ledger,
    ):
        found, trials = ledger.found, [*ledger.found.trials]
        planner, before = Planner(plan, found.frozen), len(trials)
        drop_weights(*where, trials)  # what a kill left
        _make_weights_again(plan, settings, pair.digest, found, pool)
        if before < settings.n_trials:
            storage.require_room(
                storage.files(*where), plan.bytes_needed(settings.n_trials - before)
            )
        _reporter(progress, best_of(trials))(before)
        while not _done(plan, settings, trials, start):
            generation = planner.ask(settings.n_trials)
            report = _reporter(progress, best_of(trials))
            began = datetime.now()
            tasks = tasks_of(plan, planner, generation, pair.digest, root)
            results = _train(tasks, pool, report)
            first = ledger.next_number()
            offset = first - generation[0].place
            frozen = [frozen_trial(plan, *result, began, offset) for result in results]
            new = [StoredTrial.of(trial) for trial in frozen]
            trials += new
            keep_weights(*where, trials, new, results)
            ledger.append(frozen, first)
            planner.tell(frozen)
            drop_weights(*where, trials)
        _reporter(progress, best_of(trials))(0)
    seconds = time.monotonic() - start
    return Outcome(trials, len(trials) - before, seconds, found.others)


def _make_weights_again(
    plan: Plan, settings: Settings, data_sha256: str, found: Searched, pool: Pool
) -> None:
    """Train the cohorts anew whose best trials' weights are lost, and save those weights."""
    from study.search.planner import task_of_stored
    from study.training.work import train_cohort

    where = settings.storage, settings.study_name
    lost = lost_weights(*where, found.trials)
    root = settings.data_root and settings.data_root.absolute()
    tasks = {
        tuple(trial.user_attrs["cohort"]): task_of_stored(
            plan, found.frozen, trial, data_sha256, root
        )
        for trial in found.frozen
        if trial.number in lost
    }
    if not tasks:
        return
    trained = pool.results(train_cohort, list(tasks.values()), lambda _: None)
    for (numbers, task), results in zip(tasks.items(), trained, strict=True):
        for number, planned, result in zip(numbers, task.trials, results, strict=True):
            if number in lost:
                save_again(*where, lost[number], planned.seed, result.history.weights)


def _done(plan: Plan, settings: Settings, trials: Sequence[StoredTrial], start: float) -> bool:
    """Whether the study is whole, at its target, or out of time."""
    best = best_of(trials)
    return (
        len(trials) >= settings.n_trials
        or (settings.until_target and best is not None and meets_target(plan, best))
        or (settings.timeout is not None and time.monotonic() - start >= settings.timeout)
    )


def _reporter(progress: Progress | None, best: StoredTrial | None) -> Callable[[float], None]:
    return lambda work: progress(work, best) if progress else None


def _train(
    tasks: Sequence[Task], pool: Pool, report: Callable[[float], None]
) -> list[tuple[Planned, Trained]]:
    """Train the cohorts; the results in the order of the trials."""
    from study.training.work import train_cohort

    trained = pool.results(train_cohort, tasks, report)
    pairs = [
        pair
        for task, results in zip(tasks, trained, strict=True)
        for pair in zip(task.trials, results, strict=True)
    ]
    return sorted(pairs, key=lambda pair: pair[0].place)
