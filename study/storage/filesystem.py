"""Refuse SQLite on a network file system, whose locks do not keep two writers apart."""

import re
from pathlib import Path

from study.errors import StudyError

MOUNTS = Path("/proc/self/mounts")  # Linux's; elsewhere nothing is known, and nothing refused
_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs"),
    *("glusterfs", "ocfs2", "gfs2", "fuse.glusterfs", "fuse.sshfs", "fuse.ceph", "fuse.s3fs"),
}


def require_local(path: Path, mounts: Path = MOUNTS) -> None:
    """Refuse to write ``path`` where it lies on a network file system.

    SQLite's own advice: https://www.sqlite.org/faq.html#q5.

    Raises:
        StudyError: Names the file system, and what to use.
    """
    kind = _kind(path.resolve(), mounts)
    if kind in _NETWORK:
        raise StudyError(
            f"{path}: is on a network file system ({kind}), where SQLite can't keep two writers "
            "apart: name a file on a local disk, or postgresql+psycopg://USER@HOST/DATABASE"
        )


def _kind(path: Path, mounts: Path) -> str:
    """The type of the file system that ``path`` is, or would be, on; empty if unknown."""
    found, deepest = "", -1
    lines = mounts.read_text(errors="replace").splitlines() if mounts.is_file() else []
    for _, mounted, kind, *_ in map(str.split, lines):
        place = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), mounted))
        depth = len(place.parts)
        if path.is_relative_to(place) and depth >= deepest:  # a later mount hides an earlier
            found, deepest = kind, depth
    return found
