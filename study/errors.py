"""The errors that a command reports in one line, each with its exit status."""

import re

from study.text import one_line

_TORCH_MEMORY = re.compile(r"DefaultCPUAllocator|^(CUDA|HIP|MPS)\b.*out of memory", re.DOTALL)


class StudyError(Exception):
    """Bad input, a damaged or foreign storage, or a study searched under another protocol.

    The message is one line: the input, what is wrong with it, and what would be right.
    """

    status = 2

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


class NotConfirmedError(StudyError):
    """The storage has no whole confirmation of a study's present best trial.

    Args:
        message: The whole line.
        why: What is missing, without the command that makes it.
    """

    def __init__(self, message: object = "", why: str = "") -> None:
        super().__init__(message)
        self.why = why or str(self)


class BusyError(StudyError):
    """Another search holds the study."""

    status = 4


class ResourceError(StudyError):
    """The disk is full, or a file or folder can't be written."""

    status = 5


class Bug(StudyError):
    """An error that this package did not expect: a mistake in the package."""

    status = 1


def of_status(status: int) -> type[StudyError]:
    """The kind of error whose exit status is ``status``."""
    kinds: tuple[type[StudyError], ...] = (StudyError, BusyError, ResourceError)
    return next((kind for kind in kinds if kind.status == status), Bug)


def is_memory(error: BaseException) -> bool:
    """Whether Python or torch ran out of memory."""
    found = isinstance(error, RuntimeError) and _TORCH_MEMORY.search(str(error))
    return isinstance(error, MemoryError) or bool(found)
