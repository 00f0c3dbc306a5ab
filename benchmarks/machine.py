"""The machine: its name, its peak memory, and the fastest that it multiplies float32."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.work import HIDDEN_UNITS, N_VAL
from study.storage.machine import describe as this_machine

SQUARE = 2048  # rows and columns of the big product


def cores() -> int:
    """The cores that this process may run on."""
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )


def describe() -> str:
    """CPU, cores and versions, on one line; and whether the machine is busy."""
    found = this_machine()
    versions = ", ".join(f"{package} {version(package)}" for package in ("torch", "optuna"))
    load = os.getloadavg()[0]
    busy = f", BUSY: a load of {load:.1f} at the start" if load > 0.3 * cores() else ""
    where = f"{found['processor']}, {found['cores']} cores"
    return f"{where}, {versions}, Python {found['python']}{busy}"


def peak_bytes() -> int | None:
    """This process's peak resident memory; None where /proc isn't there.

    ``getrusage`` won't do: its maximum is inherited from the parent across ``exec``.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else None


def sgemm(shapes: Sequence[tuple[str, int, int]]) -> dict[str, object]:
    """GFLOP/s of matrix products alone, the best of several timings.

    Args:
        shapes: (model, members a cohort, cohorts at once): the trainer's own products, fifty
            batches forward and backward and a validation, on one thread a cohort.
    """
    from torch import from_numpy

    from study import dataset
    from study.training.images import Fold

    pair = dataset.load()
    columns = Fold(from_numpy(pair.images)).images(from_numpy(pair.images[:1])).shape[1]
    rates = {
        f"{model} {members} {jobs}": own_shapes(columns, _width(model, members), jobs)
        for model, members, jobs in shapes
    }
    return {"square": square(), "columns": columns, "shapes": rates}


def _width(model: str, members: int) -> int:
    return members if model == "linear" else members * HIDDEN_UNITS


def square(rounds: int = 15) -> float:
    """GFLOP/s of a big square product on all threads."""
    import torch

    a, b = torch.rand(2, SQUARE, SQUARE)
    out, times = torch.empty(SQUARE, SQUARE), []
    for _ in range(rounds):
        began = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - began)
    return 2 * SQUARE**3 / min(times) / 1e9


def own_shapes(columns: int, width: int, jobs: int, seconds: float = 1.0) -> float:
    """GFLOP/s of ``jobs`` threads, each with the products of a (columns, width) layer."""
    import torch

    from study.training.known_state import known_state

    start, rates = threading.Barrier(jobs), []

    def work() -> None:
        x, back = torch.randn(100, columns), torch.randn(100, width) * 1e-6
        weight, x_val = torch.randn(columns, width), torch.randn(N_VAL, columns)
        z, z_val = torch.empty(100, width), torch.empty(N_VAL, width)
        flop = 2 * columns * width * (2 * 50 * 100 + N_VAL)
        with known_state(), torch.no_grad():
            start.wait()
            times, end = [], time.perf_counter() + seconds
            while time.perf_counter() < end:
                began = time.perf_counter()
                for _ in range(50):
                    torch.mm(x, weight, out=z)
                    weight.addmm_(x.T, back)
                torch.mm(x_val, weight, out=z_val)
                times.append(time.perf_counter() - began)
        rates.append(flop / min(times) / 1e9)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rates)
