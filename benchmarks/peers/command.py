"""This package as a user runs it: ``python -m study.search`` from exec to exit."""

import subprocess
import sys
import tempfile
import time

from benchmarks.peers.search import done
from benchmarks.work import HIDDEN_UNITS, Done, Work
from study.storage.searched import Searched


def run(work: Work) -> Done:
    """The command on a new SQLite file, in a process that has imported nothing."""
    sizes = [f"--param={name}={HIDDEN_UNITS}" for name in work.kind.size_parameters]
    files = [f"--model-file={work.model_file}"] if work.model_file else []
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/study.db"
        options = {
            "model": work.model,
            "n-trials": len(work.trials),
            "steps": work.steps,
            "seed": work.seed,
            "jobs": work.jobs,
            "device": work.device,
            "storage": storage,
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "study.search", "--quiet", *given, *sizes, *files],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - began
        return done(work, seconds, Searched.read(storage, work.model).trials)
