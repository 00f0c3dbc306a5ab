"""What a sweep shows while it goes on."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Self

from tqdm import tqdm

from study import cli, formats
from study.errors import StudyError
from study.sweep.loop import Done
from study.sweep.pairs import Pair, folder
from study.sweep.table import Row
from study.text import clean, one_line

NAMED = 4  # pairs at work that a bar names


class Progress:
    """A progress bar on a terminal, and a line for each pair on standard output.

    Args:
        what: What is done with the pairs, in a word.
        total: How many there are.
        quiet: Whether to show failures only.
    """

    def __init__(self, what: str, total: int, *, quiet: bool) -> None:
        self.what, self.quiet = what, quiet
        self.at_work: list[Pair] = []
        self.waiting = 0
        self.errors: list[StudyError] = []
        self.lock = Lock()  # pairs begin on threads of their own
        shown = True if quiet or not total else None  # None: unless stderr is no terminal
        self.bar = tqdm(desc=what, total=total, unit="pair", disable=shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
        if self.waiting:
            count = formats.plural(self.waiting, "pair")
            self._complain(f"not begun: {count}: run it again to go on")

    def begins(self, pair: Pair) -> None:
        """Show that a pair was begun."""
        with self.lock:
            self.at_work.append(pair)
            self._show()

    def ended(self, done: Done, found: Row | StudyError | None = None) -> None:
        """Print what was found of a pair that is done, or what was wrong."""
        with self.lock:
            if done.pair in self.at_work:
                self.at_work.remove(done.pair)
            self._show()
        self.waiting += not done.begun
        error = done.error or (found if isinstance(found, StudyError) else None)
        if error is not None:
            self._fail(error, f"{folder(done.pair)}: {error}")
        elif found is not None and done.begun:
            self.say(str(found))
        self.bar.update()

    def _show(self) -> None:
        names = [folder(pair) for pair in self.at_work]
        more = ["…"] if len(names) > NAMED else []
        self.bar.set_description_str(" ".join([self.what, *names[:NAMED], *more]))

    def say(self, line: str) -> None:
        """Print a line at once. The sweep goes on where standard output was closed."""
        if self.quiet:
            return
        try:
            tqdm.write(clean(line))
            cli.flush()
        except BrokenPipeError:
            pass
        except (OSError, StudyError) as error:
            self._fail(cli.explained(error), str(cli.explained(error)))

    def _fail(self, error: StudyError, line: str) -> None:
        self.errors.append(error)
        self._complain(line)

    def _complain(self, line: str) -> None:
        tqdm.write(f"study: {one_line(line)}", file=sys.stderr)
