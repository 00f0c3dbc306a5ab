"""Open a study for searching, or for reading only."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import finalize

from study.errors import StudyError
from study.explain import explaining
from study.storage.disk import require_local, require_writable
from study.storage.postgresql.opening import has_tables, open_server, read_server
from study.storage.postgresql.reconnecting import reconnecting
from study.storage.schema import create_schema
from study.storage.sqlite import TIMEOUT_S, connect_readonly, connect_writable, look
from study.storage.sqlite_schema import require_structure
from study.storage.urls import check_name, label, resolve, shown, sqlite_path
from study.text import did_you_mean, hidden

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage

_OWN = {"manifest", "machine", "seal"}  # attributes of this package's studies


def open_study(storage: str, name: str) -> "Study":
    """The study ``name``, to append to; file, tables and study are created if absent.

    A kill while they are created leaves nothing, the tables, or the study, and the next
    call makes the rest. A storage that is refused is not changed. A server that has gone away is
    waited for, here and in all that reads.

    Args:
        storage: A path or a URL.
        name: The study's name; its direction is to minimise.

    Raises:
        StudyError: The file is not an Optuna storage of this version, or the study has
            another direction, or the name or the storage can't be used.
        ResourceError: The file or folder is read-only, or the disk is full.
    """
    import optuna

    url = resolve(storage)
    check_name(name)
    path = sqlite_path(url)

    def opened() -> "Study":
        backend = open_server(url) if path is None else _open_file(url, path)
        try:
            return optuna.load_study(study_name=name, storage=backend)
        except KeyError:
            return optuna.create_study(study_name=name, storage=backend, load_if_exists=True)

    with explaining(label(url)):
        study = reconnecting(url, opened)
    _check_direction(study, url, "choose another --study-name")
    return study


def create(storage: str) -> None:
    """Create the file and the tables of a storage, where they are absent.

    Raises:
        StudyError: The file is not an Optuna storage of this version, or can't be one.
        ResourceError: The file or folder is read-only, or the disk is full.
    """
    url = resolve(storage)
    path = sqlite_path(url)
    with explaining(label(url)):
        reconnecting(url, lambda: open_server(url) if path is None else _open_file(url, path))


def load_study(storage: str, name: str) -> "Study":
    """The study ``name``, to read: nothing is created or changed, also while a search writes.

    Each read of an SQLite file is one snapshot of it.

    Raises:
        StudyError: The file or the study is missing (the message lists those that are
            there), or it is not an Optuna storage of this version.
        ResourceError: The file can't be read.
    """
    import optuna
    from optuna.study import StudyDirection

    url = resolve(storage)
    path = sqlite_path(url)
    if path is not None:  # a server is asked below, on one connection
        _require_there(name, study_names(storage), url)

    def loaded() -> "Study":
        backend = read_server(url) if path is None else _read_file(url, path)
        if path is None:
            _require_there(name, optuna.get_all_study_names(backend), url)
        study = optuna.load_study(study_name=name, storage=backend)
        if study.directions != [StudyDirection.MINIMIZE] and _is_ours(study):
            _check_direction(study, url, "restore the storage from a copy")
        return study

    with explaining(label(url)):
        try:
            return reconnecting(url, loaded)
        except (LookupError, TypeError, ValueError) as error:  # damaged rows, or their index
            raise StudyError(
                f"study {shown(name)} in {label(url)}: is listed there, and can't be read: "
                "restore the storage from a copy"
            ) from error


def study_names(storage: str) -> list[str]:
    """The names of the studies in ``storage``, oldest first, read without touching it.

    Raises:
        StudyError: It is missing, damaged, or not an Optuna storage of this version.
        ResourceError: It can't be read.
    """
    url = resolve(storage)
    path = sqlite_path(url)
    if path is None:
        import optuna

        with explaining(label(url)):
            return reconnecting(url, lambda: optuna.get_all_study_names(read_server(url)))
    if not path.exists():
        named = hidden(str(path))  # it may be a mistyped URL
        raise StudyError(f"{named}: there is no such file: run a search first, or name another")
    return look(path) or []


def has_study(storage: str, name: str) -> bool:
    """Whether the study ``name`` is there; neither storage nor study need be.

    Raises:
        StudyError: The storage is there, and damaged, or not one of Optuna's.
        ResourceError: It can't be read.
    """
    url = resolve(storage)
    path = sqlite_path(url)
    with explaining(label(url)):
        is_there = reconnecting(url, lambda: has_tables(url)) if path is None else path.exists()
    return is_there and name in study_names(storage)


def _open_file(url: str, path: Path) -> "RDBStorage":
    studies = look(path)
    require_local(path)
    require_writable(path)
    connect = partial(connect_writable, path, TIMEOUT_S)
    if studies is None:
        from sqlalchemy import create_engine

        engine = create_engine("sqlite:///", creator=connect)
        try:
            create_schema(engine)
        finally:
            engine.dispose()
    return _file_storage(url, path, connect)


def _read_file(url: str, path: Path) -> "RDBStorage":
    return _file_storage(url, path, partial(connect_readonly, path), begin="BEGIN")


def _file_storage(url: str, path: Path, creator: Any, begin: str = "") -> "RDBStorage":  # noqa: ANN401
    """Optuna's storage on a file whose schema was checked, and is checked in each transaction."""
    from optuna.storages import RDBStorage
    from sqlalchemy import event

    template = url.replace("{", "{{").replace("}", "}}")  # RDBStorage formats its URL
    backend = RDBStorage(
        template, {"creator": creator}, skip_compatibility_check=True, skip_table_creation=True
    )

    def check_again(connection: Any) -> None:  # noqa: ANN401 (SQLAlchemy's)
        if begin:
            connection.exec_driver_sql(begin)
        require_structure(connection.connection.dbapi_connection, str(path))

    event.listen(backend.engine, "begin", check_again)
    finalize(backend, backend.engine.dispose)  # or its connections are closed by chance
    return backend


def _require_there(name: str, names: list[str], url: str) -> None:
    if name in names:
        return
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    listed = f"it holds {', '.join(shown(name) for name in names[:10])}{more}"
    right = did_you_mean(name, names, listed if names else "it holds no studies yet")
    raise StudyError(f"study {shown(name)} in {label(url)}: is not there: {right}")


def _is_ours(study: "Study") -> bool:
    attributes = study._storage.get_study_system_attrs(study._study_id)
    return not _OWN.isdisjoint({*attributes, *study.user_attrs})


def _check_direction(study: "Study", url: str, remedy: str) -> None:
    directions = [direction.name.lower() for direction in study.directions]
    if directions != ["minimize"]:
        raise StudyError(
            f"study {shown(study.study_name)} in {label(url)}: its direction is"
            f" {', '.join(directions) or 'missing'}, not minimize: {remedy}"
        )
