"""Every pair of more than two models: its difference, corrected for their number, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study import formats
from study.report.content import Table
from study.report.record import Record
from study.stats import bonferroni_confidence

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison
    from study.stats import Interval

DIFFERENCES = "The table of all pairs has the differences of those holdout errors."


def table(record: Record) -> Table:
    """A row a pair: the difference with its interval, the corrected p, and the verdict."""
    header = [
        "Pair",
        "Difference, percentage points\nsimultaneous 95 % interval",
        "Corrected p",
        "Verdict",
    ]
    rows = [
        [
            " minus ".join(_titles(record, pair)),
            f"{100 * pair.difference.mean:+.2f}\n{_points(pair.difference.interval)}",
            formats.p_value(pair.p_adjusted),
            _verdict(record, pair),
        ]
        for pair in _pairs(record)
    ]
    return Table(
        f"Every pair, on fresh {record.items}", header, rows, _correction(record), kind="pairs"
    )


def _points(ends: Interval) -> str:
    return f"{100 * ends.lower:+.2f} to {100 * ends.upper:+.2f}"


def _correction(record: Record) -> str:
    """What was corrected, how, and where the two corrections differ."""
    c = record.comparison
    assert c is not None
    each = 100 * bonferroni_confidence(len(c.pairs))
    differ = c.disagreements or ["Both say the same of every pair here."]
    return (
        f"With {len(c.pairs)} pairs, one of them may differ by chance alone. So the p values are"
        f" corrected by Holm’s method, and each interval is Bonferroni’s, of {each:.4g} %: all of"
        f" them together hold the true differences with 95 % confidence. {' '.join(differ)}"
    )


def _verdict(record: Record, pair: Comparison) -> str:
    """The outcome in a few words."""
    first, second = _titles(record, pair)
    leader = second if pair.verdict.leader == "B" else first
    return {
        "A better": f"{leader} is better",
        "B better": f"{leader} is better",
        "equivalent": "equivalent in practice",
        "not separated": "not separated",
    }[pair.verdict.outcome]


def _titles(record: Record, pair: Comparison) -> tuple[str, str]:
    first, second = (record.search_of(side.study).title for side in (pair.a, pair.b))
    return first, second


def _pairs(record: Record) -> tuple[Comparison, ...]:
    assert record.comparison is not None
    return record.comparison.pairs
