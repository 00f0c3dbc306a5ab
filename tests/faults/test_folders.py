"""F25, F39: a report replaces and deletes what a report wrote, and nothing else."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from study import baseline
from study.errors import StudyError
from study.report import ownership, sealing
from study.report.ownership import PAGE, RECORD, SUMMARY, require_own
from tests.helpers import posix
from tests.helpers.children import ended, forked, start
from tests.helpers.commands import run

ROOT = Path(__file__).parents[2]
TINY = ("--steps", "20", "--val-every", "10", "--n-trials", "2")
OLD = {"figures/a.png": b"old a", "figures/stale.png": b"stale", "tables/a.csv": b"1",
       SUMMARY: b"{}", PAGE: b"old"}  # fmt: skip
NEW = {"figures/a.png": b"new a", "tables/a.csv": b"2", "tables/b.csv": b"3",
       SUMMARY: b"[]", PAGE: b"new"}  # fmt: skip


def put(out, content, *, replace=False):
    """Write a report of these files, as every command does."""
    ownership.write(out, content, replace=replace)


def contents(out):
    """Every file below a folder but the record, by its path; of a link, where it leads."""
    return {
        path.relative_to(out).as_posix(): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        for path in out.rglob("*")
        if path.name != RECORD and (path.is_symlink() or path.is_file())
    }


def record(out):
    """The record, as a program reads it."""
    return json.loads((out / RECORD).read_text())


def digests(content):
    """SHA-256 by name, as in a record."""
    return {name: sha256(whole).hexdigest() for name, whole in content.items()}


@pytest.fixture
def out(tmp_path):
    """A folder with a report in it."""
    put(tmp_path / "out", OLD)
    return tmp_path / "out"


MINE = ("notes.txt", "figures/mine.png", "tables/mine.csv", "figures/deep/a.png", ".hidden",
        "Index.htm", ".1234.tmp", "tables/.0123456789ABCDEF.tmp")  # fmt: skip


@pytest.mark.matrix("F25")
def test_other_files_of_the_folder_stay(out, attempts):
    """Whatever they are called, they are neither changed nor in the way."""
    for name in MINE:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(f"my {name}")

    put(out, NEW)

    attempts(len(MINE))
    assert contents(out) == NEW | {name: f"my {name}".encode() for name in MINE}
    assert record(out) == {"generator": "study", "complete": True, "files": digests(NEW)}


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("name", [*NEW, RECORD])
def test_a_file_that_no_report_wrote_is_refused(tmp_path, name):
    """In one line that names it and says what to pass, before anything is written."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")

    with pytest.raises(StudyError) as refused:
        put(tmp_path, NEW)

    assert str(refused.value).startswith(f"{tmp_path / name}: is ")
    assert str(refused.value).endswith(f": {ownership.REMEDY}")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("name", [PAGE, SUMMARY, "figures/a.png", "tables/a.csv"])
def test_a_file_that_was_changed_since_is_refused(out, name):
    """A report's own file is somebody else's once they changed it."""
    (out / name).write_text("mine now")
    before = contents(out)

    with pytest.raises(StudyError, match=f"{name}: was changed since a report wrote it: move"):
        put(out, NEW)

    assert contents(out) == before


@pytest.mark.matrix("F25")
def test_a_stale_file_that_was_changed_since_stays(out):
    """It is in nobody's way, and belongs to the report no more."""
    (out / "figures/stale.png").write_text("mine now")

    put(out, NEW)

    assert contents(out) == NEW | {"figures/stale.png": b"mine now"}
    assert "figures/stale.png" not in record(out)["files"]


@pytest.mark.matrix("F25")
def test_what_is_in_the_way_is_replaced_where_that_is_asked_for(out):
    """It and nothing else."""
    for name in (PAGE, "tables/b.csv", "tables/mine.csv", "figures/stale.png"):
        (out / name).write_text("mine")

    put(out, NEW, replace=True)

    assert contents(out) == NEW | {"tables/mine.csv": b"mine", "figures/stale.png": b"mine"}
    put(out, NEW)


LINKS = {
    "figures": lambda path, there: path.symlink_to(there),
    "tables": lambda path, there: path.symlink_to(there / "nowhere"),
    "index.html": lambda path, there: path.symlink_to(there / PAGE),
    "summary.json": lambda path, there: posix.mkfifo(path),
    "figures/a.png": lambda path, there: path.mkdir(),
    "tables/b.csv": lambda path, there: path.symlink_to(there / "nowhere"),
    RECORD: lambda path, there: path.symlink_to(there / RECORD),
}


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("name", LINKS)
def test_a_link_folder_or_pipe_in_the_place_of_a_file_is_refused(out, name, replace):
    """Also where replacing is asked for: nothing is written through it, or in its place."""
    there = shutil.copytree(out, out.parent / "there")
    if (out / name).is_dir():
        shutil.rmtree(out / name)
    (out / name).unlink(missing_ok=True)
    LINKS[name](out / name, there)
    before = contents(out)

    with pytest.raises(StudyError, match=rf"{name}: is (a symbolic link|not a file): remove it"):
        put(out, NEW, replace=replace)

    assert contents(out) == before
    assert contents(there) == OLD


@pytest.mark.matrix("F25")
@pytest.mark.parametrize(
    "make", [Path.touch, posix.mkfifo, lambda path: path.symlink_to("nowhere")]
)
def test_a_folder_that_is_none_is_refused(tmp_path, make):
    """A file, a pipe or a dead link in the place of ``--out`` stays."""
    make(tmp_path / "out")

    with pytest.raises(StudyError, match=r"out: is not a folder: remove it, or name another"):
        require_own(tmp_path / "out", NEW)


HOSTILE = {
    "no JSON": "{",
    "another program's": '{"files": {}}',
    "a list": "[]",
    "a path upwards": {"../victim.png": "0" * 64},
    "an absolute path": {"/etc/passwd": "0" * 64},
    "a path through a folder": {"figures/../../victim.png": "0" * 64},
    "a file that no report has": {"notes.txt": "0" * 64},
    "a name that no file has": {"figures/\ud800.png": "0" * 64},
    "no digest": {"figures/a.png": None},
    "nested": "[" * 500_000,
    "huge": json.dumps({"generator": "study", "files": {}, "more": "x" * 2**21}),
}


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_record_that_is_none_is_refused(out, kind):
    """Nothing outside the folder can be named in one, and no file that a report never has."""
    said = HOSTILE[kind]
    if isinstance(said, dict):
        said = json.dumps({"generator": "study", "complete": True, "files": said})
    (out / RECORD).write_text(said)

    with pytest.raises(StudyError, match=f"{RECORD}: is not the record of a report: move it"):
        put(out, NEW)

    assert contents(out) == OLD
    assert not ownership.is_complete(out)


@pytest.mark.matrix("F25")
def test_a_real_report_is_recorded_whole(reported, tmp_path):
    """Every file is in it with its digest; the same again leaves the same, to the byte."""
    written = shutil.copytree(reported, tmp_path / "written")
    before = contents(written)
    recorded = (written / RECORD).read_bytes()

    put(written, before)

    assert record(written)["files"] == digests(before)
    assert (contents(written), (written / RECORD).read_bytes()) == (before, recorded)
    assert before.keys() <= set(ownership.report_names(["linear"]))


@pytest.mark.matrix("F25")
def test_the_published_reports_are_recorded_whole():
    """Their bytes are those that were committed."""
    for folder in (ROOT / "reports", ROOT / "reports/sweep"):
        files = record(folder)["files"]
        assert files == digests({name: (folder / name).read_bytes() for name in files})
    assert set(record(ROOT / "reports")["files"]) <= set(ownership.report_names(["linear", "mlp"]))
    assert len(record(ROOT / "reports")["files"]) == 61


@pytest.fixture
def unrecorded(tmp_path):
    """The published report as earlier versions left it, beside a person's files."""
    out = shutil.copytree(ROOT / "reports", tmp_path / "reports")
    for path in (out / RECORD, *out.glob("*/*.svg"), *out.glob("tables/*.tex")):
        path.unlink()  # those did not write them
    page = (out / PAGE).read_text()
    (out / PAGE).write_text(page.replace('<meta name="generator" content="study">\n', ""))
    for name in ("figures/mine.png", "tables/linear.csv"):
        (out / name).write_text("mine")
    return out


@pytest.mark.matrix("F25")
def test_a_report_of_before_there_were_records_is_replaced(unrecorded):
    """Only the files of names that it wrote are its own."""
    before = contents(unrecorded)
    own = record(ROOT / "reports")["files"].keys()

    put(unrecorded, NEW | {"figures/a.png": b"new a"})

    kept = {name: whole for name, whole in before.items() if name not in own}
    assert contents(unrecorded) == kept | NEW
    assert {"README.md", "figures/mine.png", "tables/linear.csv", "sweep/sweep.csv"} <= kept.keys()


@pytest.mark.matrix("F25")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (PAGE, "<html>mine</html>"),
        (SUMMARY, "{}"),
        (SUMMARY, '{"models": {}, "mine": 1}'),
        (SUMMARY, "[" * 100_000),
    ],
    ids=["another page", "no summary", "another summary", "nested"],
)
def test_a_page_and_a_summary_that_are_not_ours_are_no_report(unrecorded, name, text):
    """Then every file is somebody else's."""
    (unrecorded / name).write_text(text)

    with pytest.raises(StudyError, match="is there, and no report wrote it"):
        put(unrecorded, NEW)


@pytest.mark.matrix("F25")
def test_a_report_whose_record_is_gone_is_nobodys(tmp_path):
    """Its page says that there was a record; a file may have been changed since."""
    out = shutil.copytree(ROOT / "reports", tmp_path / "reports")
    (out / RECORD).unlink()

    with pytest.raises(StudyError, match="is there, and no report wrote it"):
        put(out, NEW)


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("key", ["../../thesis", "a\0", "\ud800", "a/b"])
def test_a_summary_that_names_a_file_elsewhere_is_no_reason_to_delete_it(unrecorded, key):
    """A stranger's summary may call its models anything."""
    summary = json.loads((unrecorded / SUMMARY).read_text())
    (unrecorded / SUMMARY).write_text(json.dumps(summary | {"models": {key: {}}}))
    precious = unrecorded.parent / "thesis_error.png"
    precious.write_text("mine")

    put(unrecorded, NEW | {"figures/a.png": b"new a"})

    assert precious.read_text() == "mine"


def blocked(folder, place):
    """A folder whose ``--out`` has a stranger's file."""
    path = folder / "out" / place
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    return path


COMMANDS = {
    ("study", PAGE): TINY,
    ("study", "tables/mlp_loss.csv"): TINY,
    ("study.report", PAGE): (),
    ("study.sweep", PAGE): ("--digits", "4-9", *TINY),
    ("study.sweep", "sweep.csv"): ("--digits", "4-9", "--no-reports", *TINY),
    ("study.sweep", "4-9/figures/history.png"): ("--digits", "4-9", *TINY),
}


@pytest.mark.matrix("F25")
@pytest.mark.parametrize(("module", "place"), COMMANDS)
def test_a_command_refuses_before_the_first_trial_is_trained(calm, tmp_path, module, place):
    """Status 2 and one line; no storage is made, and the file is as it was."""
    path = blocked(tmp_path, place)
    storage = calm if module == "study.report" else tmp_path / "study.db"
    line = (sys.executable, "-m", module, "--storage", storage, "--out", "out")

    result = run([*map(str, line), *COMMANDS[module, place]], tmp_path)

    assert (result.status, result.stdout) == (2, "")
    said = f"study: out/{place}: is there, and no report wrote it: {ownership.REMEDY}\n"
    assert result.stderr == said
    assert path.read_text() == "mine"
    assert contents(tmp_path) == {f"out/{place}": b"mine"}


@pytest.mark.matrix("F25")
def test_a_sweep_refuses_a_pairs_folder_that_is_a_link(tmp_path):
    """What lies elsewhere is not looked for there."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/4-9").symlink_to(tmp_path / "elsewhere")
    line = (sys.executable, "-m", "study.sweep", "--digits", "4-9", "--out", "out", *TINY)

    result = run(line, tmp_path)

    assert result.status == 2
    assert result.stderr.startswith("study: out/4-9: is a symbolic link: remove it")
    assert not (tmp_path / "study.db").exists()


CHANGES = {
    "another's": lambda path: path.write_text("mine"),
    "empty": Path.touch,
    "a picture of another program": lambda path: path.write_bytes(
        (ROOT / "reports/figures/answer.png").read_bytes()
    ),
    "its own, changed": lambda path: path.write_bytes(
        sealing.sealed(bytes(99), "png").replace(b"\0", b"\1", 1)
    ),
    "a link": lambda path: path.symlink_to("elsewhere.png"),
    "a folder": Path.mkdir,
    "a pipe": posix.mkfifo,
}


@pytest.fixture
def draws(monkeypatch, tmp_path, capsys):
    """Runs a short baseline; its status, and what it printed on both streams."""
    monkeypatch.chdir(tmp_path)

    def run(*options, plot="plot.png"):
        line = ("study.baseline", "--steps", "20", "--val-every", "10", *options)
        monkeypatch.setattr(sys, "argv", [*line, "--plot", plot])
        return baseline.main(), *capsys.readouterr()

    return run


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("kind", CHANGES)
def test_a_plot_is_drawn_over_no_file_of_anothers(draws, kind):
    """Status 2 and one line, before anything is trained."""
    CHANGES[kind](Path("plot.png"))
    before = contents(Path())

    status, stdout, stderr = draws()

    assert (status, stdout, stderr.count("\n")) == (2, "", 1)
    assert "plot.png: is " in stderr
    assert contents(Path()) == before


@pytest.mark.matrix("F25")
@pytest.mark.parametrize(
    ("kind", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89P")]
)
def test_a_plots_format_is_that_of_its_name(draws, kind, begins):
    """The same bytes each time, over its own file; over one that was changed, not."""
    path = Path(f"plot.{kind}")
    assert draws("--quiet", plot=str(path))[0] == 0
    first = path.read_bytes()
    assert draws("--quiet", plot=str(path))[0] == 0

    assert first.startswith(begins)
    assert path.read_bytes() == first
    path.write_bytes(first + b" ")
    assert draws("--quiet", plot=str(path))[0] == 2


def test_a_plot_of_no_known_format_is_refused(draws):
    """Before anything is trained."""
    assert draws(plot="plot.gif") == (
        2,
        "",
        "study: --plot plot.gif: no format has this ending: must be .png, .svg or .pdf\n",
    )


@pytest.mark.matrix("F25")
def test_a_plot_is_drawn_over_its_own(draws):
    """The same command gives the same bytes again; another's file where that is asked for."""
    assert draws("--quiet")[0] == 0
    first = Path("plot.png").read_bytes()
    assert draws("--quiet")[0] == 0
    again = Path("plot.png").read_bytes()
    Path("plot.png").write_text("mine")
    assert draws("--quiet", "--replace")[0] == 0

    assert first == again == Path("plot.png").read_bytes()
    assert os.listdir() == ["plot.png"]
    with Image.open("plot.png") as image:
        image.load()
        assert image.text["study"] == sha256(first[:-94]).hexdigest()


TOUCHING = {"open", "write", "flush", "fsync", "close", "replace", "rename", "unlink", "mkdir"}


def until(k, write):
    """Write a report, killed before or after the ``k``-th call that touches a file."""
    left = iter(range(k - 1))

    def watch(_, event, function):
        touches = event in ("c_call", "c_return") and function.__name__ in TOUCHING
        if touches and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    write()
    sys.setprofile(None)


def killed(before, tmp_path, every=1):
    """Folders in which a report was killed at each instant, one after another."""
    for k in itertools.count(1, every):
        out = tmp_path / str(k)
        if before:
            put(out, before)
            (out / "figures/mine.png").write_text("mine")
        if forked(lambda k=k, out=out: until(k, lambda: put(out, NEW))) == 0:
            break
        yield out
    assert k > 100 / every


def named(content):
    """Of a folder's files, those that have a report's names."""
    return {name: whole for name, whole in content.items() if name in OLD.keys() | NEW.keys()}


@pytest.mark.matrix("F39")
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.faults)])
@pytest.mark.parametrize("before", [OLD, {}], ids=["over another", "the first"])
def test_the_next_report_heals_what_a_kill_left(tmp_path, before, every, attempts):
    """At any instant of the first: it knows every file for its own, and leaves no draft."""
    folders = list(killed(before, tmp_path, every))
    for out in folders:
        there, found = (before, NEW), named(contents(out))
        assert all(whole in [each.get(name) for each in there] for name, whole in found.items())
        if (out / RECORD).exists() and record(out)["complete"]:
            assert found in there
            assert digests(found) == record(out)["files"]
        third = {PAGE: b"third", "tables/b.csv": b"third"}
        put(out, third)
        assert contents(out) == third | ({"figures/mine.png": b"mine"} if before else {})
        assert record(out) == {"generator": "study", "complete": True, "files": digests(third)}
    attempts(len(folders))


@pytest.mark.matrix("F39")
def test_a_strangers_file_after_a_kill_is_still_a_strangers(tmp_path, attempts):
    """Though the report that was killed would have written one of its name."""
    folders = list(killed(OLD, tmp_path, every=9))
    for out in folders:
        (out / "tables/b.csv").write_text("mine")
        with pytest.raises(StudyError, match=r"b\.csv: (is there, and no|was changed since a) "):
            put(out, NEW)
        assert (out / "tables/b.csv").read_text() == "mine"
    attempts(len(folders))


@pytest.mark.matrix("F39")
def test_a_file_that_was_to_be_replaced_is_still_a_strangers_after_a_kill(tmp_path, attempts):
    """To replace it was asked for once, and is to be asked for again."""
    for k in range(1, 60, 9):
        out = tmp_path / str(k)
        out.mkdir()
        (out / PAGE).write_text("mine")
        write = partial(put, out, NEW, replace=True)
        assert forked(lambda k=k, write=write: until(k, write)) == -signal.SIGKILL
        assert (out / PAGE).read_text() == "mine"
        with pytest.raises(StudyError, match=f"{PAGE}: (is there, and no|was changed since a)"):
            put(out, NEW)
    attempts(7)


@pytest.mark.matrix("F39")
@pytest.mark.parametrize("folder", [".", "figures", "tables"])
def test_drafts_that_kills_left_are_removed(out, folder, attempts):
    """Those of this package, by their names; and files alone."""
    for name in (".0123456789abcdef.tmp", ".fedcba9876543210.tmp"):
        (out / folder / name).write_text("half")
    (out / folder / ".aaaaaaaaaaaaaaaa.tmp").symlink_to(out / PAGE)
    (out / folder / ".bbbbbbbbbbbbbbbb.tmp").mkdir()

    put(out, OLD)

    attempts(2)
    left = sorted(path.name for path in (out / folder).glob(".*"))
    assert left == [".aaaaaaaaaaaaaaaa.tmp", ".bbbbbbbbbbbbbbbb.tmp"]


def many(out, content):
    """Write the same report again and again."""
    for _ in range(20):
        put(out, content)


@pytest.mark.posix("forked writers, and a lock's file that is open in one of them, and so stays")
@pytest.mark.matrix("F39")
def test_reports_written_at_once_leave_one_of_them_whole(out):
    """One waits for the other, whoever writes."""
    children = [start(lambda content=content: many(out, content)) for content in (OLD, NEW)]
    statuses = [ended(pid) for pid in children]

    assert statuses == [0, 0]
    assert contents(out) in (OLD, NEW)
    assert record(out)["complete"]
    assert record(out)["files"] == digests(contents(out))


def put_new(clone):
    put(clone / "reports", NEW)


def first_command(clone):
    result = run([sys.executable, "-m", "study", *TINY, "--no-confirm", "-q"], clone)
    assert (result.status, result.stderr) == (0, "")


@pytest.mark.matrix("F25")
@pytest.mark.parametrize("autocrlf", ["true", pytest.param("false", marks=pytest.mark.faults)])
@pytest.mark.parametrize("write", [put_new, pytest.param(first_command, marks=pytest.mark.faults)])
def test_a_report_is_written_in_a_fresh_clone(tmp_path, write, autocrlf):
    """The published report is known for a report there, and replaced; all else stays."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    clone, git = tmp_path / "clone", ("git", "-c", f"core.autocrlf={autocrlf}")
    subprocess.run([*git, "clone", "-q", str(ROOT), str(clone)], check=True)
    before = contents(clone / "reports")
    assert record(clone / "reports") == record(ROOT / "reports")

    write(clone)

    after, own = contents(clone / "reports"), record(clone / "reports")["files"]
    assert digests({name: after[name] for name in own}) == own
    published = record(ROOT / "reports")["files"]
    others = {name: whole for name, whole in before.items() if name not in published}
    assert {name: whole for name, whole in after.items() if name not in own} == others
    assert {"README.md", "benchmark/benchmark.csv", "sweep/index.html"} <= others.keys()
