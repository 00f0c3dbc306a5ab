"""F8, F9, F26, F27, F32, F36: every cell, row and id of a storage, and every file, edited.

``check`` names an edit, or the report shows the same; what else is permitted, and why, stands in
``PERMITTED``. The session of faults makes all edits, with a value or two of each cell, compares
the record for each edit that is not named and for a sample of the others, and draws a page of
each kind. A seeded sample of all kinds is made in every run of the tests.
"""

import random
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import pytest

from study.check import check
from study.errors import StudyError
from study.report import render
from study.report.collect import collect

from .helpers import shown
from .tampering import FILES, HARMLESS, NAMED, RENAMED, TOLD, Copy, guards, single, tables, whole

BY_NAME = {  # where it is told
    *("weights", "no_weights", "replicates", "splits"),
    *("comparison", "evidence", "unconfirmed"),
}
PERMITTED = {  # the fields of a record that an edit may change, and why
    # Not recorded by the search: a trial that waits, runs or failed is counted as such, in the
    # study and in what the comparison is made from.
    HARMLESS: {"unfinished", "others"},
    # Optuna's tools rename studies, and a report calls them by the names that they have. Weights
    # and confirmation are found by the name: the check says so where they are not.
    RENAMED: {"name", "title", "noun", "key", "study"} | BY_NAME,
    # They delete studies too: the check says what is left of a confirmation, or beside it.
    TOLD: {"searches"} | BY_NAME,
    # The report says that there are none, and why.
    FILES: {"weights", "no_weights"},
}

# The edits, the row of the matrix to which they belong, and in how many parts they are made.
KINDS = {
    "cells": (single.cells, "F9", 4),
    "leaves": (single.json_leaves, "F9", 2),
    "rows": (single.rows, "F26", 4),
    "ids": (single.ids, "F26", 4),
    "guards": (guards.guards, "F27", 2),
    "pairs": (guards.pairs, "F27", 1),
    "trials": (whole.trials, "F32", 2),
    "studies": (whole.studies, "F36", 1),
    "ordinary": (whole.ordinary, "F36", 1),
    "files": (whole.files, "F8", 1),
}
SINGLE = ("cells", "leaves", "rows", "ids")  # thousands
PARTS = [
    pytest.param(kind, part, id=f"{kind}-{part}", marks=pytest.mark.matrix(row))
    for kind, (_, row, parts) in KINDS.items()
    for part in range(parts)
]


@dataclass(frozen=True)
class Whole:
    """A copy to be edited, and the record that a report is made of when nobody has."""

    copy: Copy
    record: dict

    def edits(self, kind):
        """All edits of a kind: the same ones each time, in an order that mixes the tables."""
        source = self.copy.path.parent if kind == "files" else tables(self.copy.path)
        made = list(KINDS[kind][0](source, random.Random(kind)))
        return random.Random(kind).sample(made, len(made))

    @cached_property
    def page(self):
        """The report's page, drawn once."""
        return render(str(self.copy.golden))


@pytest.fixture(scope="module")
def storage(golden, tmp_path_factory):
    """The confirmed storage, before anybody edits it."""
    copy = Copy(golden, tmp_path_factory.mktemp("tamper") / "copy")
    assert check(str(copy.path)).findings == []
    return Whole(copy, shown(collect(str(copy.path))))


def checked(path):
    """What the check finds wrong, and what it says at all."""
    try:
        found = check(str(path))
    except StudyError as error:
        return [error], [error]
    return found.wrong, found.findings


def without(record, fields):
    """A record without some fields, wherever they stand."""
    if isinstance(record, dict):
        return {k: without(part, fields) for k, part in record.items() if k not in fields}
    return [without(part, fields) for part in record] if isinstance(record, list) else record


def compared(edit, path, wanted, said):
    """Whether the record is the same, or what else it is; capital letters where it must not."""
    try:
        found = shown(collect(str(path)))
    except StudyError as error:
        return "refused" if said else f"REFUSED, BUT NOT NAMED: {error}"
    if found == wanted:
        return "same"
    fields = PERMITTED.get(edit.asked, set()) - (set() if said else BY_NAME)
    return "permitted" if without(found, fields) == without(wanted, fields) else "CHANGED"


def verdict(edit, path, wanted, *, is_compared):
    """How an edit ends: named, the same or permitted; capital letters where it must not."""
    wrong, said = checked(path)
    if wrong and edit.asked == HARMLESS:
        return f"CALLED DAMAGE: {wrong[0]}"
    if not wrong and edit.asked == NAMED:
        return "NOT NAMED"
    if not said and edit.asked == TOLD:
        return "NOT TOLD"
    if wrong and not is_compared:
        return "named"
    found = compared(edit, path, wanted, said)
    return "named" if wrong and found.islower() else found


def make(edits, storage, record_property, *, compare_every=1, pages=0):
    """Make each edit on the whole copy; those that ended as they must not."""
    counts, lost, path = Counter(), [], storage.copy.path
    for place, edit in enumerate(edits):
        edit.change(path)
        is_compared = place % compare_every == 0
        try:
            found = verdict(edit, path, storage.record, is_compared=is_compared)
            if found == "same" and counts["pages"] < pages:
                counts["pages"] += 1
                found = "same" if render(str(path)) == storage.page else "ANOTHER PAGE"
        except Exception as error:
            found = f"CRASHED: {type(error).__name__}: {error}"
        counts[found if found.islower() else "lost"] += 1
        lost += [] if found.islower() else [f"{edit}: {found}"]
        storage.copy.restore()
    record_property("attempts", len(edits))
    record_property("tampering", dict(counts))
    return lost


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_no_edit_changes_a_report_in_silence(storage, kind, part, record_property):
    """Every edit of a kind is named by the check, or the report is the same."""
    edits = storage.edits(kind)[part :: KINDS[kind][2]]
    compare_every = 16 if kind in SINGLE else 1

    lost = make(edits, storage, record_property, compare_every=compare_every, pages=part == 0)

    assert not lost, "\n".join(lost)


@pytest.mark.matrix("F26")
def test_no_edit_of_a_sample_changes_a_report_in_silence(storage, record_property):
    """Two of each kind: what every run of the tests can afford."""
    edits = [edit for kind in KINDS for edit in storage.edits(kind)[:2]]

    lost = make(edits, storage, record_property, compare_every=4)

    assert not lost, "\n".join(lost)
