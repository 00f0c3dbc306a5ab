"""Write the page that compares studies."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from study.dataset import Data
from study.margin import DEFAULT_MARGIN, Margin
from study.report.command import written
from study.report.options import Settings
from study.report.ownership import USUAL_FORMATS
from study.shortcuts import arguments, data_arguments
from study.shortcuts.arguments import STORAGE, StoragePath
from study.shortcuts.surroundings import held, quietly
from study.text import one_line


@dataclass(frozen=True)
class WrittenReport(os.PathLike[str]):
    """A report on the disk: a path to its page, for ``open`` and ``webbrowser`` too."""

    page: Path
    others: tuple[Path, ...]  # figures, tables and a summary

    def __fspath__(self) -> str:
        return str(self.page)

    def __repr__(self) -> str:
        return one_line(f"<{type(self).__name__}: {self.page} {self._beside}>")

    @property
    def _beside(self) -> str:
        return f"(and {len(self.others)} figures, tables and a summary in {self.page.parent})"

    def _repr_html_(self) -> str:
        """A link to the page, for a notebook."""
        page = str(self.page)
        return f'<a href="{escape(quote(page))}">{escape(page)}</a> {escape(self._beside)}'


@quietly()
def write_report(
    storage: StoragePath = STORAGE,
    out: StoragePath = "reports",
    *,
    names: Sequence[str] | None = None,
    margin: Margin | str = DEFAULT_MARGIN,
    data: Data | StoragePath | None = None,
    data_root: StoragePath | None = None,
    replace: bool = False,
    formats: Sequence[str] = USUAL_FORMATS,
    model_file: StoragePath | None = None,
) -> WrittenReport:
    """Write the page that compares the studies, as ``python -m study.report`` does.

    ``study.write_report("study.db")``. The page tells what is stored: run :func:`compare` first,
    so that it has a verdict.

    Args:
        storage: An SQLite file or an Optuna storage URL; it is only read.
        out: The folder for ``index.html``, ``figures``, ``tables`` and ``summary.json``.
        names: One to six studies; by default of each model the study that has its name, or its
            only study.
        margin: As for :func:`compare`.
        data: Your own file, folder or data, if the studies were searched on it.
        data_root: The folder of the official files, if the studies were searched with one.
        replace: Overwrite files of these names that no report wrote.
        formats: The files of each figure: ``png``, ``svg``, ``pdf``.
        model_file: A Python file that registers the models.

    Returns:
        Where the page is.

    Raises:
        StudyError: An argument is wrong, a study is missing, or files are in the way.
        ResourceError: The folder can't be written.
    """
    arguments.run_file(model_file)
    settings = Settings(
        storage=arguments.storage_of(storage),
        out=arguments.path("out", out, "a folder"),
        names=arguments.names_of(names),
        data_root=data_arguments.data_root_of(data, data_root),
        replace=arguments.switch("replace", replace),
        margin=arguments.margin_of(margin),
        formats=arguments.formats_of(formats),
    )
    with held(data):
        page, *others = written(settings)
    return WrittenReport(page, tuple(others))
