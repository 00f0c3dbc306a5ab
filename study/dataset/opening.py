"""Open a person's own file: only a regular one, and never more of it than is allowed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from study.errors import ResourceError, StudyError
from study.system import SAFELY


@contextmanager
def opened(path: Path, most: int, *, follow: bool = True) -> Iterator[BinaryIO]:
    """The file, open for reading bytes.

    Args:
        path: Its path.
        most: The bytes that it may have.
        follow: Whether the path may be a symbolic link.

    Raises:
        StudyError: It is missing, no regular file, or larger.
        ResourceError: It may not be read, now or inside the ``with``.
    """
    flags = SAFELY & ~(getattr(os, "O_NOFOLLOW", 0) if follow else 0)
    with one_line(path):
        _require_regular(path, path.stat(follow_symlinks=follow), most)  # a pipe would wait
        number = os.open(path, os.O_RDONLY | flags)
        try:
            _require_regular(path, os.fstat(number), most)
            with open(number, "rb", closefd=False) as file:
                yield file
        finally:
            os.close(number)


def _require_regular(path: Path, found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StudyError(f"{path}: is not a regular file: must be one")
    if found.st_size > most:
        raise StudyError(f"{path}: has {found.st_size:,} bytes: must have at most {most:,}")


@contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one line: the file, and what is wrong."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StudyError(f"{path}: no such file: check the path") from error
    except OSError as error:
        raise ResourceError(f"{path}: {error.strerror or error}: must be readable") from error
