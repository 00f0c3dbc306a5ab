"""Retrain the winners on fresh seeds and splits, and compare: ``python -m study.confirm``.

``plan`` says what is retrained, ``units`` trains it, ``loop`` records it, and ``comparison``
computes the verdict from the storage alone.
"""
