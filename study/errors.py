"""What a person can do wrong, each with the exit status that its command ends with."""


class StudyError(Exception):
    """Bad input, a damaged or foreign storage, or a study searched under another protocol.

    The message is one line: the input, what is wrong with it, and what would be right.
    """

    status = 2


class NotConfirmedError(StudyError):
    """The storage has no whole confirmation of a study's present best trial."""


class BusyError(StudyError):
    """Another search holds the study."""

    status = 4


class ResourceError(StudyError):
    """The disk is full, or a file or folder can't be written."""

    status = 5


class Bug(StudyError):
    """An error that nobody foresaw."""

    status = 1
