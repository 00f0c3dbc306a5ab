"""What trains here: the library that multiplies matrices (a study's engine), and the device.

The engine decides the last bits of a study's results. A planner chooses it, and a worker uses it
(:mod:`study.training.products`). Nothing here imports torch where it can be done without.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ENGINES = ("torch", "torch-padded", "onednn")
"""``torch``: ``torch.mm``, which is Intel's MKL on x86-64; all that studies of version 0.1 had.
``torch-padded``: the same on weights whose columns are filled up to a multiple of 16. ``onednn``:
oneDNN, which comes with torch, on such weights too."""

_ZEN_5 = 26  # AMD's first family with vector units of 512 bits


@dataclass(frozen=True)
class Processor:
    """What decides which engine is the faster one here."""

    vendor: str  # as the processor names it: AuthenticAMD, GenuineIntel
    family: int
    has_avx512: bool

    @classmethod
    def here(cls) -> Processor:
        """This machine's; an empty one where the system does not tell."""
        info = Path("/proc/cpuinfo")
        if info.exists():
            return cls.of_cpuinfo(info.read_text(encoding="utf-8", errors="replace"))
        return cls.of_windows(platform.processor())

    @classmethod
    def of_cpuinfo(cls, text: str) -> Processor:
        """From Linux's ``/proc/cpuinfo``."""
        found = dict(re.findall(r"^(vendor_id|cpu family|flags)\s*: (.*)$", text, re.MULTILINE))
        family = found.get("cpu family", "")
        flags = found.get("flags", "").split()
        return cls(
            found.get("vendor_id", "").strip(),
            int(family) if family.strip().isdigit() else 0,
            "avx512f" in flags,
        )

    @classmethod
    def of_windows(cls, text: str) -> Processor:
        """From ``AMD64 Family 26 Model 68 Stepping 0, AuthenticAMD``; its Zen 5 has AVX-512."""
        family = re.search(r"\bFamily (\d+)\b", text)
        vendor = text.rpartition(",")[2].strip()
        number = int(family[1]) if family else 0
        return cls(vendor, number, vendor == "AuthenticAMD" and number >= _ZEN_5)


def default_engine() -> str:
    """The engine of a new study on this processor.

    MKL uses at most AVX2's 256 bits on AMD's processors, oneDNN uses AVX-512. Zen 4 splits 512
    bits into two halves, and there the two are level; from Zen 5 on oneDNN reaches up to twice
    MKL's rate. On Intel's processors MKL takes AVX-512 itself. Padded weights are multiplied up to
    three times as fast where a cohort is narrow, and a sixth faster where their number is odd.
    """
    here = Processor.here()
    is_full_width = here.vendor == "AuthenticAMD" and here.family >= _ZEN_5 and here.has_avx512
    return "onednn" if is_full_width else "torch-padded"


def is_here(engine: str) -> bool:
    """Whether this machine has the engine. Every torch for x86-64 has oneDNN; others are asked."""
    if engine == "onednn" and platform.machine().lower() not in ("x86_64", "amd64"):
        from study.training.products import has_onednn

        return has_onednn()
    return engine in ENGINES


_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA's, that of Windows' WSL, AMD's


def may_have_gpu() -> bool:
    """Whether it is worth asking torch for a CUDA or ROCm device, which takes a second."""
    if sys.platform == "darwin" or version("torch").endswith("+cpu"):
        return False
    return sys.platform != "linux" or any(Path(driver).exists() for driver in _DRIVERS)
