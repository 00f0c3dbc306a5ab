"""The whole comparison for many data sets, in one storage: ``python -m study.sweep``.

A data set is a pair of official classes or a person's own data: ``data_sets`` names them,
``plans`` says what is searched on each, ``checks`` refuses what can't be swept, and ``loop``
searches them. ``table`` reads what was found from the storage alone, as the ``rows`` of one table,
with the ``differences`` of their models and the ``origin`` of their searches. ``notes`` says which
can't be compared with the others, and ``judging`` which differences are clear. ``page`` shows
them, with ``sentences``, a ``matrix`` of pairs and a ``frame`` for spreadsheets; ``overview``
keeps it up to date, ``reports`` writes each data set's own report, and ``progress`` is what a
terminal or a log sees of it.
"""
