"""A bar of tqdm: on a terminal as text, in a notebook as a widget."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm.std import tqdm


def progress_bar(*, quiet: bool, **options: Any) -> tqdm[Any]:  # noqa: ANN401 (tqdm's own)
    """A new bar, shown on a terminal and in a notebook, and elsewhere not.

    In a notebook ``TQDM_DISABLE=1`` in the environment hides it.

    Args:
        quiet: Show none.
        options: Of ``tqdm.tqdm``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets a notebook has a bar of text
        from tqdm.auto import tqdm
    if quiet:
        return tqdm(disable=True, **options)
    kernels = sys.modules.get("ipykernel.kernelapp")
    if kernels and kernels.IPKernelApp.initialized():  # a notebook's output is no terminal
        return tqdm(**options)
    return tqdm(disable=None, **options)  # None: unless stderr is no terminal


def advance(bar: tqdm[Any], done: int, total: int) -> None:
    """Move a bar to where so much of all is done."""
    bar.total = total
    bar.update(done - bar.n)
