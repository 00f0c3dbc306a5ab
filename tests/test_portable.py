"""The commands where the package finds and may do no more than on Windows, in a few seconds.

``nox -s portable`` runs the other tests so.
"""

import sys
from pathlib import Path

import pytest

from tests.helpers.commands import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc what is open")
PORTABLE = {"PYTHONPATH": str(Path(__file__).parent / "portable")}
HIDDEN = """
code = "import fcntl", "import os; os.fork", "import signal; signal.SIGKILL", "import os; os.pread"
for package in ("study.storage", "joblib"):
    for line in code:
        try:
            exec(line, {"__package__": package})
        except (ImportError, AttributeError) as error:
            print(package, "|", error)
"""


def test_what_windows_lacks_is_hidden_from_the_package_and_from_no_other(tmp_path):
    """The hook looks at who imports: each of the four is refused, and only to the package."""
    told = run([sys.executable, "-c", HIDDEN], tmp_path, env=PORTABLE).stdout

    assert [line.split()[0] for line in told.splitlines()] == 4 * ["study.storage"]


REFUSED = """
import os, study.storage.safe_files as ours
from pathlib import Path
from study.system import flush_folder, folder_lock
Path("open").write_text("")
with open("open"):
    for call in (ours.remove, lambda paths: ours.write_atomically(paths[0], b"")):
        try:
            call([Path("open")])
        except PermissionError as error:
            print(error)
flush_folder(Path("."))
with folder_lock(Path(".")):
    os.remove(".lock")  # as another process may, once this one has closed it
for name in ("a:b", "con.txt"):
    try:
        ours.write_atomically(Path(name), b"")
    except OSError as error:
        print(error)
"""


def test_what_windows_refuses_is_refused_to_the_package(tmp_path):
    """It can't remove or replace an open file, and some names are no file's."""
    told = run([sys.executable, "-c", REFUSED], tmp_path, env=PORTABLE)

    assert told.stdout.count("as on Windows") == 4, told
    assert (tmp_path / "open").exists()


COMMANDS = """
import sys
from importlib import import_module
short = "--steps 40 --val-every 20 --n-trials 2".split()
for name, *options in (
    ("study.search.command", "--model", "linear", "--jobs", "2", *short),
    ("study.search.command", "--model", "mlp", "--jobs", "1", *short),
    ("study.confirm.command", *"--splits 2 --seeds 2 --n-trials 2 --jobs 1".split()),
    ("study.report.command", "--format", "svg"),
    ("study.check",),
):
    sys.argv[1:] = options
    print(name, import_module(name).main())
"""


def test_the_commands_run_with_what_windows_has(tmp_path):
    """Both models are searched, one by spawned processes, confirmed, reported and checked."""
    ended = run([sys.executable, "-c", COMMANDS], tmp_path, env=PORTABLE)

    last = [line for line in ended.stdout.splitlines() if line.startswith("study.")]
    assert [line.split()[1] for line in last] == 5 * ["0"], ended.stderr
    assert ended.stderr == ""
    assert (tmp_path / "reports/index.html").exists()
