"""This package and its peers, timed side by side on the same trials.

``python -m tests.benchmarks``            all peers: a table, a figure, a check of the errors
``python -m tests.benchmarks.widths``     cohort widths: the table behind the defaults
``python -m tests.benchmarks.scaling``    planning and recording of 64 to 4,096 trials
"""
