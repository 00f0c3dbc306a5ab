"""Open a study for searching, or for reading only."""

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.explain import explaining
from study.storage.filesystem import require_local
from study.storage.postgresql import require_server
from study.storage.reconnecting import reconnecting
from study.storage.schema import create_schema, head_revision, known_revisions
from study.storage.sqlite import (
    TIMEOUT_S,
    Contents,
    connect_readonly,
    connect_writable,
    look,
    require_writable,
)
from study.storage.structure import require_structure
from study.storage.urls import check_name, label, resolve, shown, sqlite_path
from study.text import hidden

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage
    from sqlalchemy.engine import Engine


def open_study(storage: str, name: str) -> "Study":
    """The study ``name``, to append to; file, tables and study are created if absent.

    A kill while they are created leaves nothing, the tables, or the study, and the next
    call makes the rest. What is refused is left untouched. A server that has gone away is
    waited for, here and in all that reads.

    Args:
        storage: A path or a URL.
        name: The study's name; its direction is to minimise.

    Raises:
        StudyError: The file is not an Optuna storage of this version, or the study has
            another direction, or the name or the storage can't be used.
        ResourceError: The file or folder is read-only, or the disk is full.
    """
    url = resolve(storage)
    check_name(name)
    path = sqlite_path(url)

    def opened() -> "Study":
        return _study(_open_server(url) if path is None else _open_file(url, path), name)

    with explaining(label(url)):
        study = reconnecting(url, opened)
    _check_direction(study, url, "choose another --study-name")
    return study


def load_study(storage: str, name: str) -> "Study":
    """The study ``name``, to read: nothing is created or changed, also while a search writes.

    Each read of an SQLite file is one snapshot of it.

    Raises:
        StudyError: The file or the study is missing (the message lists those that are
            there), or it is not an Optuna storage of this version.
        ResourceError: The file can't be read.
    """
    import optuna

    url = resolve(storage)
    path = sqlite_path(url)
    if path is not None:  # a server is asked below, on one connection
        _require_there(name, study_names(storage), url)

    def loaded() -> "Study":
        backend = _read_server(url) if path is None else _read_file(url, path)
        if path is None:
            _require_there(name, [found.study_name for found in backend.get_all_studies()], url)
        study = optuna.load_study(study_name=name, storage=backend)
        if _is_ours(study):
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
        with explaining(label(url)):
            studies = reconnecting(url, lambda: _read_server(url).get_all_studies())
        return [study.study_name for study in studies]
    if not path.exists():
        named = hidden(str(path))  # it may be a mistyped URL
        raise StudyError(f"{named}: there is no such file: run a search first, or name another")
    contents = look(path)
    _check_contents(contents, path)
    return list(contents.studies) if contents else []


def has_study(storage: str, name: str) -> bool:
    """Whether the study ``name`` is there; neither storage nor study need be.

    Raises:
        StudyError: The storage is there, and damaged, or not one of Optuna's.
        ResourceError: It can't be read.
    """
    url = resolve(storage)
    path = sqlite_path(url)
    if path is not None:
        return path.exists() and name in study_names(storage)

    def there() -> bool:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        if not _has_tables(create_engine(url, poolclass=NullPool)):
            return False
        return any(study.study_name == name for study in _server(url).get_all_studies())

    with explaining(label(url)):
        return reconnecting(url, there)


def _open_file(url: str, path: Path) -> "RDBStorage":
    contents = look(path)
    _check_contents(contents, path)
    require_local(path)
    require_writable(path)
    if contents is None:
        _make_file(path)
    backend = _rdb(url, creator=partial(connect_writable, path, TIMEOUT_S))
    _guard(backend.engine, path)
    return backend


def _make_file(path: Path) -> None:
    from sqlalchemy import create_engine

    engine = create_engine("sqlite:///", creator=partial(connect_writable, path, TIMEOUT_S))
    try:
        create_schema(engine)
    finally:
        engine.dispose()


def _read_file(url: str, path: Path) -> "RDBStorage":
    from sqlalchemy import event

    backend = _rdb(url, creator=partial(connect_readonly, path))
    event.listen(backend.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    _guard(backend.engine, path)
    return backend


def _guard(engine: "Engine", path: Path) -> None:
    """Look at the schema again in each transaction; what was looked at before may have changed."""
    from sqlalchemy import event

    def look_again(connection: Any) -> None:  # noqa: ANN401 (a fairy of SQLAlchemy's)
        require_structure(connection.connection.dbapi_connection, str(path))

    event.listen(engine, "begin", look_again)


def _rdb(url: str, **engine: Any) -> "RDBStorage":  # noqa: ANN401 (what create_engine takes)
    """Optuna's storage on a file whose schema was checked."""
    from optuna.storages import RDBStorage

    template = url.replace("{", "{{").replace("}", "}}")  # RDBStorage formats its URL
    return RDBStorage(template, engine, skip_compatibility_check=True, skip_table_creation=True)


def _open_server(url: str) -> "RDBStorage":
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool)
    if engine.name == "postgresql" and not _has_tables(engine):
        create_schema(engine)
    return _server(url)


def _read_server(url: str) -> "RDBStorage":
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    if not _has_tables(create_engine(url, poolclass=NullPool)):
        raise StudyError(f"{label(url)}: holds no study: run a search first, or name another")
    return _server(url)


def _has_tables(engine: "Engine") -> bool:
    """Whether a server's database has Optuna's tables, and their version.

    Raises:
        StudyError: They are there, and not as Optuna makes them.
    """
    from sqlalchemy import inspect

    with engine.connect() as connection:
        has_table = inspect(connection).has_table
        found = has_table("version_info") and has_table("alembic_version")
        if found and engine.name == "postgresql":
            require_server(connection, label(engine.url.render_as_string()))
        return found


def _server(url: str) -> "RDBStorage":
    """Optuna's storage on a server; it makes what tables are missing."""
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    template = url.replace("{", "{{").replace("}", "}}")
    try:
        return RDBStorage(template, {"poolclass": NullPool})  # none outlives a restart
    except RuntimeError as error:  # another schema version
        raise StudyError(_version_message(label(url), url)) from error


def _study(backend: "RDBStorage", name: str) -> "Study":
    import optuna

    try:
        return optuna.load_study(study_name=name, storage=backend)
    except KeyError:
        return optuna.create_study(study_name=name, storage=backend, load_if_exists=True)


def _require_there(name: str, names: list[str], url: str) -> None:
    if name not in names:
        raise StudyError(f"study {shown(name)} in {label(url)}: is not there: {_listed(names)}")


def _is_ours(study: "Study") -> bool:
    """Whether a study that does not minimise one value has a mark of this package."""
    if study.directions == [study.directions[0].MINIMIZE]:
        return False  # as it should be, whoever's it is
    own = {"seal"} & study._storage.get_study_system_attrs(study._study_id).keys()
    return bool(own or {"manifest", "machine"} & study.user_attrs.keys())


def _check_direction(study: "Study", url: str, remedy: str) -> None:
    directions = [direction.name.lower() for direction in study.directions]
    if directions != ["minimize"]:
        raise StudyError(
            f"study {shown(study.study_name)} in {label(url)}: its direction is"
            f" {', '.join(directions) or 'missing'}, not minimize: {remedy}"
        )


def _check_contents(contents: Contents | None, path: Path) -> None:
    if contents is None:
        return
    if not contents.is_optuna:
        tables = ", ".join(shown(table) for table in sorted(contents.tables)[:3])
        raise StudyError(
            f"{path}: is another application's database (with {tables}): name a new file"
        )
    if contents.revision == head_revision():
        return
    if contents.revision is None or contents.revision in known_revisions():
        raise StudyError(_version_message(str(path), f"sqlite:///{path}"))
    raise StudyError(
        f"{path}: was written by a newer Optuna (schema {shown(contents.revision)}):"
        " run `pip install -U optuna`"
    )


def _version_message(what: str, url: str) -> str:
    return (
        f"{what}: has the tables of an older Optuna:"
        f" copy it, then run `optuna storage upgrade --storage {shlex.quote(hidden(url))}`"
    )


def _listed(names: list[str]) -> str:
    if not names:
        return "it holds no studies yet"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"it holds {', '.join(shown(name) for name in names[:10])}{more}"
