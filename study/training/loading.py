"""The data of a protocol: read once, and kept while it is used.

Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study import dataset
from study.caching import cached_once, cached_while_used
from study.dataset.files import read as read_rows
from study.dataset.rows import Rows
from study.errors import StudyError
from study.training.protocol import Protocol


def load_pair(protocol: Protocol, data_root: Path | None) -> dataset.Data:
    """The protocol's data; the last two are kept, and each one that is in use."""
    wanted = _of_data(protocol)
    return _in_memory.get(wanted) or _pair(wanted, data_root, _stamp(data_root))


def _of_data(protocol: Protocol) -> Protocol:
    """The protocol with the default training: the same for all that have the same data."""
    of_training = ("steps", "batch_size", "val_every")
    return replace(protocol, **{name: getattr(Protocol, name) for name in of_training})


_in_memory: dict[Protocol, dataset.Data] = {}
"""Data that no file has, which this process alone can train on."""


@contextmanager
def in_memory(data: dataset.Data | None) -> Iterator[None]:
    """In the block, :func:`load_pair` finds this data for its protocol, which no file has."""
    found = {} if data is None else {_of_data(Protocol.of(data)): data}
    _in_memory.update(found)
    try:
        yield
    finally:
        for protocol in found:
            del _in_memory[protocol]


def is_in_memory(protocol: Protocol) -> bool:
    """Whether no other process has the protocol's data."""
    return _of_data(protocol) in _in_memory


@cached_once(maxsize=2)
@cached_while_used
def _pair(protocol: Protocol, data_root: Path | None, _stamp: object) -> dataset.Data:
    name, classes = protocol.dataset, protocol.classes
    if dataset.is_official(name):
        dataset.check_request(name, classes, bundled=data_root is None)
        files = load_files(name, data_root)
        pair = dataset.Data.select(name, classes, *files, protocol.n_train)
        return dataset.in_order(pair, protocol.normalisation, protocol.order)
    if data_root is None:
        raise StudyError(f"data {name}: no file or folder is named: pass it with --data")
    return dataset.select(load_rows(data_root, protocol.label), _choice(protocol), name)[0]


def whereabouts(protocol: Protocol, data_root: Path) -> Callable[[int], str]:
    """Where each row of one's own data stands in its file: ``line 12``, ``cat/7.png``."""
    rows = load_rows(data_root, protocol.label)
    return dataset.select(rows, _choice(protocol), protocol.dataset)[1]


def _choice(protocol: Protocol) -> dataset.Choice:
    """Which rows of one's own data the protocol names."""
    return dataset.Choice(
        protocol.classes,
        protocol.n_train,
        protocol.normalisation,
        protocol.order,
        protocol.label,
    )


def own_protocol(
    path: Path, label: str, request: Mapping[str, Any], training: Mapping[str, int]
) -> tuple[Protocol, str]:
    """The protocol for one's own file or folder, with what to tell of it, on one line.

    What may be a mistake in the data is logged.

    Args:
        path: The file or folder.
        label: The column with the labels; "" for the last.
        request: Of :meth:`study.dataset.Choice.of`.
        training: Fields of the protocol that are no defaults.

    Raises:
        StudyError: The data can't be used.
    """
    rows, name = load_rows(path, label), dataset.name_of(path)
    data, where = dataset.select(rows, dataset.Choice.of(rows, **request), name)
    dataset.warn(data, where)
    protocol = Protocol.of(data, **training)
    return protocol, f"{dataset.summary(data)}; batches of {protocol.batch_size:,}"


def load_rows(path: Path, label: str) -> Rows:
    """All rows of one's own file or folder; those of the last one are kept."""
    return _rows(path, label, _stamp(path))


@cached_once(maxsize=1)
def _rows(path: Path, label: str, _stamp: object) -> Rows:
    return read_rows(path, label)


def _stamp(path: Path | None) -> object:
    """What changes when a file is written anew: a worker lives longer than a file's content."""
    if path is None or not path.is_file():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


@cached_once(maxsize=1)
def load_files(name: str, data_root: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All images and labels of a data set, whatever the pair; read and checked once a process."""
    return dataset.read(name, data_root)
