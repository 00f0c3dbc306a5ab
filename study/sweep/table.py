"""What a sweep found, read from the storage alone: a row a pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from study import storage as store
from study.errors import StudyError
from study.integrity import vouched
from study.sweep.pairs import ALL, Pair, study_name
from study.trials import StoredTrial, best_of, read_trials

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Row:
    """One pair. Errors are the lowest that each search saw, counts of ``n_val`` images."""

    first: int
    second: int
    n_val: int
    linear_errors: int
    mlp_errors: int
    verdict: str  # of the confirmation, empty without one

    @property
    def pair(self) -> Pair:
        """The two classes."""
        return self.first, self.second

    @property
    def gap(self) -> float:
        """The linear model's error less the MLP's, a fraction."""
        return (self.linear_errors - self.mlp_errors) / self.n_val

    @property
    def winner(self) -> str:
        """``linear``, ``mlp`` or ``tie``."""
        if self.linear_errors == self.mlp_errors:
            return "tie"
        return "mlp" if self.mlp_errors < self.linear_errors else "linear"

    def __str__(self) -> str:
        linear, mlp = (n / self.n_val for n in (self.linear_errors, self.mlp_errors))
        verdict = f", {self.verdict}" if self.verdict else ""
        return f"{self.first}-{self.second}: linear {linear:.2%}, mlp {mlp:.2%}{verdict}"


def rows(storage: str, dataset: str, pairs: Sequence[Pair] = ALL) -> list[Row]:
    """The pairs that both models were searched on.

    Raises:
        StudyError: The storage can't be read, or a trial in it is damaged.
    """
    there = set(store.study_names(storage))
    return [row for pair in pairs for row in _row(storage, dataset, pair, there)]


def _row(storage: str, dataset: str, pair: Pair, there: set[str]) -> Iterator[Row]:
    names = (study_name(dataset, pair, "linear"), study_name(dataset, pair, "mlp"))
    if not there.issuperset(names):
        return
    linear, mlp = (_best(storage, name) for name in names)
    if linear is not None and mlp is not None:
        verdict = _verdict(storage, names, there)
        yield Row(*pair, linear.n_val, linear.val_errors, mlp.val_errors, verdict)


def _best(storage: str, name: str) -> StoredTrial | None:
    return best_of(read_trials(vouched(store.load_study(storage, name)), name))


def _verdict(storage: str, names: tuple[str, str], there: set[str]) -> str:
    """``mlp better``, ``not separated`` …; empty where it is not wholly confirmed."""
    from study.confirm.comparison import compare
    from study.confirm.plan import REPLICATES, SPLITS

    if not there.issuperset(name + part for name in names for part in (REPLICATES, SPLITS)):
        return ""
    try:
        outcome = compare(storage, names).verdict.outcome
    except StudyError:
        return ""
    return {"A better": "linear better", "B better": "mlp better"}.get(outcome, outcome)


def frame(found: Sequence[Row]) -> pd.DataFrame:
    """The rows as a table: errors also as fractions, the gap in percentage points."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "first": row.first,
                "second": row.second,
                "winner": row.winner,
                "gap_points": round(100 * row.gap, 4),
                "linear_error": row.linear_errors / row.n_val,
                "mlp_error": row.mlp_errors / row.n_val,
                "linear_errors": row.linear_errors,
                "mlp_errors": row.mlp_errors,
                "n_val": row.n_val,
                "verdict": row.verdict,
            }
            for row in found
        ]
    )
