"""The progress of searches, as a bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from study import formats
from study.progress_bar import progress_bar
from study.search.loop import Progress, Settings
from study.text import clean
from study.trials import StoredTrial

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def shown(searches: Sequence[Settings], *, quiet: bool) -> Iterator[Bar]:
    """A bar for searches that run side by side."""
    with progress_bar(
        quiet=quiet,
        total=sum(settings.n_trials for settings in searches),
        desc=", ".join(clean(settings.study_name) for settings in searches),
        unit="trial",
        bar_format="{l_bar}{bar}| {n:.0f}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
    ) as bar:
        yield Bar(bar, searches)


class Bar:
    """The progress of searches that run side by side."""

    def __init__(self, bar: tqdm[Any], searches: Sequence[Settings]) -> None:
        self.bar = bar
        self.names = [clean(settings.study_name) for settings in searches]
        self.total = sum(settings.n_trials for settings in searches)
        self.before: dict[int, float] = {}  # trials that were there, by search
        self.best: dict[int, str] = {}
        self.lock = Lock()

    def show(self, k: int) -> Progress:
        """What moves the bar for search k; first called with the trials that there are."""

        def move(work: float, best: StoredTrial | None) -> None:
            with self.lock:
                self._move(k, work, best)

        return move

    def _move(self, k: int, work: float, best: StoredTrial | None) -> None:
        if k not in self.before:
            self.before[k] = work
            self.bar.initial = sum(self.before.values())
        if best:
            name = f"{self.names[k]} " * (len(self.names) > 1)
            self.best[k] = f"{name}{formats.percent(best.val_error)}"
            found = ", ".join(self.best[place] for place in sorted(self.best))
            self.bar.set_postfix_str(f"best {found}", refresh=False)
        self.bar.update(min(work, self.total - self.bar.n))
