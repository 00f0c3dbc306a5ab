"""This package and its peers, timed side by side on the same trials.

``python -m benchmarks``            all peers: a table, a figure, a check of the errors
``python -m benchmarks.widths``     cohort widths: the table behind the defaults
``python -m benchmarks.scaling``    planning and recording of 64 to 4,096 trials
"""
