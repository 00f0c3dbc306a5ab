"""The report: a page that compares two searched models, with its figures and tables.

``record`` reads the storage, ``tables`` turns trials into data frames, ``figures`` draws a
frame onto an ``Axes``, ``sections`` says what stands on the page and ``page`` makes it HTML.
A further section is a further function in :data:`study.report.sections.SECTIONS`.
"""

from study.report.writing import render, write

__all__ = ["render", "write"]
