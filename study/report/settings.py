"""pandas' and NumPy's settings as they are at first, and as they were after it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PANDAS = (
    "compute.use_bottleneck",
    "compute.use_numexpr",
    "future.infer_string",
    "mode.string_storage",
)
_ERRORS: Any = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@contextmanager
def usual_settings() -> Iterator[None]:
    """Compute and draw with what can change a table or a figure as it is at first."""
    import numpy as np
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are deprecated in pandas 3
        before = {name: pd.get_option(name) for name in _PANDAS}
        for name in _PANDAS:
            pd.reset_option(name)
        pd.set_option("mode.string_storage", "python")  # also where pyarrow is installed
        changed = {name: old for name, old in before.items() if pd.get_option(name) != old}
    try:
        with np.errstate(**_ERRORS), np.printoptions(legacy=False):
            yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, old in changed.items():
                pd.set_option(name, old)
