"""Data as models see it, in files that the processes of one machine map into their memory.

Processes that are forked share what was prepared before. Those that are spawned do not: one of
them prepares the data and writes it, and the others map the files.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from study.dataset import Data
from study.training.images import Fold, Images

_FORMS = ("plain", "folded")


def is_taken(folder: Path, pair: Data) -> bool:
    """Whether another process writes the data; if not, this one has to."""
    try:
        _place(folder, pair).mkdir()
    except FileExistsError:
        return True
    return False


def write(folder: Path, pair: Data, images: Images) -> None:
    """Write the forms of the data; nobody reads a file that is not whole."""
    for name in _FORMS:
        draft = _place(folder, pair) / "draft.npy"
        np.save(draft, getattr(images, name).numpy())
        draft.rename(draft.with_name(f"{name}.npy"))


def mapped(folder: Path, pair: Data) -> Images | None:
    """The data in the forms that cohorts train on; None where nobody has written it."""
    try:
        plain, folded = (
            torch.from_numpy(open_memmap(_place(folder, pair) / f"{name}.npy", mode="c"))
            for name in _FORMS
        )
    except FileNotFoundError:
        return None
    labels = torch.from_numpy(pair.labels).float()[:, None]
    return Images(plain, labels, pair.n_train, Fold(plain), folded)


def _place(folder: Path, pair: Data) -> Path:
    """A name for all that the forms depend on."""
    return folder / f"{pair.digest}-{pair.n_train}-{pair.normalisation}"
