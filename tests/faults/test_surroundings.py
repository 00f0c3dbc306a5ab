"""F21, F22, F23: whatever the environment, the same table; no network; nothing unsafe."""

import ast
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

import study
from study.report import write
from tests.helpers.children import forked
from tests.helpers.commands import command, end, run
from tests.helpers.commands import start as start_process
from tests.helpers.storages import table

from .helpers import search

DOCS = Path(__file__).parents[2]
SIZE = ("--steps", 100, "--val-every", 20, "--generation", 2, "--cohort", 2, "--n-trials", 4)
SEARCH = [*map(str, command("linear", *SIZE))]
ENVIRONMENTS = {
    "calm": {},
    "no asserts": {"PYTHONOPTIMIZE": "2"},
    "another hash seed": {"PYTHONHASHSEED": "12345"},
    "the C locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no home": {"HOME": "/nonexistent", "XDG_CACHE_HOME": "", "MPLCONFIGDIR": ""},
    "many threads asked for": {"OMP_NUM_THREADS": "7", "MKL_NUM_THREADS": "3"},
    "dead proxies": dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9"),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The table of the same command in the tests' own environment."""
    folder = tmp_path_factory.mktemp("usual")
    assert run(SEARCH, folder).status == 0
    return table(folder / "study.db", "linear")


@pytest.mark.faults
@pytest.mark.matrix("F21")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_changes_no_table(usual, tmp_path, name):
    """Status 0, silence on stderr, and the same trials to the last bit."""
    result = run(SEARCH, tmp_path, env=ENVIRONMENTS[name])

    assert (result.status, result.stderr) == (0, "")
    assert table(tmp_path / "study.db", "linear") == usual


@pytest.mark.matrix("F21")
@pytest.mark.parametrize(
    ("redirection", "status", "words"),
    [
        ("<&- >&-", 0, ""),
        pytest.param("2>&- <&-", 0, "", marks=pytest.mark.faults),
        ("> /dev/full", 5, "study: standard output: No space left on device: write it elsewhere"),
        pytest.param("| true", 0, "", marks=pytest.mark.faults),
    ],
    ids=["closed stdout", "closed stderr", "full stdout", "closed pipe"],
)
def test_streams_that_are_closed_or_full_are_no_bug(tmp_path, redirection, status, words):
    """The search is done all the same; what can't be printed is said."""
    line = f"set -o pipefail; {' '.join(SEARCH)} {redirection}"
    shutil.which("bash") or pytest.skip("there is no bash")
    result = run(["bash", "-c", line], tmp_path, env={"PYTHONUNBUFFERED": ""})

    assert result == (status, result.stdout, f"{words}\n" if words else "")
    assert len(table(tmp_path / "study.db", "linear")) == 4


@pytest.mark.matrix("F21")
def test_a_folder_that_was_removed_is_one_line(tmp_path):
    """A command in a folder that is gone says so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"rmdir ../gone; exec {' '.join(SEARCH)}"
    environment = {"PYTHONPATH": str(Path(study.__file__).parents[1])}
    result = end(start_process(["bash", "-c", line], gone, env=environment))

    assert result.status in (2, 5)
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("study: ")


def _offline(work):
    """Run ``work`` where any use of the network ends the process."""
    forbidden = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib")
    sys.addaudithook(lambda name, _: name.startswith(forbidden) and os._exit(71))
    work()


@pytest.mark.matrix("F22")
def test_a_search_uses_no_network(tmp_path):
    """No name is looked up and nothing is connected to; the guard itself works."""
    import socket

    assert forked(lambda: _offline(lambda: search(tmp_path / "study.db"))) == 0
    assert forked(lambda: _offline(lambda: socket.create_connection(("127.0.0.1", 9)))) == 71


@pytest.mark.faults
@pytest.mark.matrix("F22")
def test_a_report_uses_no_network(calm, tmp_path):
    """Nor does drawing, or writing the page."""
    assert forked(lambda: _offline(lambda: write(str(calm), tmp_path) and None)) == 0


UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "cloudpickle", "dill"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_METHODS = {
    *(("torch", "load"), ("np", "load"), ("numpy", "load"), ("joblib", "load")),
    *(("os", "system"), ("os", "popen"), ("yaml", "load"), ("pd", "read_pickle")),
}


def unsafe(tree):
    """Every import or call in a syntax tree that could run code from a file, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[0] for alias in node.names}
            names |= {(getattr(node, "module", None) or "").split(".")[0]}
            yield from ((node.lineno, name) for name in names & UNSAFE_MODULES)
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in UNSAFE_CALLS:
                yield node.lineno, called.id
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                method = (called.value.id, called.attr)
                if method in UNSAFE_METHODS:
                    yield node.lineno, method
            risky = {"allow_pickle", "shell", "unsafe_allow_html"}
            given = [k for k in node.keywords if k.arg in risky]
            yield from ((node.lineno, k.arg) for k in given if not is_false(k.value))


def is_false(value):
    """Whether a keyword's value in the source is ``False``, which turns the risk off."""
    return isinstance(value, ast.Constant) and value.value is False


SENT = (  # what workers are sent by the search itself
    *("workers/bootstrap.py", "workers/remote.py", "workers/local.py", "workers/server.py"),
)


@pytest.mark.matrix("F42")
def test_the_documents_name_the_modules_that_unpickle():
    """Those of the package that do, no more and no fewer."""
    package, text = Path(study.__file__).parent, (DOCS / "docs/cluster.md").read_text()
    trust = text.partition("\n## Trust\n")[2].partition("\n## ")[0]
    found = {f for f in package.rglob("*.py") if list(unsafe(ast.parse(f.read_text())))}

    assert {f.relative_to(package).as_posix() for f in found} == set(SENT)
    assert set(re.findall(r"`([\w/]+\.py)`", trust)) == set(SENT)


@pytest.mark.matrix("F42")
@pytest.mark.parametrize(
    "words",
    [
        *("--model-file` is run as it is", "tasks and results are pickled", "--dask|Dask"),
        *("MODULE:FUNCTION`? ?(is|imports)", "scheduler", "run code", "storage"),
    ],
)
@pytest.mark.parametrize("page", ["docs/security.md", "docs/cluster.md"])
def test_both_pages_say_what_is_trusted(page, words):
    """What runs as it is, and who can run code where."""
    text = (DOCS / page).read_text()
    heading = "# Security" if page == "docs/security.md" else "## Trust"
    section = f"\n{text}".partition(f"\n{heading}\n")[2].partition("\n## ")[0]

    assert re.search(words, " ".join(section.split()))


@pytest.mark.matrix("F23")
def test_nothing_in_the_package_can_run_code_from_a_file(attempts):
    """No module unpickles, evaluates text, or runs a shell.

    What workers are sent by the search itself, and send back to it, is no file.
    """
    package = Path(study.__file__).parent
    sent = {package / name for name in SENT}
    files = sorted(set(package.rglob("*.py")) - sent)
    found = {f.name: list(unsafe(ast.parse(f.read_text()))) for f in files}

    attempts(len(files))
    assert len(files) > 50
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.matrix("F23")
@pytest.mark.parametrize(
    "line",
    [
        *("import pickle", "from marshal import loads", "eval('1')", "torch.load(path)"),
        *("np.load(f, allow_pickle=True)", "os.system('x')", "run('x', shell=True)"),
    ],
)
def test_what_is_unsafe_is_found(line):
    """The search itself can fail."""
    assert list(unsafe(ast.parse(line)))
