"""What another process runs first: it does a task only if the same program is installed there.

The text of this file is sent along with every task, and ``eval`` runs it, which every Python
has. A process without the package, or with another version of it, could not unpickle the task,
and one of Dask's workers would die of trying. So this file imports the standard library alone.
Once the versions are found to be the same, it unpickles the task and calls the function that
the task names (:func:`study.workers.remote.perform`).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SOURCE = "study's source"
checked: list[Mapping[str, str]] = []
"""In the installed module: the versions that this process was found to have."""


def run_task(task: bytes, versions: Mapping[str, str], planner: int) -> dict[str, Any]:
    """Do a task, if these versions are installed here.

    Args:
        task: A function and its arguments, pickled. The function returns a mapping.
        versions: What :func:`installed` returns where the task was planned.
        planner: The process that planned it. Other processes leave Ctrl-C to it.

    Returns:
        The name of the ``worker``, and what the function returns, or why the worker is
        ``unfit`` for the task.
    """
    if os.getpid() != planner and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if versions not in getattr(sys.modules.get(__name__), "checked", ()):
        here = installed(versions)
        names = [name for name in versions if here[name] != versions[name]]
        if names:
            other = [f"{name} {here[name]}, not {versions[name]}" for name in names]
            reason = f"has {', '.join(other)}: install the search's versions there"
            return {"worker": worker_name(), "unfit": reason}
    function, *arguments = pickle.loads(task)  # imports the installed package
    if versions not in sys.modules[__name__].checked:
        sys.modules[__name__].checked.append(versions)
    answer: dict[str, Any] = function(*arguments)
    return {"worker": worker_name()} | answer


def installed(names: Iterable[str]) -> dict[str, str]:
    """What is here of each name: a package's version, or the digest of a file or the source."""
    return {name: _installed(name) for name in names}


def _installed(name: str) -> str:
    try:
        if name == SOURCE:
            return _source()
        if os.path.isabs(name):
            return hashlib.sha256(Path(name).read_bytes()).hexdigest()[:12]
        return version(name)
    except (OSError, PackageNotFoundError):
        return "not at all"


def _source() -> str:
    """A digest of the package's files, found without importing it."""
    spec = find_spec("study")
    if spec is None or not spec.submodule_search_locations:
        return "not at all"
    folder = Path(spec.submodule_search_locations[0])
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def worker_name() -> str:
    """This process: its address in a Dask cluster, or its number and machine."""
    if "distributed" in sys.modules:
        from distributed import get_worker

        try:
            return str(get_worker().address)
        except ValueError:  # it is none of Dask's workers
            pass
    return f"pid {os.getpid()} on {socket.gethostname()}"
