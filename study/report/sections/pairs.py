"""Every pair of more than two models: its difference, corrected for their number, its power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study import formats
from study.report import general
from study.report.content import Table
from study.report.record import Record
from study.stats import bonferroni_confidence

if TYPE_CHECKING:
    from study.confirm.comparison import Comparison


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
            f"{100 * pair.difference.mean:+.2f}\n{formats.points_interval(pair.difference)}",
            formats.p_value(pair.p_adjusted),
            _verdict(record, pair),
        ]
        for pair in _pairs(record)
    ]
    return Table(
        f"Every pair, on held-out {record.items}", header, rows, _correction(record), kind="pairs"
    )


def power(record: Record) -> Table:
    """A row a pair: what this design finds, and how probable each state of the two is."""
    header = [
        "Pair",
        "Found with\n80 % power",
        "Margin",
        "First better",
        "Equivalent",
        "Second better",
        "First errs less",
    ]
    rows = []
    for pair in _pairs(record):
        v, p = pair.verdict, pair.verdict.probabilities
        better = [formats.probability(each) for each in (p.a_better, p.equivalent, p.b_better)]
        sizes = [f"{100 * size:.2f} points" for size in (v.detectable, v.margin)]
        first = _share(pair)
        rows.append([" and ".join(_titles(record, pair)), *sizes, *better, first])
    return Table(
        "What this design finds, and the three probabilities, pair by pair",
        header,
        rows,
        general.OF_PAIRS,
        kind="power",
    )


def _share(pair: Comparison) -> str:
    """In how many splits the first errs less: ``2.5 of 7``."""
    first = pair.b_ahead_over_splits.mirrored()
    return f"{first.probability * first.n_pairs:g} of {first.n_pairs} splits"


def _correction(record: Record) -> str:
    """What was corrected, how, and where the two corrections differ."""
    c = record.comparison
    assert c is not None
    each = 100 * bonferroni_confidence(len(c.pairs))
    differ = c.disagreements or ["Both say the same of every pair here."]
    corrected = general.CORRECTED.format(pairs=len(c.pairs), each=f"{each:.4g} %")
    return f"{corrected} {' '.join(differ)}"


def _verdict(record: Record, pair: Comparison) -> str:
    """The outcome in a few words."""
    first, second = _titles(record, pair)
    better = f"{second if pair.verdict.leader == 'B' else first} is better"
    if pair.verdict.within_margin:
        better += ", by less than the margin"
    return {
        "A better": better,
        "B better": better,
        "equivalent": "equivalent in practice",
        "not separated": "not separated",
    }[pair.verdict.outcome]


def _titles(record: Record, pair: Comparison) -> tuple[str, str]:
    first, second = (record.search_of(side.study).title for side in (pair.a, pair.b))
    return first, second


def _pairs(record: Record) -> tuple[Comparison, ...]:
    assert record.comparison is not None
    return record.comparison.pairs
