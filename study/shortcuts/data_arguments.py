"""Check the arguments that say which data are trained on, and how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study.dataset import DATASETS, Data, own
from study.errors import StudyError
from study.options import OwnData, require_batch
from study.shortcuts.arguments import StoragePath, path, said, whole_number
from study.training.protocol import Protocol

if TYPE_CHECKING:
    from study.dataset import Label


def protocol_of(
    data: object,
    classes: object,
    data_root: StoragePath | None,
    *,
    steps: int,
    batch_size: int | None,
    val_every: int,
) -> tuple[Protocol, Path | None]:
    """The protocol of a training, and where its data lies: None inside the package or in memory.

    Raises:
        StudyError: The data can't be used, or a batch is larger than the training set.
    """
    training: dict[str, Any] = {
        "steps": whole_number("steps", steps),
        "val_every": whole_number("val_every", val_every),
    }
    if batch_size is not None:
        training["batch_size"] = whole_number("batch_size", batch_size)
    root = None if data_root is None else path("data_root", data_root, "a folder")
    two = classes_of(classes)
    if isinstance(data, Data):
        found = Protocol.of(data, **training)
    elif data is None or (isinstance(data, str) and data in (*DATASETS, own.NAME)):
        found = Protocol(data or Protocol.dataset, two or Protocol.classes, **training)
    else:
        right = "a file or folder, what study.load returns, or one of " + ", ".join(DATASETS)
        root = path("data", data, right).absolute()
        request = dict.fromkeys(("n_train", "normalisation", "order")) | {"classes": two}
        found, _ = OwnData("", request, training).protocol(root)
    require_batch(found)
    return found, root


def classes_of(value: object) -> tuple[Label, Label] | None:
    """Two classes; None where ``value`` is None.

    Raises:
        StudyError: They are not two.
    """
    if value is None:
        return None
    found = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(found, list | tuple) or len(found) != 2:
        raise StudyError(f"{said('classes', value)}: must be two, such as (4, 9)")
    first, second = map(_label, found)
    return first, second


def _label(value: Any) -> Any:  # noqa: ANN401 (a label, once it is looked for in the data)
    """A label as Python has it: a whole number is an int, as in a column of floats."""
    plain = value.item() if isinstance(value, np.generic) else value
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def data_root_of(data: object, data_root: StoragePath | None) -> Path | None:
    """Where the data of stored studies lies: None inside the package or in memory.

    Raises:
        StudyError: It is no path.
    """
    if data_root is not None:
        return path("data_root", data_root, "a folder")
    if data is None or isinstance(data, Data):
        return None
    return path("data", data, "a file or folder, or what study.load returns").absolute()
