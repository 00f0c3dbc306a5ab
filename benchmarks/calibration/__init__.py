"""How often the verdict is right: ``python -m benchmarks.calibration``.

``reference`` searches the two models and retrains their best trials. Their replicates give each
image's chances of an error, a ``population``. ``subsets`` measures how much the true difference of
two models varies between training sets and between seeds. ``simulate`` draws data sets from the
population, divides them as the ``designs`` say, and lets :mod:`study.stats` judge them. ``aa``
compares each model with itself. ``page`` writes the tables' numbers into the documentation.
"""
