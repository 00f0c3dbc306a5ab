"""The storage of an Optuna study, and the attributes that are stored with the study."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from study.errors import StudyError
from study.explain import explaining
from study.storage.postgresql.reconnecting import reconnecting
from study.storage.urls import shown

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage

T = TypeVar("T")


def backend_of(study: "Study") -> Any:  # noqa: ANN401 (any of Optuna's storages)
    """The study's storage without the cache that Optuna puts before a database."""
    return getattr(study._storage, "_backend", study._storage)


def rdb_of(study: "Study") -> "RDBStorage | None":
    """The study's database; ``None`` where it is kept otherwise."""
    from optuna.storages import RDBStorage

    backend = backend_of(study)
    return backend if isinstance(backend, RDBStorage) else None


def is_atomic(study: "Study") -> bool:
    """Whether trials and their seal are recorded in one transaction, which no kill can part."""
    backend = rdb_of(study)
    return backend is not None and backend.engine.name in ("sqlite", "postgresql")


def url_of(study: "Study") -> str:
    """The URL of the study's database, password included; empty where it has none."""
    return str(getattr(backend_of(study), "url", ""))


def waiting(study: "Study", work: Callable[[], T]) -> T:
    """What ``work`` returns, which uses the study; a server that has gone away is waited for."""
    with explaining(named(study)):
        return reconnecting(url_of(study), work)


def named(study: "Study") -> str:
    """The study as a message names it."""
    return f"study {shown(study.study_name)}"


def stored_object(
    study: "Study", key: str, read: "Callable[[Study], dict[str, Any]]"
) -> dict[str, Any] | None:
    """The JSON object that an attribute of the study holds; ``None`` if it is not there.

    Args:
        study: The study.
        key: The attribute's name.
        read: :func:`user_attributes` or :func:`system_attributes`.

    Raises:
        StudyError: Something else is stored there.
    """
    with explaining(named(study)):
        try:
            stored = reconnecting(url_of(study), lambda: read(study)).get(key)
        except (TypeError, ValueError) as error:  # no JSON, or no text at all
            raise damaged(study, key) from error
    if stored is not None and not isinstance(stored, dict):
        raise damaged(study, key)
    return stored


def user_attributes(study: "Study") -> dict[str, Any]:
    """The attributes that a person may set."""
    return study.user_attrs


def system_attributes(study: "Study") -> dict[str, Any]:
    """The attributes that Optuna keeps for programs."""
    return study._storage.get_study_system_attrs(study._study_id)


def damaged(study: "Study", key: str) -> StudyError:
    """The refusal of an attribute that can't be read."""
    return StudyError(
        f"{named(study)}: its {key} is damaged: restore the storage from a copy, or name "
        "another study"
    )
