"""What a sweep found, read from the storage alone: a row a pair."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from study import formats
from study import storage as store
from study.errors import NotConfirmedError, ResourceError, StudyError
from study.report.record import digest_of
from study.storage.searched import Searched
from study.sweep.pairs import ALL, Pair, folder, study_names
from study.trials.selection import meets_target

if TYPE_CHECKING:
    import pandas as pd

OWN = {"classes", "data_sha256", "study", "versions"}  # of a manifest: a pair's own, not compared
SHOWN = 3  # differing settings that a note names


@dataclass(frozen=True)
class Side:
    """One model's search on a pair."""

    errors: int  # the lowest that it saw, of the pair's n_val images
    complete: int  # trials that were trained to the end
    trials: int  # all of them, pruned ones too
    target_met: bool = False
    sha256: str = ""  # of the trials' digests, as the pair's summary.json has it
    settings: Mapping[str, object] = field(default_factory=dict)  # of the manifest, a name each


@dataclass(frozen=True)
class Row:
    """One pair."""

    first: int
    second: int
    n_val: int
    linear: Side
    mlp: Side
    comparison: Mapping[str, Any] | None = None  # as the pair's summary.json has it
    verdict: str = ""  # its headline; empty where the pair is not confirmed
    note: str = ""  # why it is not counted with the others; empty where it is

    @property
    def pair(self) -> Pair:
        """The two classes."""
        return self.first, self.second

    @property
    def gap(self) -> float:
        """The linear model's error less the MLP's, a fraction."""
        return (self.linear.errors - self.mlp.errors) / self.n_val

    @property
    def winner(self) -> str:
        """``linear``, ``mlp`` or ``tie``."""
        if self.linear.errors == self.mlp.errors:
            return "tie"
        return "mlp" if self.mlp.errors < self.linear.errors else "linear"

    @property
    def target_met(self) -> bool:
        """By both models."""
        return self.linear.target_met and self.mlp.target_met

    def __str__(self) -> str:
        linear, mlp = (formats.error(side.errors, self.n_val) for side in (self.linear, self.mlp))
        more = "".join(f"; {text}" for text in (self.verdict, self.note) if text)
        return f"{folder(self.pair)}: linear {linear}, mlp {mlp}{more}"


Found = dict[Pair, "Row | StudyError"]
"""The pairs that both models were searched on: what was found, or why it can't be read."""


def read(storage: str, dataset: str, pairs: Sequence[Pair] = ALL) -> Found:
    """What the storage has of these pairs.

    Raises:
        StudyError: It is not there, or not a storage of this package's.
        ResourceError: It can't be read.
    """
    there = set(store.study_names(storage))
    found: Found = {}
    for pair in pairs:
        names = study_names(dataset, pair)
        if there.issuperset(names):
            try:
                row = _row(storage, pair, names)
            except ResourceError:
                raise
            except StudyError as error:
                found[pair] = error
            else:
                found |= {pair: row} if row else {}
    return found


def _row(storage: str, pair: Pair, names: tuple[str, str]) -> Row | None:
    """The pair's row; None where a model has no trial that was trained to the end."""
    searches = [Searched.read(storage, name) for name in names]
    best = [search.best for search in searches]
    if best[0] is None or best[1] is None:
        return None
    linear, mlp = map(_side, searches)
    return Row(*pair, best[0].n_val, linear, mlp, *_confirmed(storage, names))


def _side(search: Searched) -> Side:
    assert search.best is not None
    return Side(
        errors=search.best.val_errors,
        complete=sum(trial.state == "COMPLETE" for trial in search.trials),
        trials=len(search.trials),
        target_met=meets_target(search.plan, search.best),
        sha256=digest_of(search.frozen),
        settings=dict(_flat(search.manifest)),
    )


def _flat(manifest: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """A manifest's settings by name, those within settings too."""
    for name, value in manifest.items():
        if isinstance(value, dict) and name not in OWN:
            yield from _flat(value)
        elif name not in OWN:
            yield name, value


def _confirmed(storage: str, names: tuple[str, str]) -> tuple[dict[str, Any] | None, str]:
    """The comparison as JSON has it, and its headline: ``The MLP is better``."""
    from study.confirm.comparison import compare
    from study.confirm.plan import PARTS

    there = store.study_names(storage)
    if not any(name + part in there for name in names for part in PARTS):
        return None, ""
    try:
        found = compare(storage, names)
    except NotConfirmedError:
        return None, "not wholly confirmed"
    return json.loads(json.dumps(found.as_dict())), found.verdict.headline


def marked(found: Found, n_trials: int, *, until_target: bool) -> list[Row]:
    """The rows by pair, each with a note where it can't be compared with the others.

    Args:
        found: What was read.
        n_trials: How many trials a complete search has.
        until_target: Whether a search that met its target is complete with fewer.
    """
    rows = sorted((row for row in found.values() if isinstance(row, Row)), key=lambda r: r.pair)
    usual = _usual(rows)
    notes = [[*_missing(row, n_trials, until_target), *_unlike(row, usual)] for row in rows]
    return [replace(row, note=", ".join(note)) for row, note in zip(rows, notes, strict=True)]


def unreadable(found: Found) -> list[str]:
    """The pairs that can't be read, and why, a line each."""
    return [
        f"{folder(pair)}: {error}"
        for pair, error in sorted(found.items(), key=lambda item: item[0])
        if isinstance(error, StudyError)
    ]


def _usual(rows: Sequence[Row]) -> Row | None:
    """A row with the settings that most rows have; the first one where several are as common."""
    counts = Counter(map(_settings, rows))
    return max(rows, key=lambda row: counts[_settings(row)], default=None)


def _settings(row: Row) -> str:
    return json.dumps([row.linear.settings, row.mlp.settings], sort_keys=True)


def _missing(row: Row, n_trials: int, until_target: bool) -> Iterator[str]:
    """The searches that have too few trials."""
    for name, side in (("linear", row.linear), ("mlp", row.mlp)):
        if side.trials < n_trials and not (until_target and side.target_met):
            yield f"{name} has {side.trials} of {n_trials} trials"


def _unlike(row: Row, usual: Row | None) -> Iterator[str]:
    """The settings in which the row differs from most rows."""
    if usual is None:
        return
    sides = ((row.linear.settings, usual.linear.settings), (row.mlp.settings, usual.mlp.settings))
    differing = {
        name: f"{name} {own.get(name)}, not {others.get(name)}"
        for own, others in sides
        for name in {**others, **own}
        if own.get(name) != others.get(name)
    }
    yield from list(differing.values())[:SHOWN]
    if len(differing) > SHOWN:
        yield f"and {len(differing) - SHOWN} more"


def frame(found: Sequence[Row]) -> pd.DataFrame:
    """The rows as a table: errors also as fractions, the gap in percentage points."""
    import pandas as pd

    rows = [
        {
            "first": row.first,
            "second": row.second,
            "winner": row.winner,
            "gap_points": round(100 * row.gap, 4),
            "linear_error": row.linear.errors / row.n_val,
            "mlp_error": row.mlp.errors / row.n_val,
            "linear_errors": row.linear.errors,
            "mlp_errors": row.mlp.errors,
            "n_val": row.n_val,
            "linear_complete": row.linear.complete,
            "linear_trials": row.linear.trials,
            "mlp_complete": row.mlp.complete,
            "mlp_trials": row.mlp.trials,
            "verdict": row.verdict,
            "note": row.note,
        }
        for row in found
    ]
    return pd.DataFrame(rows)
