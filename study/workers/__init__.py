"""Where cohorts are trained: this process, processes forked for it, others, or a Dask cluster.

``settings`` says which and opens it. ``local`` forks workers from a ``server``, ``threads`` are
this process, ``processes`` uses joblib, ``cluster`` uses Dask. ``remote`` encodes a task for
another process, does it there, and decodes its result; ``bootstrap`` is what that process runs
first. A task gives the same result wherever it runs.
"""

from study.workers.pool import LOCAL, THREADS, Pool, Report
from study.workers.settings import Workers

__all__ = ["LOCAL", "THREADS", "Pool", "Report", "Workers"]
