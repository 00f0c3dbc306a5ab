"""SQLite is kept off network file systems."""

from pathlib import Path

import pytest

from study.errors import StudyError
from study.storage.filesystem import require_local

MOUNTS = r"""/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/me/disk ext4 rw 0 0
//host/share /mnt/my\040share cifs rw 0 0
tmpfs /mnt/over tmpfs rw 0 0
server:/x /mnt/over nfs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path):
    """A machine's table of file systems."""
    path = tmp_path / "mounts"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/study.db", "nfs4"),
        ("/mnt/my share/study.db", "cifs"),
        ("/mnt/over/study.db", "nfs"),
    ],
)
def test_a_file_on_a_network_file_system_is_refused(mounts, path, kind):
    """The message names the file, the kind, and what to use instead."""
    with pytest.raises(StudyError) as caught:
        require_local(Path(path), mounts)

    assert str(caught.value).startswith(f"{path}: is on a network file system ({kind}), ")
    assert str(caught.value).endswith(
        "name a file on a local disk, or postgresql+psycopg://USER@HOST/DATABASE"
    )


@pytest.mark.parametrize("path", ["/study.db", "/home/me/disk/study.db", "/homes/study.db"])
def test_a_file_on_a_disk_is_not(mounts, path):
    """Also below a network file system, where a disk is mounted over it."""
    require_local(Path(path), mounts)


def test_a_machine_without_such_a_table_refuses_nothing(tmp_path):
    """As on macOS."""
    require_local(Path("/home/me/study.db"), tmp_path / "absent")
