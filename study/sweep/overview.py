"""What the storage has of a sweep, and the page and table that show it while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from study.errors import StudyError
from study.sweep import page, table
from study.sweep.loop import Settings
from study.sweep.pairs import ALL, Pair
from study.sweep.table import Row


class Overview:
    """All pairs that the storage has, of this sweep and of earlier ones.

    Raises:
        StudyError: The storage is not one of this package's.
        ResourceError: The storage can't be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.found: table.Found = {}
        self.read(ALL)

    def read(self, pairs: Sequence[Pair]) -> None:
        """Read what there is of these pairs now; a pair takes a third of a second."""
        self.found |= table.read(self.settings.search.storage, self.settings.dataset, pairs)

    def renew(self, *pairs: Pair) -> None:
        """Read these pairs again, and write what there is now.

        A failure is passed over here: it is reported at the end, when all is read again.
        """
        with suppress(StudyError):
            self.read(pairs)
            self.write()

    @property
    def rows(self) -> list[Row]:
        """The pairs that both models were searched on, in their order."""
        search = self.settings.search
        return table.marked(self.found, search.n_trials, until_target=search.until_target)

    def at(self, pair: Pair) -> Row | StudyError | None:
        """A pair's row, or why it can't be read; None where it was not searched."""
        marked = {row.pair: row for row in self.rows}
        return marked.get(pair, self.found.get(pair))

    def stale(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Those of the pairs whose report is missing, or older than what the storage has."""
        return [
            row.pair
            for row in self.rows
            if row.pair in pairs and not page.is_current(self.settings.out, row)
        ]

    def write(self) -> Path:
        """Write ``index.html`` and ``sweep.csv``; the page.

        Raises:
            StudyError: A file that no sweep or report wrote is in the way.
            ResourceError: The folder can't be written.
        """
        out, dataset = self.settings.out, self.settings.dataset
        damaged = table.unreadable(self.found)
        return page.write(out, dataset, self.rows, damaged, replace=self.settings.replace)
