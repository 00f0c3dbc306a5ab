"""The storage of an Optuna study, and its URL."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage


def backend_of(study: "Study") -> Any:  # noqa: ANN401 (any of Optuna's storages)
    """The study's storage without the cache that Optuna puts before a database."""
    return getattr(study._storage, "_backend", study._storage)


def rdb_of(study: "Study") -> "RDBStorage | None":
    """The database of a study; ``None`` where it is kept otherwise."""
    from optuna.storages import RDBStorage

    backend = backend_of(study)
    return backend if isinstance(backend, RDBStorage) else None


def url_of(study: "Study") -> str:
    """The URL of the study's database, password included; empty where it has none."""
    return str(getattr(backend_of(study), "url", ""))
