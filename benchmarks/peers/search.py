"""This package end to end: plan, train and record on a fresh SQLite file, after imports."""

import tempfile
import time
from collections.abc import Sequence

from benchmarks.work import Done, Work
from study.search import Outcome, Plan, Settings, search
from study.training.protocol import Protocol
from study.trials import StoredTrial


def end_to_end(work: Work, n_trials: int, protocol: Protocol, sampler: str = "tpe") -> Outcome:
    """The search with the model's default generation and cohort."""
    kind = work.kind
    plan = Plan(
        model=work.model,
        space=work.space,
        protocol=protocol,
        seed=work.seed,
        target=kind.target,
        sampler=sampler,
        generation_size=kind.generation,
        cohort_size=kind.cohort,
        device=work.device,
    )
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/search.db"
        return search(
            plan, Settings(storage, work.model, n_trials=n_trials, workers=work.workers())
        )


def run(work: Work) -> Done:
    """The whole search; it has to plan the very trials that the other peers were given."""
    warm_up(work)
    began = time.perf_counter()
    outcome = end_to_end(work, len(work.trials), work.protocol)
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


def warm_up(work: Work) -> None:
    """Import all that is imported on first use: a throw-away search of one step."""
    end_to_end(work, 1, Protocol(steps=1))
