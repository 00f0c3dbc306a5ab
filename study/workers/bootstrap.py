"""The door of another process: is it the same program there?

This file's text goes along with every task, and ``eval`` runs it, which every Python has: a
process without the package, or with an older one, could unpickle nothing of ours, and one of
Dask's workers would die of trying. So it imports nothing but the standard library, and the
task stays bytes until the door has opened.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SOURCE = "study's source"
INSIDE = "study.workers.remote"


def pass_through(task: bytes, wanted: dict[str, str], planner: int) -> dict[str, Any]:
    """Do a task, if what is installed here is what is wanted.

    Args:
        task: The arguments of :func:`study.workers.remote.perform`, pickled.
        wanted: What :func:`installed` says where the task was planned.
        planner: The process that planned it. Others leave a terminal's Ctrl-C to it.

    Returns:
        The ``worker``, and either the ``result`` and the ``processor`` that it is of, or the
        reason why the worker is ``unfit``.
    """
    if os.getpid() != planner and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    inside = sys.modules.get(INSIDE)
    if inside is None or wanted not in getattr(inside, "admitted", ()):
        here = installed(wanted)
        names = [name for name in wanted if here[name] != wanted[name]]
        other = [f"{name} {here[name]}, not {wanted[name]}" for name in names]
        if other:
            reason = f"has {', '.join(other)}: install the search's versions there"
            return {"worker": worker(), "unfit": reason}
    from study.workers import remote

    if wanted not in remote.admitted:
        remote.admitted.append(wanted)
    return {"worker": worker()} | remote.perform(*pickle.loads(task))


def installed(names: Iterable[str]) -> dict[str, str]:
    """What there is here of each name: a package's version, a file's or the source's digest."""
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


def worker() -> str:
    """This process, as a person or its scheduler would name it."""
    if "distributed" in sys.modules:
        from distributed import get_worker

        try:
            return str(get_worker().address)
        except ValueError:  # not one of Dask's
            pass
    return f"pid {os.getpid()} on {socket.gethostname()}"
