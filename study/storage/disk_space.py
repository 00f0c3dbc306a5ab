"""See a read-only or nearly full disk before the work, not after it."""

import os
from pathlib import Path

from study.errors import ResourceError, StudyError
from study.explain import explaining


def require_room(folder: Path, needed: int) -> None:
    """Refuse a folder, there or to be made, that can't take ``needed`` more bytes.

    Raises:
        StudyError: A file is in its place.
        ResourceError: It can't be written, or its disk has less than that left.
    """
    with explaining(str(folder)):
        whole = folder.absolute()
        there = next(path for path in (whole, *whole.parents) if path.exists())
        if not there.is_dir():
            raise StudyError(f"{there}: is not a folder: remove it, or name another")
        if not os.access(there, os.W_OK | os.X_OK):
            raise ResourceError(f"{there}: can't be written: make it writable, or name another")
        disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    if free < needed:
        raise ResourceError(
            f"{there}: its disk has {free / 1e6:.1f} MB left, and about {needed / 1e6:.1f} MB are "
            "needed: free some space, or name another"
        )
