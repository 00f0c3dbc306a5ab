"""Imports matplotlib and seaborn, whatever a notebook, a folder or a broken cache says.

Every module that draws imports this one before them. A process that had imported matplotlib
already keeps its settings; one that had not finds them afterwards as it would have.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_RC = "matplotlibrc"
_MOST = 1_000_000  # bytes of a matplotlibrc


@contextmanager
def _no_settings() -> Iterator[None]:
    """No environment variable and no file says anything to matplotlib."""
    kept = {name: os.environ.get(name) for name in ("MPLBACKEND", "MATPLOTLIBRC", "MPLCONFIGDIR")}
    exists = os.path.exists
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ.pop("MPLBACKEND", None)
    # It is looked for in the current folder first, which threads share; so no chdir
    os.path.exists = lambda path: path != _RC and exists(path)
    try:
        yield
    finally:
        os.path.exists = exists
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _import() -> None:
    if "matplotlib" in sys.modules:
        _import_seaborn()
        return
    with _no_settings():
        _import_seaborn()
        _mend_fonts()
    with suppress(Exception):
        _read_settings()


def _import_seaborn() -> None:
    """It imports pyplot, which may choose a backend."""
    mpl = importlib.import_module("matplotlib")
    before = dict(dict.items(mpl.rcParams))
    importlib.import_module("seaborn")
    dict.update(mpl.rcParams, before)


def _mend_fonts() -> None:
    """Look for the fonts anew where the cached list does not begin with matplotlib's own."""
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    own = Path(mpl.get_data_path(), "fonts", "ttf")
    try:
        first = next(entry for entry in fontManager.ttflist if entry.name == "DejaVu Sans")
        if Path(first.fname).parent == own and Path(first.fname).is_file():
            return
    except Exception:  # a list of anything
        pass
    fontManager.__init__()  # type: ignore[misc]


def _read_settings() -> None:
    """The settings that somebody's own import would have read, as far as they can be."""
    import matplotlib as mpl

    path = Path(mpl.matplotlib_fname())
    if path.is_file() and path.stat().st_size <= _MOST and mpl.get_data_path() not in str(path):
        with suppress(Exception):
            read = mpl.rc_params_from_file(path, use_default_template=False)
            dict.update(mpl.rcParams, dict(dict.items(read)))
    if backend := os.environ.get("MPLBACKEND"):
        mpl.rcParams["backend"] = backend


_import()
