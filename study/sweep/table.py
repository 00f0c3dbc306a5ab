"""Read what a sweep found from the storage alone: a row a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from study import storage as store
from study.confirm.comparison import Comparisons, compare_all
from study.confirm.plan import PARTS
from study.errors import NotConfirmedError, ResourceError, StudyError
from study.margin import DEFAULT_MARGIN, Margin
from study.report.record import digest_of
from study.storage.comparable import require_comparable
from study.storage.searched import Searched
from study.sweep.data_sets import DataSet, is_reserved
from study.sweep.differences import of_confirmation, of_trials
from study.sweep.origin import origin_of
from study.sweep.rows import Found, Row, Side
from study.training.space import words
from study.trials.selection import meets_target

OWN = {"classes", "data_sha256", "seed", "study", "versions"}  # of a manifest: not compared


def read(
    storage: str,
    data: Sequence[DataSet],
    models: Sequence[str],
    margin: Margin = DEFAULT_MARGIN,
) -> Found:
    """What the storage has of these data sets.

    Args:
        storage: A path or a URL; it is only read.
        data: The data sets; those that not all models were searched on are left out.
        models: Two or more.
        margin: Of the verdicts.

    Raises:
        StudyError: It is not there, or not a storage of this package's.
        ResourceError: It can't be read.
    """
    there = set(store.study_names(storage))
    found: Found = {}
    for each in data:
        if there.issuperset(each.study_names(models)):
            try:
                names = zip(models, each.study_names(models), strict=True)
                row = row_of(each, {m: Searched.read(storage, name) for m, name in names}, margin)
            except ResourceError:
                raise
            except StudyError as error:
                found[each] = error
            else:
                found |= {each: row} if row else {}
    return found


def own_data(storage: str, models: Sequence[str]) -> list[DataSet]:
    """The people's own data sets that the storage has studies of all these models on.

    Raises: As :func:`read`.
    """
    there = store.study_names(storage)
    ends = f"/{models[0]}"
    prefixes = [name.removesuffix(ends) for name in there if name.endswith(ends)]
    found = [DataSet(prefix, prefix) for prefix in prefixes if not is_reserved(prefix)]
    return [
        each
        for each in found
        if set(there).issuperset(names := each.study_names(models))
        and _dataset(storage, names[0]) == each.name
    ]


def _dataset(storage: str, name: str) -> str | None:
    """The name of the data that a study was searched on; None where it can't be read."""
    with suppress(StudyError, LookupError, TypeError):
        manifest = store.manifest(store.load_study(storage, name)) or {}
        return str(manifest["protocol"]["dataset"]).rstrip("/")
    return None


def row_of(data: DataSet, searches: Mapping[str, Searched], margin: Margin) -> Row | None:
    """The row of a data set; None where a model has no trial that was trained to the end.

    Args:
        data: What the row is of.
        searches: Two or more, by their models, all in one storage.
        margin: Of the verdict.

    Raises:
        StudyError: They can't be compared, or their confirmation is damaged.
        ResourceError: The storage can't be read.
    """
    best = {model: search.best for model, search in searches.items() if search.best}
    if len(best) < len(searches):
        return None
    require_comparable(*searches.values())
    models, first = [*searches], next(iter(searches.values()))
    plan, found = first.plan, _confirmed([*searches.values()], margin)
    row = Row(
        data,
        {model: _side(search) for model, search in searches.items()},
        best[models[0]].n_val,
        plan.protocol.n_train,
        plan.inputs,
        plan.protocol.classes,
        differences=of_trials(best),
        origin=origin_of([*searches.values()]),
    )
    if not isinstance(found, Comparisons):
        return replace(row, verdict=found)
    return replace(
        row,
        comparison=_as_json(found),
        verdict=found.headline,
        held_out={m: side.holdout.mean for m, side in zip(models, found.sides, strict=True)},
        differences=of_confirmation(models, found),
    )


def _side(search: Searched) -> Side:
    assert search.best is not None
    return Side(
        errors=search.best.val_errors,
        complete=sum(trial.state == "COMPLETE" for trial in search.trials),
        trials=len(search.trials),
        target_met=meets_target(search.plan, search.best),
        sha256=digest_of(search.frozen),
        settings=dict(_settings(search)),
    )


def _settings(search: Searched) -> Iterator[tuple[str, object]]:
    """A manifest's settings by name, those of the protocol and the ranges too."""
    for name, value in search.manifest.items():
        if name == "protocol":
            yield from ((n, v) for n, v in value.items() if n not in OWN)
        elif name == "space":
            yield from ((n, words(d)) for n, d in search.plan.space.items())
        elif name not in OWN:
            yield name, value


def _confirmed(searches: Sequence[Searched], margin: Margin) -> Comparisons | str:
    """The comparison; where there is none, what the page says of it, which may be nothing."""
    storage, names = searches[0].storage, [search.name for search in searches]
    there = store.study_names(storage)
    if not any(name + part in there for name in names for part in PARTS):
        return ""
    try:
        return compare_all(storage, names, margin)
    except NotConfirmedError:
        return "not wholly confirmed"


def _as_json(found: Comparisons) -> dict[str, Any]:
    """The comparison as a report's summary.json has it: no NaN, no infinity."""
    return dict(json.loads(json.dumps(found.as_dict()), parse_constant=lambda _: None))
