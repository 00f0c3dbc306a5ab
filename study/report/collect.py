"""Read what a report shows: the studies, their confirmation, the weights and the images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study import storage
from study.confirm.comparison import compared_all
from study.confirm.evidence import evidence_of
from study.confirm.plan import PARTS, require_finished
from study.dataset import is_official
from study.errors import NotConfirmedError, StudyError
from study.margin import DEFAULT_MARGIN, Margin
from study.report.importance import importances
from study.report.options import MOST
from study.report.record import Record, ReportedStudy, Rows, title_of
from study.report.sections.answer import notebook
from study.report.select_studies import find
from study.storage.comparable import require_comparable
from study.storage.searched import Searched
from study.storage.urls import label, shown, sqlite_path
from study.storage.versions import tell_versions
from study.storage.weights import weights_path
from study.training.loading import load_pair, whereabouts
from study.training.protocol import Protocol
from study.trials import parameters_of

if TYPE_CHECKING:
    import numpy as np

    from study.dataset import Data

REPLICATED = ("replicate", "finalist", "final_errors", "val_errors", "n_val", "curve")
SPLIT = ("split", "val_errors", "n_val", "holdout_errors", "n_holdout", "simplest", "searched")


class NotebookRecord(Record):
    """A record that shows the report's first screen in a notebook."""

    def _repr_html_(self) -> str:
        return notebook(self)


def collect(
    url: str,
    *,
    names: Sequence[str] = (),
    linear: str | None = None,
    mlp: str | None = None,
    data_root: Path | None = None,
    margin: Margin = DEFAULT_MARGIN,
) -> NotebookRecord:
    """Read the studies, the winners' weights, and the images; the storage is not changed.

    Raises:
        StudyError: see :func:`study.report.render`.
    """
    given = [name for name in (linear, mlp) if name is not None]
    searches = [_read(url, name) for name in _named(url, list(names), given)]
    if len(searches) > 1:
        require_comparable(*(search.stored for search in searches))
    tell_versions(*(search.stored for search in searches))
    data, reason = _data(searches[0], data_root)
    where = None if data is None else _whereabouts(searches[0].protocol, data_root)
    named = _told_apart(searches)
    found = _confirmed(url, searches, margin)
    return NotebookRecord(_label(url), named, data, reason, where=where, **found)


def _named(url: str, names: list[str], given: list[str]) -> list[str]:
    """The studies to report, one to six."""
    if names and given:
        raise StudyError(f"names={names!r}: given beside linear= or mlp=: name the studies once")
    found = names or given or find(url, _label(url))
    if len(found) > MOST:
        raise StudyError(
            f"{len(found)} studies ({', '.join(map(shown, found))}): too many for one page: name "
            f"{MOST} at most"
        )
    return found


def _told_apart(searches: Sequence[ReportedStudy]) -> tuple[ReportedStudy, ...]:
    """Studies of one kind of model are called by their names."""
    kinds = Counter(search.model.name for search in searches)
    named = [
        replace(search, title=search.name, noun=search.name, key=f"{search.key}_{place}")
        if kinds[search.model.name] > 1
        else search
        for place, search in enumerate(searches, 1)
    ]
    if max(Counter(search.title for search in named).values()) > 1:
        named = [replace(search, title=search.name, noun=search.name) for search in named]
    if max(Counter(search.key for search in named).values()) > 1:
        named = [replace(s, key=f"{s.key}_{place}") for place, s in enumerate(named, 1)]
    return tuple(named)


def _confirmed(url: str, searches: Sequence[ReportedStudy], margin: Margin) -> dict[str, Any]:
    """The comparison and its rows, or why there is none where there are parts of one."""
    names = [search.name for search in searches]
    called = {*names, *(search.stored.first_name for search in searches)}
    parts = {name + suffix for name in called for suffix in PARTS}
    if len(names) < 2 or parts.isdisjoint(storage.study_names(url)):
        return {}
    try:
        found = evidence_of(url, [require_finished(search.stored) for search in searches])
    except NotConfirmedError as error:
        return {"unconfirmed": error.why}
    return {
        "comparison": compared_all(found, margin),
        "evidence": found,
        "replicates": _rows(names, [side.replicates for side in found], REPLICATED),
        "splits": _rows(names, [side.splits for side in found], SPLIT),
    }


def _rows(
    names: Sequence[str], all_rows: Sequence[Sequence[dict[str, Any]]], fields: Sequence[str]
) -> Rows:
    """These fields of all studies' trials, as far as a version stored them, by their study."""
    return tuple(
        {"study": name, "parameters": parameters_of(row)} | {f: row[f] for f in fields if f in row}
        for name, rows in zip(names, all_rows, strict=True)
        for row in rows
    )


def _read(url: str, name: str) -> ReportedStudy:
    stored = Searched.read(url, name)
    if stored.manifest.get("model") is None:
        raise StudyError(f"study {shown(name)}: was not searched by python -m study.search")
    try:
        model = stored.plan.model_definition
    except StudyError as error:
        raise StudyError(f"study {shown(name)}: {error}") from error
    weights, reason = _weights(stored)
    return ReportedStudy(
        stored=stored,
        title=title_of(model),
        noun=f"the {model.label or model.name}",
        key=model.name,
        weights=weights,
        no_weights=reason,
        importance=importances(stored.frozen),
    )


def _weights(stored: Searched) -> tuple[dict[str, np.ndarray] | None, str]:
    """The best trial's weights from beside the database, or why they can't be shown."""
    if stored.best is None:
        return None, "no trial was trained to the end"
    try:
        return stored.weights(stored.best), ""
    except StudyError:
        path = weights_path(stored.storage, stored.name, stored.best.number)
        return None, (
            f"the file {path.name} beside the database is missing, damaged or another search's;"
            " the same search, run again, makes it anew"
        )


def _data(search: ReportedStudy, data_root: Path | None) -> tuple[Data | None, str]:
    """The images or rows that the studies used, or why they can't be shown."""
    try:
        data = load_pair(search.protocol, data_root)
    except StudyError as error:
        return None, str(error)
    if data.digest != search.manifest["data_sha256"]:
        differ = f"the {data.items} found are not those of the studies: their SHA-256 differs"
        return None, differ
    return data, ""


def _whereabouts(protocol: Protocol, data_root: Path | None) -> Callable[[int], str] | None:
    """Where the rows of a person's own data stand in their file; None for official files."""
    if data_root is None or is_official(protocol.dataset):
        return None
    return whereabouts(protocol, data_root)


def _label(url: str) -> str:
    """The storage without its folder, so that a report does not depend on where it was made."""
    path = sqlite_path(storage.resolve(url))
    return label(url) if path is None else Path(label(url)).name
