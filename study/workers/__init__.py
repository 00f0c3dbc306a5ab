"""Where cohorts are trained: threads of this process, other processes, or a Dask cluster.

``settings`` says which and opens it. ``threads`` and ``processes`` use joblib, ``cluster`` uses
Dask. ``remote`` encodes a task for another process, does it there, and decodes its result;
``bootstrap`` is what that process runs first. A task gives the same result wherever it runs.
"""

from study.workers.pool import LOCAL, Pool, Report
from study.workers.settings import Workers

__all__ = ["LOCAL", "Pool", "Report", "Workers"]
