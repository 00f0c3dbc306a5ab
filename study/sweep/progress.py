"""What a sweep shows while it goes on."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Self

from study import cli, formats
from study.errors import StudyError
from study.progress_bar import progress_bar
from study.sweep.data_sets import DataSet
from study.sweep.loop import Done
from study.sweep.rows import Row
from study.text import clean, one_line

NAMED = 4  # data sets at work that a bar names


class Progress:
    """A progress bar on a terminal, and a line for each data set on standard output.

    Args:
        what: What is done with the data sets, in a word.
        total: How many there are.
        noun: What one of them is called.
        quiet: Whether to show failures only.
    """

    def __init__(self, what: str, total: int, noun: str, *, quiet: bool) -> None:
        self.what, self.noun, self.quiet = what, noun, quiet
        self.at_work: list[DataSet] = []
        self.waiting = 0
        self.errors: list[StudyError] = []
        self.lock = Lock()  # data sets begin on threads of their own
        self.bar = progress_bar(quiet=quiet or not total, desc=what, total=total, unit=noun)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
        if self.waiting:
            count = formats.plural(self.waiting, self.noun)
            self._complain(f"not begun: {count}: run it again to go on")

    def begins(self, data: DataSet) -> None:
        """Show that a data set was begun."""
        with self.lock:
            self.at_work.append(data)
            self._show()

    def ended(self, done: Done, found: Row | StudyError | None = None) -> None:
        """Print what was found of a data set that is done, or what was wrong."""
        with self.lock:
            if done.data in self.at_work:
                self.at_work.remove(done.data)
            self._show()
        if done.words:
            self.say(done.words)
        self.waiting += not done.begun
        error = done.error or (found if isinstance(found, StudyError) else None)
        if error is not None:
            self._fail(error, _line(done.data, error))
        elif found is not None and done.begun:
            self.say(str(found))
        self.bar.update()

    def _show(self) -> None:
        names = [data.name for data in self.at_work]
        more = ["…"] if len(names) > NAMED else []
        self.bar.set_description_str(" ".join([self.what, *names[:NAMED], *more]))

    def say(self, line: str) -> None:
        """Print a line at once. The sweep goes on where standard output was closed."""
        if self.quiet:
            return
        try:
            self.bar.write(clean(line))
            cli.flush()
        except BrokenPipeError:
            pass
        except (OSError, StudyError) as error:
            self._fail(cli.explained(error), str(cli.explained(error)))

    def _fail(self, error: StudyError, line: str) -> None:
        self.errors.append(error)
        self._complain(line)

    def _complain(self, line: str) -> None:
        self.bar.write(f"study: {one_line(line)}", file=sys.stderr)


def _line(data: DataSet, error: StudyError) -> str:
    """The error with the name of the data set, unless it begins with its path."""
    is_named = data.pair is None and str(error).startswith(f"{data.root}: ")
    return str(error) if is_named else f"{data.name}: {error}"
