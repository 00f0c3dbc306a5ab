"""Insert trials into Optuna's tables in one transaction.

The rows are those that ``optuna.study.Study.add_trial`` writes, and a test compares them. They
are written only into a schema of the revision that this module was written for.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
    json_to_distribution,
)
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.engine import Connection, Engine

from study.errors import BusyError
from study.storage.sqlite_schema import require_structure

REVISION = "v3.2.0.a"  # Optuna 3.2 to 5.0

_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

Row = dict[str, Any]

_STUDIES = models.StudyModel.__table__
_STUDY_ATTRIBUTES = models.StudySystemAttributeModel.__table__
_TRIALS = models.TrialModel.__table__
_VALUES = models.TrialValueModel.__table__
_PARAMS = models.TrialParamModel.__table__
_USER_ATTRIBUTES = models.TrialUserAttributeModel.__table__
_SYSTEM_ATTRIBUTES = models.TrialSystemAttributeModel.__table__
_INTERMEDIATE = models.TrialIntermediateValueModel.__table__


def append(
    engine: Engine,
    study_id: int,
    trials: Sequence[FrozenTrial],
    attributes: dict[str, Any],
    before: tuple[int | None, int | None] = (None, None),
) -> bool:
    """Append finished ``trials`` and set the study's system ``attributes``, all or nothing.

    Args:
        engine: Connects to the storage.
        study_id: Optuna's.
        trials: Finished ones.
        attributes: What JSON can hold.
        before: How many trials there have to be before, and how many complete or pruned ones.

    Returns:
        ``False``, with nothing written, if the tables are not those known here.

    Raises:
        ValueError: A parameter's kind of distribution differs from an earlier trial's.
        BusyError: There are more or fewer trials, or finished ones.
    """
    if engine.name not in ("sqlite", "postgresql"):
        return False
    with engine.begin() as connection:
        _begin(connection, study_id)
        revision = text("SELECT version_num FROM alembic_version")
        if connection.execute(revision).scalar() != REVISION:
            return False
        _check_distributions(connection, study_id, trials)
        there = _count(connection, study_id)
        done = _count(connection, study_id, _TRIALS.c.state.in_(_FINISHED))
        for had, has in zip(before, (there, done), strict=True):
            if had not in (None, has):
                raise BusyError(
                    f"study: has {has} trials and had {had}: another search appends to it, or "
                    "another program: stop it, and run the same command again"
                )
        _insert(connection, study_id, trials, there)
        _set_study_attributes(connection, study_id, attributes)
    return True


def has(engine: Engine, study_id: int, attributes: dict[str, Any]) -> bool:
    """Whether these are system attributes of the study, each with its value."""
    own = _STUDY_ATTRIBUTES.c.study_id == study_id
    query = select(_STUDY_ATTRIBUTES.c.key, _STUDY_ATTRIBUTES.c.value_json).where(own)
    with engine.connect() as connection:
        stored = {key: json.loads(value) for key, value in connection.execute(query)}
    return attributes.items() <= stored.items()


def count(engine: Engine, study_id: int) -> int:
    """How many trials the study has, in whatever state."""
    with engine.connect() as connection:
        return _count(connection, study_id)


def dates(engine: Engine, study_id: int) -> dict[int, tuple[datetime | None, datetime | None]]:
    """When the study's trials were begun and completed, naive UTC, by the trials' ids."""
    columns = (_TRIALS.c.trial_id, _TRIALS.c.datetime_start, _TRIALS.c.datetime_complete)
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).where(_TRIALS.c.study_id == study_id))
        return {trial: (start, complete) for trial, start, complete in rows}


def _begin(connection: Connection, study_id: int) -> None:
    """Lock the study's row, so that no other program appends until the transaction ends."""
    driver: Any = connection.connection.dbapi_connection
    if connection.engine.name == "sqlite" and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    if connection.engine.name == "sqlite":  # inserting would run what has been added since
        require_structure(driver, str(connection.engine.url.database))
    found = connection.execute(
        select(_STUDIES.c.study_id).where(_STUDIES.c.study_id == study_id).with_for_update()
    )
    if found.first() is None:
        raise KeyError(models.NOT_FOUND_MSG)


def _count(connection: Connection, study_id: int, *which: ColumnElement[bool]) -> int:
    own = _TRIALS.c.study_id == study_id
    query = select(func.count()).select_from(_TRIALS).where(own, *which)
    return connection.execute(query).scalar_one()


def _insert(
    connection: Connection, study_id: int, trials: Sequence[FrozenTrial], first: int
) -> None:
    rows = [
        {
            "number": number,
            "study_id": study_id,
            "state": trial.state,
            "datetime_start": _utc(trial.datetime_start),
            "datetime_complete": _utc(trial.datetime_complete),
        }
        for number, trial in enumerate(trials, first)
    ]
    if not rows:
        return
    connection.execute(_TRIALS.insert(), rows)
    own = _TRIALS.c.study_id == study_id, _TRIALS.c.number >= first
    ids = connection.execute(select(_TRIALS.c.trial_id).where(*own).order_by(_TRIALS.c.number))
    numbered = list(zip(ids.scalars(), trials, strict=True))
    for table, rows_of in _CHILDREN:
        if rows := [{"trial_id": i, **row} for i, trial in numbered for row in rows_of(trial)]:
            connection.execute(table.insert(), rows)


def _utc(local: datetime | None) -> datetime | None:
    """Optuna's trials carry naive local time, its tables naive UTC."""
    return None if local is None else local.astimezone(UTC).replace(tzinfo=None)


def _value_rows(trial: FrozenTrial) -> Iterator[Row]:
    for objective, number in enumerate(trial.values or ()):
        value, kind = models.TrialValueModel.value_to_stored_repr(number)
        yield {"objective": objective, "value": value, "value_type": kind}


def _param_rows(trial: FrozenTrial) -> Iterator[Row]:
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        yield {
            "param_name": name,
            "param_value": distribution.to_internal_repr(value),
            "distribution_json": distribution_to_json(distribution),
        }


def _attribute_rows(attributes: dict[str, Any]) -> Iterator[Row]:
    for key, value in attributes.items():
        yield {"key": key, "value_json": json.dumps(value)}


def _intermediate_rows(trial: FrozenTrial) -> Iterator[Row]:
    to_stored = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
    for step, number in trial.intermediate_values.items():
        value, kind = to_stored(number)
        yield {"step": step, "intermediate_value": value, "intermediate_value_type": kind}


_CHILDREN: tuple[tuple[Any, Callable[[FrozenTrial], Iterator[Row]]], ...] = (
    (_VALUES, _value_rows),
    (_PARAMS, _param_rows),
    (_USER_ATTRIBUTES, lambda trial: _attribute_rows(trial.user_attrs)),
    (_SYSTEM_ATTRIBUTES, lambda trial: _attribute_rows(trial.system_attrs)),
    (_INTERMEDIATE, _intermediate_rows),
)


def _check_distributions(
    connection: Connection, study_id: int, trials: Sequence[FrozenTrial]
) -> None:
    """Refuse a parameter that an earlier trial has another kind of distribution of."""
    known: dict[str, BaseDistribution] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            if name not in known:
                query = select(_PARAMS.c.distribution_json).join(_TRIALS)
                own = _TRIALS.c.study_id == study_id, _PARAMS.c.param_name == name
                stored = connection.execute(query.where(*own).limit(1)).scalar()
                known[name] = distribution if stored is None else json_to_distribution(stored)
            check_distribution_compatibility(known[name], distribution)


def _set_study_attributes(
    connection: Connection, study_id: int, attributes: dict[str, Any]
) -> None:
    table = _STUDY_ATTRIBUTES
    for key, value in attributes.items():
        content = {"value_json": json.dumps(value)}
        own = table.c.study_id == study_id, table.c.key == key
        if connection.execute(table.update().where(*own).values(content)).rowcount == 0:
            connection.execute(table.insert(), {"study_id": study_id, "key": key, **content})
