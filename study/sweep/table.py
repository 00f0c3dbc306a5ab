"""Read what a sweep found from the storage alone: a row a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from study import storage as store
from study.errors import NotConfirmedError, ResourceError, StudyError
from study.report.record import digest_of
from study.storage.searched import Searched
from study.sweep.data_sets import DataSet, is_reserved
from study.sweep.rows import Found, Row, Side
from study.training.space import words
from study.trials.selection import meets_target

OWN = {"classes", "data_sha256", "seed", "study", "versions"}  # of a manifest: not compared


def read(storage: str, data: Sequence[DataSet], models: Sequence[str]) -> Found:
    """What the storage has of these data sets.

    Raises:
        StudyError: It is not there, or not a storage of this package's.
        ResourceError: It can't be read.
    """
    there = set(store.study_names(storage))
    found: Found = {}
    for each in data:
        if there.issuperset(each.study_names(models)):
            try:
                row = _row(storage, each, models)
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


def _row(storage: str, data: DataSet, models: Sequence[str]) -> Row | None:
    """The data set's row; None where a model has no trial that was trained to the end."""
    names = data.study_names(models)
    searches = [Searched.read(storage, name) for name in names]
    best = searches[0].best
    if best is None or any(search.best is None for search in searches):
        return None
    plan = searches[0].plan
    comparison, verdict = _confirmed(storage, names)
    return Row(
        data,
        dict(zip(models, map(_side, searches), strict=True)),
        best.n_val,
        plan.protocol.n_train,
        plan.inputs,
        plan.protocol.classes,
        comparison,
        verdict,
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


def _confirmed(storage: str, names: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
    """The comparison as JSON has it, and its headline: ``The MLP is better``."""
    from study.confirm.comparison import compare_all
    from study.confirm.plan import PARTS

    there = store.study_names(storage)
    if not any(name + part in there for name in names for part in PARTS):
        return None, ""
    try:
        found = compare_all(storage, names)
    except NotConfirmedError:
        return None, "not wholly confirmed"
    text = json.dumps(found.as_dict())
    return json.loads(text, parse_constant=lambda _: None), found.headline  # no NaN, no infinity
