"""The trials that everyone trains: those that this package's search plans, and their errors."""

from dataclasses import replace

from benchmarks.peers.search import end_to_end
from benchmarks.work import Work

BATCH_ORDERS = 4  # beside the study's own


def plan(work: Work, n_trials: int) -> dict[str, list]:
    """An untimed search: (number, learning rate) and lowest error count of each trial."""
    with work.open() as pool:
        outcome = end_to_end(work, n_trials, pool)
    return {
        "trials": [(trial.number, trial.learning_rate) for trial in outcome.trials],
        "val_errors": [trial.val_errors for trial in outcome.trials],
    }


def reorder(work: Work) -> list[list[int]]:
    """The trials' error counts under other orders of the batches, a list an order."""
    from study.training.work import train_cohort

    [whole] = work.cohorts(1)
    tasks = [replace(whole, seed=work.seed + order) for order in range(1, BATCH_ORDERS + 1)]
    with work.open() as pool:
        orders = [[each.history for each in found] for found in pool.results(train_cohort, tasks)]
    return [[int(h.val_errors[h.best]) for h in histories] for histories in orders]
