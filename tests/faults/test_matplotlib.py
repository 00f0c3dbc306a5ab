"""matplotlib's environment decides nothing, and no error is told as another's."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from study.cli import explained
from study.errors import Bug, ResourceError, StudyError
from study.explain import explaining
from tests.helpers import posix

from .helpers import NAME

ROOT = Path(__file__).parents[2]


def report(calm, folder, **environment):
    """Write the report in another process; (status, stderr, the page)."""
    (folder / "home").mkdir(exist_ok=True)
    ended = subprocess.run(
        [sys.executable, "-m", "study.report", "--storage", calm, "--linear", NAME],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "HOME": str(folder / "home")}
        | {"XDG_CACHE_HOME": str(folder.parent / "cache")}  # a list of fonts takes long
        | {name: str(value) for name, value in environment.items()},
        check=False,
        capture_output=True,
        text=True,
    )
    page = folder / "reports/index.html"
    return ended.returncode, ended.stderr, page.read_bytes() if page.exists() else b""


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def fifo(path):
    posix.mkfifo(path)
    return path


LATIN_1 = "# größer\nlines.linewidth: 9\n".encode("latin-1")
BAD = b"no.such.key: 1\nbackend: nonsense\nfont.size: x\n"
SURROUNDINGS = {
    "notebook": lambda f: {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    "latin-1": lambda f: put(f / "matplotlibrc", LATIN_1) and {},
    "fonts": lambda f: {
        "MPLCONFIGDIR": put(f / "c/fontlist-v390.json", b"\xff{").parent,
        "MATPLOTLIBRC": fifo(f / "pipe"),
    },
    "nonsense": lambda f: {"MPLBACKEND": "nonsense"},
    "bad keys": lambda f: put(f / "matplotlibrc", BAD) and {},
    "home": lambda f: put(f / "home/.config/matplotlib/matplotlibrc", b"\0\xff") and {},
    "missing": lambda f: {"MATPLOTLIBRC": f / "missing"},
    "binary": lambda f: {"MATPLOTLIBRC": put(f / "rc", bytes(range(256)))},
    "a file": lambda f: {"MPLCONFIGDIR": put(f / "file", b"")},
}
LONG = pytest.mark.faults


@pytest.mark.matrix("F34")
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[LONG] if k else [], id=n) for k, n in enumerate(SURROUNDINGS)],
)
def test_no_surroundings_change_or_stop_a_report(name, calm, reported, tmp_path):
    """The page has the same bytes as in the tests' own environment."""
    status, error, page = report(calm, tmp_path, **SURROUNDINGS[name](tmp_path))

    assert status == 0, error
    assert page == (reported / "index.html").read_bytes()


AFTER = """
import os, study.report.rendering, matplotlib as mpl
print(os.environ["MPLBACKEND"], mpl.rcParams["backend"], mpl.rcParams["lines.linewidth"])
"""


@pytest.mark.matrix("F34")
def test_who_imports_matplotlib_afterwards_has_its_own_settings(tmp_path):
    """The environment's backend and the folder's matplotlibrc, as without this package."""
    put(tmp_path / "matplotlibrc", b"lines.linewidth: 9\n")
    environment = os.environ | {"MPLBACKEND": "svg", "PYTHONPATH": str(ROOT)}

    said = subprocess.check_output(
        [sys.executable, "-c", AFTER], cwd=tmp_path, env=environment, text=True
    )

    assert said.split() == ["svg", "svg", "9.0"]


def decoding():
    b"\xff".decode()


FOREIGN = {
    "decoding": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "a device": OSError(errno.EIO, "Input/output error"),
    "access": OSError(errno.EACCES, "Permission denied"),
    "words": RuntimeError("the queue is out of memory slots"),
    "value": ValueError("database is locked"),
}


@pytest.mark.matrix("F34")
@pytest.mark.parametrize("name", FOREIGN)
def test_an_error_of_unknown_origin_is_not_the_storages(name):
    """It is a bug, and its own words are told."""
    found = explained(FOREIGN[name])

    assert isinstance(found, Bug)
    assert "storage" not in str(found)
    assert type(FOREIGN[name]).__name__ in str(found)


@pytest.mark.matrix("F34")
@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EROFS])
def test_an_error_that_names_a_file_is_that_files(number):
    """Whatever was done, the line begins with the file."""
    found = explained(OSError(number, os.strerror(number), "/etc/matplotlibrc"))

    assert isinstance(found, ResourceError)
    assert str(found).startswith("/etc/matplotlibrc: ")


@pytest.mark.matrix("F34")
def test_what_is_unreadable_in_a_storage_is_still_damage():
    """Where a storage is read, text that is no text is its own."""
    with pytest.raises(StudyError, match=r"^study.db: is damaged"), explaining("study.db"):
        decoding()
