"""The machine: its name, what limits it, and a process's peak memory."""

from __future__ import annotations

import os
import re
import time
from importlib.metadata import version
from pathlib import Path

from study.storage.machine import describe as this_machine

LIMITING = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
UNITS = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}  # by the flag, the widest first


def cores() -> int:
    """The cores that this process may run on."""
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )


def describe(device: str = "cpu") -> str:
    """Processor, GPU, cores, limits and versions, on one line; and whether the machine is busy."""
    found = this_machine()
    versions = ", ".join(f"{package} {version(package)}" for package in ("torch", "optuna"))
    share = busy_share()
    busy = f", BUSY: {share:.0%} of the cores at the start" if share > 0.1 else ""
    where = f"{found['processor']}{_kind()}, {found['cores']} cores{_gpu(device)}{_limits()}"
    return f"{where}, {versions}, Python {found['python']}{busy}"


def _kind() -> str:
    """Family, model and vector units of the processor, where Linux tells them."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    numbers = [re.search(rf"^{name}\s*: (\d+)$", text, re.M) for name in ("cpu family", "model")]
    named = ["family {} model {}".format(*(n[1] for n in numbers if n))] if all(numbers) else []
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.M)
    units = [unit for flag, unit in UNITS.items() if flags and flag in flags[1].split()]
    virtual = ["virtual"] if flags and "hypervisor" in flags[1].split() else []
    said = [*named, *units[:1], *virtual]
    return f" ({', '.join(said)})" if said else ""


def _gpu(device: str) -> str:
    if device == "cpu":
        return ""
    import torch

    return f", {torch.cuda.get_device_name()}"


def _limits() -> str:
    """What keeps this process from using the whole machine; empty where nothing does."""
    quota = Path("/sys/fs/cgroup/cpu.max")
    share, _, period = quota.read_text().partition(" ") if quota.exists() else ("max", "", "")
    allowed = "" if share == "max" else f"a quota of {int(share) / int(period):.3g} cores"
    of_all = f"the affinity to {cores()} of {os.cpu_count()} cores"
    found = [
        *([of_all] if cores() < (os.cpu_count() or 1) else []),
        *([allowed] if allowed else []),
        *(f"{name}={os.environ[name]}" for name in LIMITING if name in os.environ),
    ]
    return f", limited by {' and '.join(found)}" if found else ""


def busy_share(seconds: float = 1.0) -> float:
    """Which share of all cores' time others take just now; 0 where /proc isn't there.

    A load average won't do: for minutes it has what this benchmark itself did before.
    """
    status = Path("/proc/stat")
    if not status.exists():
        return 0.0
    readings = []
    for pause in (seconds, 0.0):
        times = [int(ticks) for ticks in status.read_text().partition("\n")[0].split()[1:]]
        readings.append((sum(times), times[3] + times[4]))  # all, and idle or waiting for a disk
        time.sleep(pause)
    (before, idle_before), (after, idle_after) = readings
    return 1 - (idle_after - idle_before) / max(after - before, 1)


def peak_bytes() -> int | None:
    """The peak resident memory of this process or of an ended child, whichever had more.

    None where /proc isn't there: ``getrusage`` won't do for this process, whose maximum is
    inherited from the parent across ``exec``.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    import resource

    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return 1024 * max(int(found[1]) if found else 0, children)
