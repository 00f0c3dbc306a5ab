"""F29: what a stranger leaves beside a storage is looked at before it is used."""

import os
import shutil
import socket
import sys

import pytest

from study.check import check
from study.errors import StudyError
from study.search.checkpoints import drop_weights
from study.storage import files, load_study, lock, open_study, save_weights, study_names
from study.storage.weights import load_weights
from tests.helpers import posix
from tests.helpers.commands import run

from .helpers import NAME, search

pytestmark = pytest.mark.matrix("F29")


@pytest.fixture
def path(calm, tmp_path):
    """A copy of a small study and of its companion folder."""
    shutil.copytree(calm.parent, tmp_path / "own")
    return tmp_path / "own" / calm.name


@pytest.fixture
def elsewhere(tmp_path):
    """A folder of a person's own with weights and a note."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("trial-00099.safetensors", ".0123456789abcdef.tmp", "lock", "note.txt"):
        (folder / name).write_text("precious")
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sparse(path):
    posix.lengthen(path, 30 << 30)


def listen(path):
    folder = os.open(path.parent, os.O_RDONLY)  # a socket's path has at most 108 bytes
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


KINDS = {
    "pipe": posix.mkfifo,
    "folder": os.mkdir,
    "link": lambda p: p.symlink_to("/dev/zero"),
    "dangling link": lambda p: p.symlink_to("nowhere"),
    "socket": listen,
}


def one_line(error, path):
    assert error.status == 2
    assert str(path) in str(error)
    assert "\n" not in str(error)
    return True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_sqlite_is_not_led_to_what_is_no_journal(suffix, kind, path):
    """Every command that would open the database names the file instead of waiting for it."""
    journal = path.with_name(path.name + suffix)
    KINDS[kind](journal)

    for use in (study_names, check, lambda s: load_study(s, NAME), search):
        with pytest.raises(StudyError) as caught:
            use(str(path))
        assert one_line(caught.value, journal)
    assert os.path.lexists(journal)


def test_a_journal_beside_the_file_that_a_link_names_is_seen(path, tmp_path):
    """SQLite follows the link to the database, and looks for the journal there."""
    link = tmp_path / "link.db"
    link.symlink_to(path)
    assert study_names(str(link)) == [NAME]

    posix.mkfifo(path.with_name(f"{path.name}-journal"))

    with pytest.raises(StudyError, match="is a pipe"):
        study_names(str(link))


def test_a_database_that_is_not_there_yet_is_not_made_beside_a_pipe(tmp_path):
    """SQLite would write its first transaction into it."""
    posix.mkfifo(tmp_path / "study.db-journal")

    with pytest.raises(StudyError, match="is a pipe"):
        search(tmp_path / "study.db")

    assert not (tmp_path / "study.db").exists()


@pytest.mark.parametrize("name", ["lock", "holder"])
@pytest.mark.parametrize("kind", [*KINDS, "sparse", "hard link"])
def test_a_lock_that_is_no_lock_is_refused_and_left(kind, name, path, elsewhere):
    """A search ends in one line, and the check names it; neither reads nor writes it."""
    place = files(str(path), NAME) / name
    place.unlink(missing_ok=True)
    makers = KINDS | {"sparse": sparse, "hard link": lambda p: p.hardlink_to(elsewhere / "lock")}
    makers[kind](place)
    before = content(elsewhere)

    with pytest.raises(StudyError) as caught, lock(str(path), NAME):
        pytest.fail("was let in")

    assert one_line(caught.value, place)
    assert content(elsewhere) == before
    told = [finding.what for finding in check(str(path)).wrong]
    assert kind == "hard link" or any(str(place) in words for words in told)


@pytest.mark.parametrize("level", ["of all studies", "of one study"])
@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_a_companion_folder_that_is_none_is_not_entered(level, kind, path, elsewhere):
    """No file is read, written or deleted through a link to another folder."""
    folder = files(str(path), NAME)
    inside = elsewhere / NAME if level == "of all studies" else elsewhere
    shutil.rmtree(folder.parent)
    if level == "of all studies":
        shutil.copytree(elsewhere, inside)
    place = folder.parent if level == "of all studies" else folder
    place.parent.mkdir(exist_ok=True)
    makers = {"link": lambda p: p.symlink_to(elsewhere), "file": lambda p: p.touch()}
    (makers | {"pipe": posix.mkfifo})[kind](place)
    before = content(inside)

    for use in (
        lambda: search(path, n_trials=12),
        lambda: drop_weights(str(path), NAME, []),
        lambda: load_weights(folder / "trial-00099.safetensors"),
        lambda: save_weights(folder / "trial-00099.safetensors", {}, {}),
    ):
        with pytest.raises(StudyError) as caught:
            use()
        assert one_line(caught.value, place)
    assert any(str(place) in finding.what for finding in check(str(path)).wrong)
    assert content(inside) == before


STRANGE = [
    *("trial-abc.safetensors", "trial-1.safetensors", "trial--0001.safetensors", "trial-.tmp"),
    *("trial-000099.safetensors", "trial-٠٠٠٩٩.safetensors", ".notes.tmp", "..tmp"),
    *("trial-00099.safetensors.bak", "my-trial-00099.safetensors", ".0123456789ABCDEF.tmp"),
]


@pytest.mark.parametrize("name", STRANGE)
def test_a_file_of_another_name_than_ours_stays(name, path):
    """Only what has exactly the name that a search gives is deleted."""
    place = files(str(path), NAME) / name
    place.write_text("precious")

    search(path, n_trials=12)

    assert place.read_text() == "precious"
    assert check(str(path)).wrong == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["trial-00099.safetensors", ".0123456789abcdef.tmp"])
def test_what_has_our_name_and_is_no_file_stays(name, kind, path):
    """A pipe, a folder or a link was not written by a search."""
    place = files(str(path), NAME) / name
    KINDS[kind](place)

    search(path, n_trials=12)

    assert os.path.lexists(place)


@pytest.mark.parametrize("kind", [*KINDS, "sparse"])
def test_weights_that_are_none_are_told_and_not_opened(kind, path):
    """In a best trial's place; a search that would write there refuses too."""
    place = sorted(files(str(path), NAME).glob("trial-*"))[0]
    place.unlink()
    (KINDS | {"sparse": sparse})[kind](place)

    with pytest.raises(StudyError) as caught:
        load_weights(place)

    assert one_line(caught.value, place)
    assert any(str(place) in finding.what for finding in check(str(path)).wrong)
    if kind != "sparse":  # which is a file of our name, and would be replaced
        with pytest.raises(StudyError):
            save_weights(place, {}, {})
        assert os.path.lexists(place)


@pytest.mark.parametrize("claim", [1 << 21, 1 << 40, (1 << 64) - 1])
def test_a_header_that_claims_much_costs_nothing(claim, tmp_path):
    """The header's length is compared with the file's, and bounded, before it is read."""
    place = tmp_path / "trial-00001.safetensors"
    place.write_bytes(claim.to_bytes(8, "little") + b" " * (3 << 20))

    with pytest.raises(StudyError, match="is damaged"):
        load_weights(place)


def test_a_journal_that_is_far_larger_than_its_database_is_not_copied(path):
    """A hot journal of thirty gigabytes, most of them a hole."""
    journal = path.with_name(f"{path.name}-journal")
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7") + b"\0\0\0\1" * 5 + b"\0" * 484)
    posix.lengthen(journal, 30 << 30)

    with pytest.raises(StudyError, match="is no journal of study") as caught:
        study_names(str(path))

    assert one_line(caught.value, journal)


@pytest.mark.parametrize("reads", [study_names, lambda url: open_study(url, "linear")])
def test_a_journal_that_names_another_file_deletes_none(path, elsewhere, reads):
    """SQLite deletes the file that the end of a journal names, for a commit of two databases."""
    precious = str(elsewhere / "note.txt").encode()
    pages, journal = path.read_bytes(), path.with_name(f"{path.name}-journal")
    magic, size = bytes.fromhex("d9d505f920a163d7"), int.from_bytes(pages[16:18])
    head = magic + b"\0\0\0\0" * 2 + (len(pages) // size).to_bytes(4) + (512).to_bytes(4)
    lock = (1 << 30) // size + 1
    tail = lock.to_bytes(4) + precious + len(precious).to_bytes(4) + sum(precious).to_bytes(4)
    journal.write_bytes((head + size.to_bytes(4)).ljust(512, b"\0") + tail + magic)

    with pytest.raises(StudyError, match="names another file") as caught:
        reads(str(path))

    assert one_line(caught.value, journal)
    assert (elsewhere / "note.txt").read_text() == "precious"


@pytest.mark.parametrize("module", ["study.check", "study.search", "study.report"])
def test_a_command_says_it_in_one_line(module, path):
    """Status 2, at once, and the pipe's name on standard error."""
    journal = path.with_name(f"{path.name}-journal")
    posix.mkfifo(journal)
    options = ("--model", "linear") if module == "study.search" else ()

    status, out, err = run(
        (sys.executable, "-m", module, "--storage", str(path), *options), path.parent
    )

    assert (status, out) == (2, "")
    assert err.startswith(f"study: {journal}: is a pipe")
    assert err.count("\n") == 1
