"""Loaded by a worker that is not to have the package: ``dask worker --preload``."""

import sys
from importlib import invalidate_caches
from pathlib import Path

sys.path[:] = [place for place in sys.path if not Path(place, "study/__init__.py").is_file()]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
invalidate_caches()
