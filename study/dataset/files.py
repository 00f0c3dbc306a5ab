"""A person's own file or folder: which reader reads it, and which rows of it are used.

read → choose two classes → order → split, with defaults that suit small data.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from study.dataset import csv_table, image_folder, npz, parquet
from study.dataset.normalisation import COLUMNS, IMAGE
from study.dataset.opening import one_line
from study.dataset.pair import Data, Label, require_split
from study.dataset.rows import Rows, label_of
from study.dataset.split import default_n_train, shuffled
from study.errors import StudyError
from study.text import visible

Order = int | Literal["file"]

_TABLES: dict[str, Callable[[Path, str], Rows]] = {
    ".csv": csv_table.read,
    ".parquet": parquet.read,
}
KINDS = f"a .npz, {', '.join(_TABLES)} file or a folder of images, DIR/class/*.png"


def read(path: Path, label: str = "") -> Rows:
    """All rows of a file, or all images of a folder.

    Args:
        path: Its name says what it is.
        label: The column with the labels, of a table; by default the last.

    Raises:
        StudyError: It is missing, damaged, too large, or of another kind.
        ResourceError: It may not be read.
    """
    kind = path.suffix.lower()
    with one_line(path):
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)  # not Path.is_dir: see system.mode
    if is_folder or kind == ".npz":
        if label:
            right = f"must be a table, {' or '.join(_TABLES)}, or be searched without --label"
            raise StudyError(f"{path}: has no column {label!r}, which has the labels: {right}")
        return image_folder.read(path) if is_folder else npz.read(path)
    if kind not in _TABLES:
        raise StudyError(f"{path}: is of another kind: must be {KINDS}")
    return _TABLES[kind](path, label)


def name_of(path: Path) -> str:
    """What a study calls the data: the file's name; of a folder with a slash at its end."""
    name = os.path.basename(os.path.abspath(path)).encode(errors="backslashreplace").decode()
    return visible(name) + "/" * path.is_dir()


@dataclass(frozen=True)
class Choice:
    """Which rows of one's own data are used, and how."""

    classes: tuple[Label, Label]  # the classes labelled 0 and 1
    n_train: int
    normalisation: str
    order: int | None  # None: the file's; else the seed of a stratified shuffle
    label: str  # the column with the labels

    @classmethod
    def of(
        cls,
        rows: Rows,
        classes: tuple[Label, Label] | None = None,
        n_train: int | None = None,
        normalisation: str | None = None,
        order: Order | None = None,
    ) -> "Choice":
        """With the defaults for what is None: see :func:`study.load`.

        Raises:
            StudyError: There are more than two classes, or those that are named are not there.
        """
        first, second = map(label_of, classes) if classes else rows.two()
        classes = first, second
        return cls(
            classes,
            n_train or default_n_train(len(rows.members(classes))),
            normalisation or (COLUMNS if rows.values.ndim == 2 else IMAGE),
            None if order == "file" else order or 0,
            rows.label,
        )


def select(rows: Rows, choice: Choice, name: str) -> tuple[Data, Callable[[int], str]]:
    """The rows that are chosen, in their order; and what a message calls each of them.

    Raises:
        StudyError: The split leaves a part without rows, or without those of a class.
    """
    places = rows.members(choice.classes)
    labels = (rows.codes[places] == rows.names.index(choice.classes[1])).astype(np.uint8)
    require_split(name, choice.classes, len(places), choice.n_train, rows.items)
    if choice.order is not None:
        order = shuffled(labels, choice.n_train, choice.order)
        places, labels = places[order], labels[order]
    data = Data(
        name,
        choice.classes,
        rows.values[places],
        labels,
        choice.n_train,
        rows.columns,
        choice.normalisation,
        choice.order,
        choice.label,
    )
    data.require_classes()
    return data, lambda row: rows.where(int(places[row]))
