"""SQLite is kept off network file systems."""

from pathlib import Path

import pytest

from study.errors import StudyError
from study.storage import Ledger, disk, load_study, lock, open_study
from study.storage.disk import require_local
from tests.helpers.storages import snapshot

MOUNTS = r"""/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/me/disk ext4 rw 0 0
//host/share /mnt/my\040share cifs rw 0 0
tmpfs /mnt/over tmpfs rw 0 0
server:/x /mnt/over nfs rw 0 0
me@host: /mnt/far fuse.sshfs rw 0 0
mon:/ /mnt/ceph fuse.ceph-fuse rw 0 0
/dev/vdc /mnt/near fuseblk rw 0 0
overlay /mnt/layers fuse.fuse-overlayfs rw 0 0
tag /mnt/guest virtiofs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path):
    """A machine's table of file systems."""
    path = tmp_path / "mounts"
    path.write_text(MOUNTS)
    return path


@pytest.mark.posix("Windows has no table of file systems")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/study.db", "nfs4"),
        ("/mnt/my share/study.db", "cifs"),
        ("/mnt/over/study.db", "nfs"),
        ("/mnt/far/study.db", "fuse.sshfs"),
        ("/mnt/ceph/study.db", "fuse.ceph-fuse"),
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


@pytest.mark.parametrize(
    "path",
    [
        *("/study.db", "/home/me/disk/study.db", "/homes/study.db"),
        *("/mnt/near/study.db", "/mnt/layers/study.db", "/mnt/guest/study.db"),
    ],
)
def test_a_file_on_a_disk_is_not(mounts, path):
    """Also below a network file system, where a disk is mounted over it."""
    require_local(Path(path), mounts)


def test_a_machine_without_such_a_table_refuses_nothing(tmp_path):
    """As on macOS."""
    require_local(Path("/home/me/study.db"), tmp_path / "absent")


@pytest.fixture
def far(path, tmp_path_factory, monkeypatch):
    """A storage with the study linear, in a folder that is on a network file system since."""
    open_study(str(path), "linear")
    mounts = tmp_path_factory.mktemp("proc") / "mounts"
    mounts.write_text(f"server:/x {path.parent} nfs4 rw 0 0\n")
    monkeypatch.setattr(disk, "MOUNTS", mounts)
    return path


@pytest.mark.parametrize(
    "work",
    [
        lambda path: open_study(path, "linear"),
        lambda path: lock(path, "linear").__enter__(),
        lambda path: Ledger.hold(path, "linear", lambda _: {"seed": 0}).__enter__(),
    ],
    ids=["open_study", "lock", "hold"],
)
@pytest.mark.parametrize("name", ["study.db", "new.db"])
def test_a_network_file_system_is_refused_before_anything_is_made_there(far, work, name):
    """No file, and no folder for a lock."""
    before = snapshot(far.parent)
    with pytest.raises(StudyError, match="is on a network file system"):
        work(str(far.with_name(name)))

    assert snapshot(far.parent) == before


def test_a_study_on_a_network_file_system_can_be_read(far):
    """Reading takes no lock that has to be kept."""
    assert load_study(str(far), "linear").trials == []
