"""The machine that a study is searched on: kept with it, and never held against it."""

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

from study.explain import explaining
from study.storage.reconnecting import waiting
from study.storage.urls import shown

if TYPE_CHECKING:
    from optuna import Study

_KEY = "machine"


def describe() -> dict[str, str | int]:
    """Processor, cores that this process may use, system and Python, as JSON can hold them."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    usable = hasattr(os, "sched_getaffinity")
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if usable else os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def set_machine(study: "Study") -> None:
    """Keep a description of this machine with the study."""
    with explaining(f"study {shown(study.study_name)}"):
        waiting(study, lambda: study.set_user_attr(_KEY, describe()))


def machine(study: "Study") -> dict[str, str | int]:
    """What :func:`set_machine` kept; empty for a study that has none."""
    stored = waiting(study, lambda: study.user_attrs).get(_KEY)
    return stored if isinstance(stored, dict) else {}
