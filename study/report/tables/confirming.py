"""The confirmation: replicates on fresh seeds, searches on fresh splits, and their tests."""

from __future__ import annotations

from typing import Any

import pandas as pd

from study.report.record import Record
from study.report.tables.searching import by_model


def replicates(record: Record) -> pd.DataFrame:
    """Every finalist on every fresh seed; ``of_best`` marks those of the search's best trial.

    ``search_…`` are the errors that the best trial itself had in the search.
    """
    titles = {search.name: search.title for search, _ in record.winners}
    best = {search.name: trial for search, trial in record.winners}
    rows: list[dict[str, Any]] = [
        {"model": titles[row["study"]]}
        | {name: value for name, value in row.items() if name != "curve"}
        | {
            "final_error": row["final_errors"] / row["n_val"],
            "val_error": row["val_errors"] / row["n_val"],
            "of_best": row["finalist"] == best[row["study"]].number,
            "search_final_error": best[row["study"]].final_error,
            "search_val_error": best[row["study"]].val_error,
        }
        for row in record.replicates
    ]
    return by_model(rows, record).astype({"hidden_units": "Int64"})


def splits(record: Record) -> pd.DataFrame:
    """Every resampled search: what its winner was chosen by, and its one look at the holdout."""
    titles = {search.name: search.title for search in record.searches}
    rows: list[dict[str, Any]] = [
        {"model": titles[row["study"]]}
        | row
        | {
            "val_error": row["val_errors"] / row["n_val"],
            "holdout_error": row["holdout_errors"] / row["n_holdout"],
        }
        for row in record.splits
    ]
    return by_model(rows, record).astype({"hidden_units": "Int64"})


def outperforming(record: Record) -> pd.DataFrame:
    """On how many seeds the leader errs less, and the probability of it with its interval."""
    c = record.comparison
    assert c is not None
    leads = c.verdict.leader != "A"
    found = c.b_outperforms_a if leads else c.b_outperforms_a.mirrored()
    leader, other = record.searches[:: -1 if leads else 1]
    return by_model(
        [
            {
                "model": leader.title,
                "against": other.title,
                "pairs": found.n_pairs,
                "probability": found.probability,
                "lower": found.interval.lower,
                "upper": found.interval.upper,
            }
        ],
        record,
    )


def mcnemar(record: Record) -> pd.DataFrame:
    """McNemar's test of each pair of replicates at the last validation, a row a seed."""
    c = record.comparison
    assert c is not None
    first, second = (search.key for search in record.searches)
    return pd.DataFrame(
        [
            {
                "replicate": number,
                f"only_{first}_wrong": test.b,
                f"only_{second}_wrong": test.c,
                "exact_p": test.exact_p,
                "mid_p": test.mid_p,
            }
            for number, test in enumerate(c.replicate_mcnemar)
        ]
    )
