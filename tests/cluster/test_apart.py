"""One machine needs none of it, and a command line that is wrong is one line."""

import subprocess
import sys

import pytest

from study.workers import cluster
from tests.helpers.commands import here
from tests.helpers.plans import SHORT
from tests.helpers.preloaded import ROOT

APART = ("dask", "distributed", "psycopg", "ray")


def test_a_search_on_one_machine_imports_nothing_of_a_cluster(tmp_path):
    """Neither Dask nor PostgreSQL's driver, in a whole search on SQLite."""
    code = (
        "import sys; from tests.helpers.plans import searched\n"
        f"searched({str(tmp_path / 'study.db')!r}, n_trials=2)\n"
        f"print([name for name in {APART} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--dask", "tcp://127.0.0.1:9"), 5, "no scheduler answers: start one with"),
        (("--dask", "here"), 2, "write tcp://HOST:8786"),
        (("--backend", "cloud"), 2, "is not registered with joblib: use one of loky,"),
        (("--backend", "no.such:thing"), 2, "can't be called (No module named 'no')"),
        (
            ("--trial-timeout", "9", "--backend", "threading"),
            2,
            "which can't be stopped",
        ),
        (("--trial-timeout", "0"), 2, "0 is not a finite number above 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_workers_that_can_not_be_had_are_told_in_one_line(
    tmp_path, monkeypatch, options, status, words
):
    """Before anything is made."""
    monkeypatch.setattr(cluster, "ANSWER_S", 0.2)  # as long as nobody is waited for
    result = here("study.search", "--model", "linear", *SHORT, *options)

    assert (result.status, result.stdout) == (status, "")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []
