"""Commands to run, storages to copy, and small plans."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from study.confirm.loop import Settings
from study.search import Plan
from study.search import Settings as SearchSettings
from study.search import search as search_here
from study.training.protocol import Protocol
from study.training.registry import MODELS
from study.training.space import SearchSpace

PATIENCE_S = 300  # for what takes seconds, on a machine that does much else
SHORT = Protocol(steps=300, val_every=20)
PAIR = ("linear", "mlp")
SIZE = {"seeds": 4, "splits": 3, "n_trials": 4}
OPTIONS = ("--seeds", 4, "--splits", 3, "--n-trials", 4)


class Result(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def arguments(module, storage, *options):
    """A command line."""
    return [sys.executable, "-m", module, "--storage", str(storage), *map(str, options)]


def start(line, folder):
    """Start a process in ``folder``."""
    env = {name: value for name, value in os.environ.items() if name != "OPTUNA_STORAGE"}
    pipe = subprocess.PIPE
    return subprocess.Popen(line, cwd=folder, env=env, text=True, stdout=pipe, stderr=pipe)


def run(module, storage, *options):
    """Run a command to its end, in the storage's folder."""
    process = start(arguments(module, storage, *options), Path(storage).parent)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    return Result(process.returncode, stdout, stderr)


def here(module, storage, *options):
    """The same command in this process, which has imported everything already."""
    found, before = import_module(f"{module}.command"), signal.getsignal(signal.SIGTERM)
    return _called(found.main, module, storage, options, before)


def _called(main, module, storage, options, before):
    out, err = io.StringIO(), io.StringIO()
    try:
        with (
            mock.patch.object(sys, "argv", arguments(module, storage, *options)[2:]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = main()
    except SystemExit as left:  # argparse's refusals
        status = left.code
    finally:
        signal.signal(signal.SIGTERM, before)
    return Result(status, out.getvalue(), err.getvalue())


def assert_refused(result, *words):
    """Status 2 and one line on stderr that has all these words."""
    assert result.status == 2
    assert result.stdout == ""
    assert result.stderr.startswith("study: ")
    assert result.stderr.count("\n") == 1
    assert [word for word in words if word not in result.stderr] == []


def plan(model, seed=0, **changes):
    """The default plan of a model, cut to 300 steps."""
    kind = MODELS[model]
    fields = {
        "space": SearchSpace(hidden_units=(8, 16) if kind.has_hidden_units else None),
        "protocol": SHORT,
        "target": kind.target,
        "generation_size": kind.generation,
        "cohort_size": kind.cohort,
    }
    return Plan(model, seed=seed, **fields | changes)


def search(path, name, n_trials, chosen):
    """Search in this process."""
    return search_here(chosen, SearchSettings(str(path), name, n_trials))


def settings(path, names=PAIR, **changes):
    """A small confirmation."""
    return Settings(str(path), names, **SIZE | changes)


def copied(path, folder):
    """A copy of the storage, its companion folder included."""
    shutil.copytree(f"{path}.files", folder / f"{path.name}.files")
    return Path(shutil.copy(path, folder))
