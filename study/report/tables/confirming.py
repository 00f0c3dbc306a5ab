"""The confirmation: replicates on fresh seeds, searches on fresh splits, and their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from study.report import parameters
from study.report.record import Record
from study.report.tables.searching import by_model

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison


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
    """Every resampled search: what its winner was chosen by, and its one look at the holdout."""
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
        }
        for row in record.splits
    ]
    return by_model(rows, record).pipe(parameters.typed, record)


def _taking(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def outperforming(record: Record) -> pd.DataFrame:
    """On how many seeds each pair's leader errs less, and the probability of it with its interval.

    A row a pair.
    """
    c = record.comparison
    assert c is not None
    return by_model([_outperforming(record, pair) for pair in c.pairs], record)


def _outperforming(record: Record, pair: Comparison) -> dict[str, Any]:
    leads = pair.verdict.leader != "A"
    found = pair.b_outperforms_a if leads else pair.b_outperforms_a.mirrored()
    leader, other = (record.search_of(s.study) for s in (pair.a, pair.b)[:: -1 if leads else 1])
    return {
        "model": leader.title,
        "against": other.title,
        "pairs": found.n_pairs,
        "probability": found.probability,
        "lower": found.interval.lower,
        "upper": found.interval.upper,
    }


def pairs(record: Record) -> pd.DataFrame:
    """Every pair's difference of holdout errors, corrected for the number of pairs.

    ``difference`` is the first model's error less the second's, a fraction, with its interval;
    ``p`` is that of the pair alone, and ``p_adjusted`` Holm's.
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
            }
            for pair in c.pairs
        ]
    )


def mcnemar(record: Record) -> pd.DataFrame:
    """McNemar's test of each pair of replicates at the last validation, a row a seed.

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
