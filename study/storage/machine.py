"""The machine that a study is begun on: stored with it, and not compared, but for its Python."""

import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

from study.storage.attributes import waiting
from study.system import available_cores

if TYPE_CHECKING:
    from optuna import Study


def describe() -> dict[str, str | int]:
    """Processor, cores that this process may use, system and Python."""
    info = Path("/proc/cpuinfo")
    text = info.read_text("utf-8") if info.exists() else ""
    names = re.findall(r"model name\s*: (.*)", text)
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": available_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def set_machine(study: "Study") -> None:
    """Store a description of this machine with the study."""
    waiting(study, lambda: study.set_user_attr("machine", describe()))


def machine(study: "Study") -> dict[str, str | int]:
    """What :func:`set_machine` stored; empty for a study that has none."""
    stored = waiting(study, lambda: study.user_attrs).get("machine")
    return stored if isinstance(stored, dict) else {}
