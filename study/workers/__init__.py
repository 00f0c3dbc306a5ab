"""Where cohorts are trained: threads of this process, other processes, or a cluster.

``pool`` says which and opens it, ``threads`` and ``processes`` go through joblib, ``cluster``
through Dask, and ``remote`` is what runs at the other end. A task is the same wherever it
runs, and so is its result.
"""

from study.workers.pool import LOCAL, Pool, Report, Workers
from study.workers.threads import retried

__all__ = ["LOCAL", "Pool", "Report", "Workers", "retried"]
