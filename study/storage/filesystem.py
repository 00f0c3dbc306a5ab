"""Refuse SQLite on a network file system, whose locks do not keep two writers apart."""

import re
from pathlib import Path

from study.errors import StudyError

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
    lines = mounts.read_text(errors="replace").splitlines() if mounts.is_file() else []
    for _, mounted, kind, *_ in map(str.split, lines):
        place = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), mounted))
        depth = len(place.parts)
        if path.is_relative_to(place) and depth >= deepest:  # a later mount hides an earlier
            found, deepest = kind, depth
    return found
