"""Refuse a disk that is read-only, nearly full, or on the network, before the work begins."""

import os
import re
import shutil
from pathlib import Path

from study.errors import ResourceError, StudyError
from study.explain import explaining

MOUNTS = Path("/proc/self/mounts")  # Linux's; elsewhere nothing is known, and nothing refused
# Those that systemd, util-linux and coreutils call remote, also below FUSE ("fuse.sshfs"), and
# the clusters' and clouds' own. Not all of FUSE, under which there are local ones too, nor
# virtiofs, which is no network file system, https://docs.kernel.org/filesystems/virtiofs.html.
_NETWORK = {
    *("nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncp", "ncpfs", "afs", "coda", "9p"),
    *("acfs", "beegfs", "ceph", "ceph-fuse", "fhgfs", "gfs", "gfs2", "glusterfs", "gpfs"),
    *("lizardfs", "lustre", "mfs", "ocfs2", "orangefs", "panfs", "pvfs2", "seaweedfs", "snfs"),
    *("wekafs", "blobfuse", "blobfuse2", "gcsfuse", "juicefs", "rclone", "s3fs", "curlftpfs"),
    *("davfs", "davfs2", "sshfs", "prl_fs", "vboxsf", "vmhgfs", "vmhgfs-fuse"),
}


def require_local(path: Path, mounts: Path | None = None) -> None:
    """Refuse to write ``path`` where it lies on a network file system.

    SQLite's own advice: https://www.sqlite.org/faq.html#q5.

    Args:
        path: A database file, there or to be made.
        mounts: The machine's table of file systems, where it is not the usual one.

    Raises:
        StudyError: Names the file system, and what to use.
    """
    kind = _kind(path.resolve(), mounts or MOUNTS)
    if kind.removeprefix("fuse.") in _NETWORK:
        raise StudyError(
            f"{path}: is on a network file system ({kind}), where SQLite can't keep two writers "
            "apart: name a file on a local disk, or postgresql+psycopg://USER@HOST/DATABASE"
        )


def _kind(path: Path, mounts: Path) -> str:
    """The type of the file system that ``path`` is, or would be, on; empty if unknown."""
    found, deepest = "", -1
    table = mounts.read_text("utf-8", errors="replace") if mounts.is_file() else ""
    for _, mounted, kind, *_ in map(str.split, table.splitlines()):
        place = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), mounted))
        depth = len(place.parts)
        if path.is_relative_to(place) and depth >= deepest:  # a later mount hides an earlier
            found, deepest = kind, depth
    return found


def require_writable(path: Path) -> None:
    """Refuse a file that can't be written, or can't have its journal beside it.

    Raises:
        ResourceError: Names the file or the folder.
    """
    for needed in (path, path.parent):
        if needed.exists() and not os.access(needed, os.W_OK):
            raise ResourceError(f"{needed}: is read-only: make it writable, or name another file")


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
        free = shutil.disk_usage(there).free
    if free < needed:
        raise ResourceError(
            f"{there}: its disk has {free / 1e6:.1f} MB left, and about {needed / 1e6:.1f} MB are "
            "needed: free some space, or name another"
        )
