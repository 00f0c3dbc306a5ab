"""The closing section: how to get the same, and how to know that it is."""

from __future__ import annotations

import pandas as pd

from study.report import general
from study.report.content import Section, Table
from study.report.record import Record
from study.report.reproducibility import commands, digest_commands, provenance
from study.report.versions import trained_by

_ON_OTHERS = (
    "Not all of this was trained with the same versions: the table says what was trained"
    " with which. The commands below train with those that are installed, so some trials may get"
    " other bits."
)


def reproduce(record: Record, trials: pd.DataFrame) -> Section:
    """How to get the same numbers, and how to know that they are."""
    trained = trained_by(record)
    is_mixed = sum(map(bool, trained.values())) > 1
    return Section(
        "reproduce",
        "How to reproduce it",
        [_ON_OTHERS if is_mixed else general.SAME_BITS],
        tables=[_versions(trained)] if trained else [],
        commands=commands(record),
        more=[_compare(record)],
    )


def _versions(trained: dict[str, list[str]]) -> Table:
    """What each of the versions trained."""
    rows = [[own, "; ".join(what) or "nothing: wrote this page"] for own, what in trained.items()]
    return Table("Versions that differ", ["", "What they trained"], rows, kind="versions")


def _compare(record: Record) -> Section:
    """Where the trials come from, and the digests to hold others against."""
    header = ["", *(s.title for s in record.searches)]
    digest = record.searches[0].manifest["data_sha256"]
    return Section(
        "reproduce",
        "Versions, machine and digests",
        [
            general.DATA_DIGEST.format(items=record.items, digest=digest),
            general.TRIALS_DIGEST,
        ],
        tables=[Table("Where the trials come from", header, provenance(record))],
        commands=digest_commands(record),
    )
