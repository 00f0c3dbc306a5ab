"""The report: a page that compares two searched models, with its figures and tables.

``record`` reads the storage, ``tables`` turns trials into data frames, ``figures`` draws a
frame onto an ``Axes``, ``sections`` says what stands on the page and ``page`` makes it HTML.
A further section is a further function in :data:`study.report.sections.SECTIONS`.

The figures are plain functions of a frame and an ``Axes``, for papers and notebooks too:

    from matplotlib.figure import Figure
    from study.report import figures, tables
    from study.report.rendering import theme
    from study.report.collect import collect

    record = collect("study.db")
    with theme():
        ax = Figure(layout="constrained").subplots()
        figures.learning_rate(tables.learning_rates(tables.trials(record)), ax)
        ax.figure.savefig("learning_rate.pdf")

They are ``answer``, ``learning_rate``, ``against``, ``pair``, ``history``,
``expected_trials``, ``curves``, ``loss``, ``error``, ``linear_weights``,
``unit_weights``, ``replicates``, ``splits``, ``examples`` and ``pictures``; each says which frame
of ``tables`` it takes.
"""

from study.report.writing import render, write

__all__ = ["render", "write"]
