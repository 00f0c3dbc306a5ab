"""This package end to end: plan, train and record on a new SQLite file, by open workers."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.work import Done, Work
from study.search import Outcome, Settings, search
from study.trials import StoredTrial
from study.workers import Pool


def end_to_end(work: Work, n_trials: int, pool: Pool) -> Outcome:
    """The search with the package's defaults, on a new SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(f"sqlite:///{folder}/search.db", work.model, n_trials=n_trials)
        return search(work.plan, settings, pool=pool)


def run(work: Work) -> Done:
    """The whole search; it has to plan the very trials that the other peers were given."""
    with work.open() as pool:
        end_to_end(replace(work, steps=1), work.jobs, pool)  # imports what is used first then
        began = time.perf_counter()
        outcome = end_to_end(work, len(work.trials), pool)
        seconds = time.perf_counter() - began
    return done(work, seconds, outcome.trials)


def done(work: Work, seconds: float, trials: Sequence[StoredTrial]) -> Done:
    """What a search of the work's very trials took and found.

    Raises:
        RuntimeError: It planned other trials.
    """
    planned = tuple((trial.number, trial.learning_rate) for trial in trials)
    if planned != work.trials:
        raise RuntimeError("the search planned other trials than the same search did before")
    return Done(seconds, [trial.val_errors for trial in trials])
