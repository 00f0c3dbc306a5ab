"""F30 and F40: nothing steers a terminal, runs in a spreadsheet, or shows a password."""

import csv
import io
import logging
import pickle
import shutil
import sys
import unicodedata

import optuna
import pandas as pd
import pytest

from study import cli
from study.errors import BusyError, NotConfirmedError, ResourceError, StudyError
from study.report.settings import usual_settings
from study.report.spreadsheet import to_csv
from study.storage import files, resolve, study_names
from study.storage.urls import label
from study.text import Formatter, clean, hidden, say, visible
from tests.helpers.commands import run

from .helpers import NAME

RAW = {
    "escape": "\x1b[2J\x1b]0;x\x07",
    "C1": "\x9b31m",
    "delete": "\x7f",
    "carriage return": "\rforged",
    "newline": "\nstudy: forged",
    "bidi": "\u202egnp.exe\u2066",
    "separators": "\u2028\u2029\x85\x0b\x1c",
    "zero width": "\u200b\ufeff",
    "surrogate": "\udc9b",
}
KEPT = ["é", "漢字", "Ωμέγα", "👍", "a\u00a0b", "naïve #1 – 5 %", "C:\\dir"]


def steering(text):
    """The characters of a text that are not shown as they are, line ends apart."""
    categories = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [c for c in text if unicodedata.category(c) in categories and c != "\n"]


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("kind", RAW)
def test_what_steers_is_printed_as_an_escape(kind, capsys):
    """A printed line is one line, whatever is in it."""
    say(f"a{RAW[kind]}b", file=sys.stderr)

    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert steering(printed) == []
    assert printed.startswith("a\\")


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("text", KEPT)
def test_what_is_printable_stays(text):
    """Letters of every script, signs and spaces."""
    assert visible(text) == clean(text) == text


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("kind", RAW)
def test_a_log_has_a_line_a_message(kind):
    """From any logger: names, and the text of an exception with its traceback."""
    try:
        raise ValueError(RAW[kind])
    except ValueError:
        trace = sys.exc_info()
    values = ("optuna", logging.WARNING, __file__, 1, "%s", (RAW[kind],))

    plain = Formatter("%(name)s: %(message)s").format(logging.LogRecord(*values, None))
    traced = Formatter("%(message)s").format(logging.LogRecord(*values, trace))

    assert steering(plain + traced) == []
    assert "\n" not in plain


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("error", [StudyError, BusyError, ResourceError, NotConfirmedError])
def test_an_error_is_one_line_and_stays_so_when_pickled(error, kind):
    """Its message is cleaned as it is made, its class and status go along."""
    made = error(f"study {RAW[kind]}: is damaged")
    back = pickle.loads(pickle.dumps(made))

    assert steering(str(made)) == []
    assert "\n" not in str(made)
    assert (type(back), str(back), back.status) == (error, str(made), error.status)


FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", " =1"]


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_finds_no_formula(text):
    """In a cell or a column's name, of whatever type the column is; numbers stay numbers."""
    frame = pd.DataFrame(
        {"text": [text, None], "kind": pd.Categorical([text, "a"]), text: [-1.5, float("nan")]}
    )

    head, first, second = csv.reader(io.StringIO(to_csv(frame).decode(), newline=""))

    assert first == [f"'{visible(text)}", f"'{visible(text)}", "-1.5"]
    assert head == ["text", "kind", f"'{visible(text)}"]
    assert second == ["", "a", ""]


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("kind", RAW)
def test_a_csv_has_a_line_a_row(kind):
    """Control characters in a cell are made visible."""
    with usual_settings():
        written = to_csv(pd.DataFrame({"name": [RAW[kind]]})).decode()

    assert written.count("\n") == 2
    assert steering(written) == []


@pytest.fixture(scope="module")
def forged(calm, tmp_path_factory):
    """A storage with studies of hostile names and attributes, and a forged holder of the lock."""
    folder = tmp_path_factory.mktemp("forged")
    shutil.copytree(calm.parent, folder / "own")
    path = folder / "own" / calm.name
    for raw in RAW.values():
        if raw.isascii() or raw.encode("utf-8", "replace").decode() == raw:
            mine = optuna.create_study(study_name=f"mine{raw}", storage=f"sqlite:///{path}")
            mine.set_user_attr("model", raw)
            mine.add_trial(optuna.trial.create_trial(value=1.0, user_attrs={"digest": raw}))
    holder = f"pid 1 on host{RAW['escape']}{RAW['C1']} since 2026-01-01\n"
    (files(str(path), NAME) / "holder").write_text(holder)
    return path


COMMANDS = [
    ("study.check",),
    ("study.search", "--model", "nobody"),
    ("study.search", "--model", f"no{RAW['escape']}{RAW['newline']}body"),
    ("study.report", "--linear", f"no{RAW['escape']}body", "-vv"),
    ("study.report", "--linear", f"mine{RAW['escape']}", "--debug"),
    ("study.reproduce", "--study-name", f"mine{RAW['newline']}", "--trial", "0"),
    ("study.confirm", "--linear", "a\x9b", "--mlp", f"mine{RAW['bidi']}"),
    ("study.report", f"--bogus{RAW['escape']}"),
]


@pytest.mark.matrix("F30")
@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: "-".join(line[:1]))
def test_no_command_sends_a_control_character_to_the_terminal(line, forged):
    """Names that were made by Optuna itself, a forged holder, and options."""
    module, *options = line
    result = run((sys.executable, "-m", module, "--storage", str(forged), *options), forged.parent)

    assert steering(result.stdout + result.stderr) == []
    if "--debug" not in options:
        assert result.stderr.count("\n") <= 1
    assert result.stdout + result.stderr


SECRET = "s3cret"
URLS = [
    f"postgresql+psycopg:/u:{SECRET}@h/x",
    f"postgresql+psycopg:u:{SECRET}@h/x",
    f"postgres:u:{SECRET}@h/x",
    f"postgre//u:{SECRET}@h/x",
    f"mysql//u:{SECRET}@h",
    f"u:{SECRET}@host/db",
    f"u:{SECRET}@host",
    f"://u:{SECRET}@h/x",
    f"htp://u:a@{SECRET}/:b@h/x",
    f"u:{SECRET[:3]} {SECRET}@h/x",
    f"u:a:{SECRET}:b@h",
    f"u:a/{SECRET}@h/x",
    f"u%3A{SECRET}%40h/x",
    f"postgresql://u:%40{SECRET}%2F@h:port/x",
    f"nonsense://h/x?password={SECRET}&a=1",
    f"host=h password={SECRET} dbname=x",
    f"nonsense://h/x?sslpassword%3D{SECRET}",
    f"nonsense://h/x?access_token={SECRET}",
]


@pytest.mark.matrix("F40")
@pytest.mark.parametrize("url", URLS)
def test_what_looks_like_a_password_is_hidden(url):
    """As a storage that is refused, in the text of another error, and in the log."""
    assert SECRET not in hidden(url)
    assert SECRET not in label(url)
    assert SECRET not in clean(f"{url}: is one word too many (see --help)")
    assert SECRET not in str(cli.explained(RuntimeError(f"connecting to {url} failed")))
    values = ("sqlalchemy", logging.WARNING, __file__, 1, "at %s", (url,), None)
    assert SECRET not in Formatter().format(logging.LogRecord(*values))


@pytest.mark.matrix("F40")
@pytest.mark.parametrize("url", URLS)
def test_no_refusal_of_a_storage_shows_a_password(url, tmp_path, monkeypatch):
    """Taken for a URL or for a path that is not there."""
    monkeypatch.chdir(tmp_path)

    for use in (resolve, study_names):
        try:
            use(url)
        except StudyError as error:
            said = str(error)
        else:
            said = ""
        assert SECRET not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.matrix("F40")
@pytest.mark.parametrize("number", [0, 5, 6, 8, 15])
def test_no_command_shows_the_password_of_a_mistyped_url(number, tmp_path):
    """As the storage, and where no argument is expected."""
    url = URLS[number]
    for words in (("--storage", url), (url,), ("--data-root", url, "--storage", url)):
        status, out, err = run((sys.executable, "-m", "study.report", *words, "-vv"), tmp_path)
        assert status == 2
        assert SECRET not in out + err
        assert err.count("\n") == 1


@pytest.mark.matrix("F40")
@pytest.mark.parametrize(
    "text",
    [
        *("study@home.db", "/data/me@work/study.db", "postgresql://me@host:5432/db?x=1"),
        *("study 'a' in study.db: being searched by pid 1 on h since 2026-01-01T10:00:00: wait",),
        *("linear: 8 trials in study@home.db (8 new)", "write tcp://HOST:8786"),
        "name a file on a local disk, or postgresql+psycopg://USER@HOST/DATABASE",
    ],
)
def test_what_holds_no_password_stays_readable(text):
    """Paths with an @, users without a password, ports, times, and our own advice."""
    assert clean(text) == text
    assert hidden(text) == text or "://" not in text


@pytest.mark.matrix("F40")
@pytest.mark.parametrize(
    "words", ["size mismatch for net: 3:4 @ layer 2", "passed=3, secretary=4", "study@home.db"]
)
def test_words_that_are_no_password_stay(words):
    """A sentence may have a colon, an @ and a word that begins as one of those."""
    assert clean(words) == words


PRINTING = "from study import cli; cli._prepare_streams(); print('10⁻⁵ 10⁻² ≤3 −1 ☃')"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_signs_that_a_stream_lacks_are_written_in_ascii(tmp_path, encoding):
    """As on Windows, where what goes to a file has the letters of one language."""
    ended = run([sys.executable, "-c", PRINTING], tmp_path, env={"PYTHONIOENCODING": encoding})

    assert ended == (0, "10^-5 10^-2 <=3 -1 ?\n", "")
