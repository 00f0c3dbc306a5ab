"""What goes wrong in a worker of the tests; it imports this by its name."""

import errno
import os

from study.errors import BusyError, ResourceError, StudyError


def fails(kind):
    """Raise an error of this kind."""
    raise KINDS[kind][0]()


def _full():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/weights")


KINDS = {
    "disk full": (_full, ResourceError),
    "quota": (lambda: OSError(errno.EDQUOT, "quota"), ResourceError),
    "memory": (MemoryError, ResourceError),
    "torch's memory": (lambda: RuntimeError("CUDA out of memory"), ResourceError),
    "resource": (lambda: ResourceError("disk: is full: free some"), ResourceError),
    "busy": (lambda: BusyError("study: is searched: wait"), BusyError),
    "bad input": (lambda: StudyError("data: is gone: put it back"), StudyError),
    "a bug": (lambda: ZeroDivisionError("division"), None),
    "wrong shapes": (lambda: ValueError("shapes (2,) and (3,)"), None),
    "a name": (lambda: KeyError("steps"), None),
}
