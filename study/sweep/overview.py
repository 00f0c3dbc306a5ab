"""What the storage has of a sweep, and the page and table that show it while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from study.errors import StudyError
from study.sweep import notes, page, table
from study.sweep.data_sets import ALL, DataSet, of_pair
from study.sweep.judging import judged
from study.sweep.loop import Settings
from study.sweep.rows import Content, Found, Row


class Overview:
    """All data sets that the storage has, of this sweep and of earlier ones with its models.

    Raises:
        StudyError: The storage is not one of this package's.
        ResourceError: The storage can't be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.found: Found = {}
        self.read(self.others())
        self.read(settings.data)

    def others(self) -> list[DataSet]:
        """All pairs of the official data set, and a person's own data that are in the storage."""
        settings = self.settings
        pairs = [of_pair(settings.plans.dataset, pair) for pair in ALL]
        own = table.own_data(settings.search.storage, settings.plans.models)
        return [each for each in (*pairs, *own) if each not in settings.data]

    def read(self, data: Sequence[DataSet]) -> None:
        """Read what there is of these data sets now; each takes a third of a second."""
        settings = self.settings
        models = settings.plans.models
        self.found |= table.read(settings.search.storage, data, models, settings.margin)

    def renew(self, *data: DataSet) -> None:
        """Read these data sets again, and write what there is now.

        A failure is passed over here: it is reported at the end, when all is read again.
        """
        with suppress(StudyError):
            self.read(data)
            self.write()

    @property
    def rows(self) -> list[Row]:
        """The data sets that all models were searched on, in their order, judged together."""
        search = self.settings.search
        found = notes.marked(self.found, search.n_trials, until_target=search.until_target)
        return judged(found)

    def at(self, data: DataSet) -> Row | StudyError | None:
        """A data set's row, or why it can't be read; None where it was not searched."""
        marked = {row.data: row for row in self.rows}
        return marked.get(data, self.found.get(data))

    def stale(self, data: Sequence[DataSet]) -> list[DataSet]:
        """Those whose report is missing, or older than what the storage has, in their order."""
        rows = {row.data: row for row in self.rows}
        return [
            each
            for each in sorted(data, key=lambda each: each.place)
            if each in rows and not page.is_current(self.settings.out, rows[each])
        ]

    @property
    def content(self) -> Content:
        """All that the page and the table show."""
        settings = self.settings
        return Content(
            self.rows,
            settings.plans.models,
            settings.plans.dataset,
            only_pairs=all(each.pair for each in (*settings.data, *self.found)),
            damaged=notes.unreadable(self.found),
        )

    def write(self) -> Path:
        """Write ``index.html`` and ``sweep.csv``; the page.

        Raises:
            StudyError: A file that no sweep or report wrote is in the way.
            ResourceError: The folder can't be written.
        """
        return page.write(self.settings.out, self.content, replace=self.settings.replace)
