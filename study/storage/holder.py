"""What the holder of a lock says of itself, for a process that finds the study locked."""

import os
import re
import socket
from datetime import datetime

from study.errors import BusyError
from study.storage.urls import label, shown

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
    try:
        os.kill(int(found[1]), 0)  # signal 0 only asks whether it is there
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def busy(storage: str, name: str, holder: str) -> BusyError:
    """The refusal of a study that ``holder`` has locked."""
    return BusyError(
        f"study {shown(name)} in {label(storage)}: being searched by {holder}: wait for it or "
        "stop it"
    )
