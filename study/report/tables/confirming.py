"""The confirmation: replicates on fresh seeds, searches with images held out, and their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from study.report import parameters
from study.report.record import Record
from study.report.tables.searching import by_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from study.confirm.comparison import Comparison

    Cells = Callable[[Mapping[str, Any]], dict[str, Any]]


def replicates(record: Record) -> pd.DataFrame:
    """Every finalist on every fresh seed; ``of_best`` marks those of the search's best trial.

    ``search_…`` are the errors that the best trial itself had in the search.
    """
    cells = parameters.cells(record)
    titles = {search.name: search.title for search, _ in record.winners}
    best = {search.name: trial for search, trial in record.winners}
    rows: list[dict[str, Any]] = [
        {
            "model": titles[row["study"]],
            **_taking(row, "study", "replicate", "finalist"),
            **cells(row["parameters"]),
            **_taking(row, "final_errors", "val_errors", "n_val"),
            "final_error": row["final_errors"] / row["n_val"],
            "val_error": row["val_errors"] / row["n_val"],
            "of_best": row["finalist"] == best[row["study"]].number,
            "search_final_error": best[row["study"]].final_error,
            "search_val_error": best[row["study"]].val_error,
        }
        for row in record.replicates
    ]
    return by_model(rows, record).pipe(parameters.typed, record)


def splits(record: Record) -> pd.DataFrame:
    """Every split's search: what its winner was chosen by, and its one look at held-out images.

    The same of its simplest trial within one standard error, where a confirmation judged it.
    """
    cells = parameters.cells(record)
    titles = {search.name: search.title for search in record.searches}
    rows: list[dict[str, Any]] = [
        {
            "model": titles[row["study"]],
            **_taking(row, "study", "split"),
            **cells(row["parameters"]),
            **_taking(row, "val_errors", "n_val", "holdout_errors", "n_holdout"),
            "val_error": row["val_errors"] / row["n_val"],
            "holdout_error": row["holdout_errors"] / row["n_holdout"],
            **_simplest(row, cells),
        }
        for row in record.splits
    ]
    return by_model(rows, record).pipe(parameters.typed, record)


def _simplest(row: dict[str, Any], cells: Cells) -> dict[str, Any]:
    found = row.get("simplest")
    if found is None:
        return {}
    return {
        **{f"simplest_{name}": cell for name, cell in cells(found["parameters"]).items()},
        "simplest_val_errors": found["val_errors"],
        "simplest_holdout_errors": found["holdout_errors"],
        "simplest_holdout_error": found["holdout_errors"] / row["n_holdout"],
    }


def _taking(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def pairs(record: Record) -> pd.DataFrame:
    """Every pair's difference of errors on held-out images, corrected for the number of pairs.

    ``difference`` is the first model's error less the second's, a fraction, with its interval;
    ``p`` is that of the pair alone, and ``p_adjusted`` Holm's. ``detectable`` is the smallest
    difference that is found with 80 % power; ``p_first_better``, ``p_equivalent`` and
    ``p_second_better`` are the probabilities of a difference beyond the ``margin``, or within it.
    """
    c = record.comparison
    assert c is not None
    return pd.DataFrame(
        [
            {
                "first": record.search_of(pair.a.study).title,
                "second": record.search_of(pair.b.study).title,
                "difference": pair.difference.mean,
                "lower": pair.difference.interval.lower,
                "upper": pair.difference.interval.upper,
                "p": pair.difference.p,
                "p_adjusted": pair.p_adjusted,
                "outcome": pair.verdict.outcome,
                "leader": {"A": "first", "B": "second"}.get(str(pair.verdict.leader), ""),
                "within_margin": pair.verdict.within_margin,
                "margin": pair.verdict.margin,
                "detectable": pair.verdict.detectable,
                "p_first_better": pair.verdict.probabilities.a_better,
                "p_equivalent": pair.verdict.probabilities.equivalent,
                "p_second_better": pair.verdict.probabilities.b_better,
                "splits": pair.b_ahead_over_splits.n_pairs,
                "share_of_splits_first_better": 1 - pair.b_ahead_over_splits.probability,
            }
            for pair in c.pairs
        ]
    )


def mcnemar(record: Record) -> pd.DataFrame:
    """McNemar's test of each pair of replicates at the best step, a row a seed.

    Of more than two models, a row a seed of each pair of models.
    """
    c = record.comparison
    assert c is not None
    if len(c.pairs) == 1:
        first, second = (search.key for search in record.searches)
        return pd.DataFrame(_tests(c.pairs[0], first, second))
    return pd.DataFrame(
        [
            {"first": record.search_of(pair.a.study).title}
            | {"second": record.search_of(pair.b.study).title}
            | row
            for pair in c.pairs
            for row in _tests(pair, "first", "second")
        ]
    )


def _tests(pair: Comparison, first: str, second: str) -> list[dict[str, Any]]:
    return [
        {
            "replicate": number,
            f"only_{first}_wrong": test.b,
            f"only_{second}_wrong": test.c,
            "exact_p": test.exact_p,
            "mid_p": test.mid_p,
        }
        for number, test in enumerate(pair.replicate_mcnemar)
    ]
