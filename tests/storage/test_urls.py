"""What names a storage, and where its companions lie."""

import os
import sys
from pathlib import Path

import pytest

from study.errors import StudyError
from study.storage import files, open_study, resolve
from study.storage.urls import slug
from study.text import hidden


@pytest.mark.parametrize(
    "storage", ["study.db", "a b.db", "naïve#1@x:y.db", "{braces}%.db", "-rf"]
)
def test_a_bare_path_becomes_an_sqlite_url_that_opens_that_file(storage, tmp_path, monkeypatch):
    """Whatever the characters of a path, the file made is the one named."""
    monkeypatch.chdir(tmp_path)

    study = open_study(storage, "linear")

    assert resolve(storage) == f"sqlite:///{storage}"
    assert [p.name for p in tmp_path.iterdir()] == [storage]
    assert study.study_name == "linear"


def test_an_sqlite_url_is_unchanged(tmp_path):
    """A URL passes through as it is."""
    url = f"sqlite:///{tmp_path}/study.db"

    assert resolve(url) == url


@pytest.mark.parametrize(
    ("storage", "complaint"),
    [
        ("", "storage '': is not a path or a URL"),
        ("a\0b", "is not a path or a URL"),
        ("a\nb", "is not a path or a URL"),
        (os.sep, f"{os.sep}: is a folder"),
        (os.devnull, f"{os.devnull}: is not an ordinary file"),
        (
            "nowhere/study.db",
            f"{Path('nowhere/study.db')}: there is no folder nowhere: create it first",
        ),
        pytest.param(
            *("x" * 300, "file name too long"),
            marks=pytest.mark.posix("Windows says so when the file is made"),
        ),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory", "names no file"),
        ("sqlite:///x.db?timeout=1", "has a '?' or a '%': leave it out"),
        ("a%41.db", "has a '?' or a '%': leave it out, or rename the file"),
        ("sqlite+aiosqlite:///x.db", "names no file"),
        ("redis://localhost/0", "'redis' is not a database known here"),
        ("nonsense://x", "'nonsense' is not a database known here"),
        ("://", "can't be read as a URL"),
        ("postgresql://h:port/x", "can't be read as a URL"),
    ],
)
@pytest.mark.matrix("F13")
def test_an_unusable_storage_is_refused_in_one_line(storage, complaint, tmp_path, monkeypatch):
    """What can't hold a study is refused by name, and nothing is created."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StudyError) as caught:
        resolve(storage)

    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://me:s3cret@host/db",
        "nonsense://me:a@s3cret/b@host/db",
        "nonsense://:s3cret@host/db",
        "postgresql://me:s3cret@host:port/db",
        "nonsense://host/db?password=s3cret&x=1",
        "nonsense://me@corp:s3cret@host/db",
        "nonsense://me:a\ns3cret@host/db",
        f"nonsense://me:{'s3cret' * 9}@host/db\n",
        "postgresql+psycopg://me:a@s3cret@host/db",
        "postgresql+psycopg://me/x:s3cret@host/db",
    ],
)
@pytest.mark.matrix("F13")
def test_a_password_is_never_shown(url):
    """A message about a URL hides its password, however odd the URL."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    with pytest.raises(StudyError) as caught:
        resolve(url)

    assert "s3cret" not in str(caught.value)
    assert "***" in str(caught.value)


def test_hiding_leaves_a_url_without_password_as_it_is():
    """Only passwords are replaced."""
    assert hidden("postgresql://me@host:5432/db?x=1") == "postgresql://me@host:5432/db?x=1"


def test_the_companion_folder_lies_beside_the_file():
    """Lock and weights go to ``<file>.files/<study>``."""
    assert files("study.db", "mlp-50_a") == Path("study.db.files/mlp-50_a")


def test_a_folder_is_not_called_after_a_password():
    """A '?' or a '/' in a password does not end the URL's address."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    url = "postgresql+psycopg://me:s3cret?s3/cret@host/db?x=1"

    assert files(url, "mlp") == Path("db.files/mlp")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+psycopg://h/x", r"needs the package psycopg: run pip install "),
        (
            "postgresql://h/x",
            r"needs the package psycopg2?: write postgresql\+psycopg://, and run ",
        ),
    ],
)
def test_a_missing_driver_is_said_with_what_brings_it(url, words, monkeypatch):
    """The project's extra, which has all that the driver needs."""
    for name in ("psycopg", "psycopg2"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(StudyError, match=words) as caught:
        resolve(url)

    assert str(caught.value).endswith(
        "run pip install '.[postgres]' in a checkout of this package"
    )


@pytest.mark.parametrize("name", ["../../x", "a/b", "a b", "é", "", ".", "..", "x" * 999, "a\0"])
@pytest.mark.matrix("F12")
def test_a_hostile_name_becomes_one_plain_folder(name):
    """A slug is one path component of harmless characters, 255 bytes at most."""
    made = slug(name)

    assert Path(made).parts == (made,)
    assert made.isascii()
    assert len(made) <= 255
    assert "\0" not in made
    assert made.strip(".")


@pytest.mark.matrix("F12")
def test_different_names_never_share_a_folder():
    """Names that differ only in replaced characters, or imitate a slug, stay apart."""
    names = ["a b", "a/b", "a-b", "a\0b", slug("a b"), "", "-", "x" * 200, "x" * 201]

    assert len({slug(name) for name in names}) == len(names)
