"""What the holder of a lock says of itself, for a process that finds the study locked."""

import os
import re
import socket
from datetime import datetime

from study.errors import BusyError
from study.storage.urls import label, shown
from study.system import is_running

LONGEST = 300  # bytes
PATIENCE_S = 0.5  # how long a holder may take to write its name
ANOTHER = "another process"


def account(longest: int = LONGEST) -> str:
    """Which process this is, and the time; a machine's name is cut where all is longer."""
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    room = longest - len(f"pid {os.getpid()} on  since {since}")
    return f"pid {os.getpid()} on {socket.gethostname()[:room]} since {since}"


def is_alive(text: str) -> bool:
    """Whether an account is of a process that lives, or is on another machine."""
    found = re.fullmatch(r"pid (\d{1,9}) on (\S+) since \S+", text)
    if found is None:
        return False
    if found[2] != socket.gethostname():
        return True
    return is_running(int(found[1]))


def busy(storage: str, name: str, holder: str) -> BusyError:
    """The refusal of a study that ``holder`` has locked."""
    return BusyError(
        f"study {shown(name)} in {label(storage)}: being searched by {holder}: wait for it or "
        "stop it"
    )
