"""The closing sections: how to get the same, and what was not done."""

from __future__ import annotations

import pandas as pd

from study import formats
from study.dataset import is_official
from study.report import general, parameters
from study.report.content import Section, Table
from study.report.record import Record
from study.report.reproducibility import commands, digest_commands, provenance
from study.report.versions import trained_by

_ON_OTHERS = (
    "Not all of this was trained with the same versions: the second table says what was trained"
    " with which. The commands below train with those that are installed, so some trials may get"
    " other bits."
)


def reproduce(record: Record, trials: pd.DataFrame) -> Section:
    """How to get the same numbers, and how to know that they are."""
    trained = trained_by(record)
    is_mixed = sum(map(bool, trained.values())) > 1
    text = [
        _ON_OTHERS if is_mixed else general.SAME_BITS,
        general.DATA_DIGEST.format(
            items=record.items, digest=record.searches[0].manifest["data_sha256"]
        ),
    ]
    header = ["", *(s.title for s in record.searches)]
    return Section(
        "reproduce",
        "How to reproduce it",
        text,
        tables=[
            Table("Where the trials come from", header, provenance(record), general.TRIALS_DIGEST),
            *([_versions(trained)] if trained else []),
        ],
        commands=[*commands(record), *digest_commands(record)],
    )


def _versions(trained: dict[str, list[str]]) -> Table:
    """What each of the versions trained."""
    rows = [[own, "; ".join(what) or "nothing: wrote this page"] for own, what in trained.items()]
    return Table("Versions that differ", ["", "What they trained"], rows, kind="versions")


def not_done(record: Record, trials: pd.DataFrame) -> Section | None:
    """What the numbers can't say, and why."""
    text = []
    if is_official(record.protocol.dataset):
        text.append("The official test set was neither read nor downloaded.")
    if record.comparison is None:
        text.append(
            "The winners were not retrained on fresh seeds, with other initial weights and"
            f" batches. The validation {record.items} chose {_chosen(record)}, so the errors above"
            f" are not free of that choice, and the same models would probably err more on new"
            f" {record.items}."
        )
    return Section("not-done", "What was not done", text) if text else None


def _chosen(record: Record) -> str:
    """What the validation chose: every hyperparameter that was searched, and the step."""
    found = dict.fromkeys(name for s in record.searches for name in parameters.searched(s))
    names = [f"the {formats.parameter_name(name)}" for name in found]
    return formats.listed([*names, "the step"])
