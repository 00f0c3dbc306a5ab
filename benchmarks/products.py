"""How fast this machine multiplies float32 matrices, with every engine that is at hand.

The products are a big square one, and the three of the trainer's layer on images: forward on a
batch, the update of the weights in place, forward on the validation images. They run in
processes, one thread each and all at once, as cohorts are trained; on a GPU in one process.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING

from benchmarks.machine import cores
from benchmarks.work import HIDDEN_UNITS, N_VAL

if TYPE_CHECKING:
    from torch import Tensor

    Multiply = Callable[[], object]

SQUARE = 2048  # rows and columns of the big product
BATCH = 100
SECONDS = 0.15  # of each engine on each product
BLOCK = 1e8  # multiplications and additions between two looks at the clock, about
Line = dict[str, object]
"""model ("" for the square product), members, jobs, product, engine, gflop_per_s of all jobs."""


def sgemm(shapes: Sequence[tuple[str, int, int]], device: str = "cpu") -> dict[str, object]:
    """Measure every engine on every product.

    Args:
        shapes: (model, members a cohort, cohorts at once) of the trainer's own products.
        device: ``cpu`` or ``cuda``.

    Returns:
        ``columns``, what this package trains in place of 784 pixels, and ``lines``.
    """
    columns, processes = _columns(), cores() if device == "cpu" else 1
    asked = [("", SQUARE, processes), *shapes]
    lines: list[Line] = []
    for jobs in sorted({jobs for *_, jobs in asked}):
        products = {
            (model, members, product): size
            for model, members, at_once in asked
            if at_once == jobs
            for product, size in sizes(model, members, columns).items()
        }
        rates = _at_once(list(products.values()), jobs, device)
        lines += [
            {"model": model, "members": members, "jobs": jobs, "product": product}
            | {"engine": engine, "gflop_per_s": rate}
            for (model, members, product), found in zip(products, rates, strict=True)
            for engine, rate in found.items()
        ]
    return {"columns": columns, "lines": lines}


def sizes(model: str, members: int, columns: int) -> dict[str, tuple[int, int, int]]:
    """The products by name: (M, K, N) of an (M, K) matrix times a (K, N) one."""
    if not model:
        return {"square": (SQUARE, SQUARE, SQUARE)}
    width = members if model == "linear" else members * HIDDEN_UNITS
    return {
        "forward": (BATCH, columns, width),
        "update": (columns, BATCH, width),
        "validation": (N_VAL, columns, width),
    }


def _columns() -> int:
    from torch import from_numpy

    from study import dataset
    from study.training.images import Fold

    images = from_numpy(dataset.load().images)
    return Fold(images).images(images[:1]).shape[1]


def engines(device: str) -> dict[str, Callable[[Tensor, Tensor, Tensor, bool], Multiply]]:
    """By name: a function of (a, b, c, in place) that gives what computes c = ab or c += ab."""
    import torch

    found = {"torch": _torch}
    if device == "cpu":
        if hasattr(torch.ops.mkldnn, "_linear_pointwise"):  # not on macOS on Arm
            found["onednn"] = _onednn
        found["numpy"] = _numpy
    return found


def _torch(a: Tensor, b: Tensor, c: Tensor, in_place: bool) -> Multiply:
    import torch

    return (lambda: c.addmm_(a, b)) if in_place else (lambda: torch.mm(a, b, out=c))


def _onednn(a: Tensor, b: Tensor, c: Tensor, in_place: bool) -> Multiply:
    """The operator that torch's compiler emits for a linear layer; no documented function."""
    import torch

    linear = torch.ops.mkldnn._linear_pointwise
    if in_place:
        return lambda: c.add_(linear(a, b.T, None, "none", [], ""))
    return lambda: linear(a, b.T, None, "none", [], "")


def _numpy(a: Tensor, b: Tensor, c: Tensor, in_place: bool) -> Multiply:
    """NumPy's library, and SciPy's, which takes β = 1; OpenBLAS in the wheels for Linux."""
    import numpy as np
    from scipy.linalg.blas import sgemm as gemm

    left, right, out = a.numpy(), b.numpy(), c.numpy()
    if in_place:  # Fortran's order: cᵀ += bᵀ aᵀ, where aᵀ lies in memory as rows
        return lambda: gemm(1, right.T, left, beta=1, c=out.T, trans_b=1, overwrite_c=1)
    return lambda: np.matmul(left, right, out=out)


def _at_once(
    products: Sequence[tuple[int, int, int]], jobs: int, device: str
) -> list[dict[str, float]]:
    """GFLOP/s of ``jobs`` processes together: a dictionary by engine for each product."""
    context = multiprocessing.get_context("spawn")
    start, ended = context.Barrier(jobs), context.SimpleQueue()
    arguments = (list(products), device, start, ended)
    started = [context.Process(target=_measure, args=arguments) for _ in range(jobs)]
    for process in started:
        process.start()
    while any(process.is_alive() for process in started) and ended.empty():
        time.sleep(0.05)
    for process in started:
        process.join()
    if any(process.exitcode for process in started):
        raise RuntimeError("a process that multiplies failed")
    found = [ended.get() for _ in started]
    return [
        {engine: sum(one[place][engine] for one in found) for engine in found[0][place]}
        for place in range(len(products))
    ]


def _measure(
    products: Sequence[tuple[int, int, int]], device: str, start: Barrier, ended: SimpleQueue
) -> None:
    """One process: every product with every engine, each begun by all processes together."""
    import scipy.linalg.blas  # noqa: F401 (a library that is loaded later is not limited)
    from threadpoolctl import threadpool_limits

    from study.training.known_state import known_state

    found: list[dict[str, float]] = []
    with known_state(), threadpool_limits(1):
        for size in products:
            found.append({})
            for engine in engines(device):
                start.wait(timeout=300)
                found[-1][engine] = rate(engine, size, device)
    ended.put(found)


def rate(engine: str, size: tuple[int, int, int], device: str = "cpu") -> float:
    """GFLOP/s of one product, the best of several timings; the update is the one in place."""
    import torch

    (m, k, n), in_place = size, size[1] == BATCH
    a = torch.randn(k, m, device=device).T if in_place else torch.randn(m, k, device=device)
    b, c = torch.randn(k, n, device=device) * 1e-6, torch.zeros(m, n, device=device)
    multiply = engines(device)[engine](a, b, c, in_place)
    flop, times = 2 * m * k * n, []
    repeats = max(1, round(BLOCK / flop)) * (1 if device == "cpu" else 100)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    multiply()
    end = time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        wait()
        began = time.perf_counter()
        for _ in range(repeats):
            multiply()
        wait()
        times.append((time.perf_counter() - began) / repeats)
    return flop / min(times) / 1e9


def best(lines: Sequence[Mapping], model: str, members: int, jobs: int) -> dict[str, Mapping]:
    """The fastest engine's line of each product of one shape."""
    own = [
        li for li in lines if (li["model"], li["members"], li["jobs"]) == (model, members, jobs)
    ]
    return {
        product: max(
            (line for line in own if line["product"] == product),
            key=lambda line: line["gflop_per_s"],
        )
        for product in dict.fromkeys(line["product"] for line in own)
    }
