"""This package and its peers, timed side by side on the same trials.

``python -m benchmarks``            all peers: a table, a figure, a check of the errors
``python -m benchmarks.cores``      the whole command, and its cohorts on 1 to 32 workers
``python -m benchmarks.answer``     the whole command alone
``python -m benchmarks.gpu``        all of it on a GPU
``python -m benchmarks.widths``     cohort widths: the table behind the defaults
``python -m benchmarks.scaling``    planning and recording of 64 to 4,096 trials
``python -m benchmarks.shortcuts``  what pruning and stopping at the target save
``python -m benchmarks.cluster``    what a Dask cluster costs
``python -m benchmarks.calibration``  how often the verdict is right
``python -m benchmarks.page``       writes the numbers of docs/speed.md and README.md anew
"""
