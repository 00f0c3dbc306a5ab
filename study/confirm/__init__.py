"""Retrain the winners on fresh seeds and splits, and compare: ``python -m study.confirm``.

``plan`` says what is retrained, ``replicates`` trains it, ``loop`` records it. ``evidence``
reads it back, and ``comparison`` computes the ``verdict`` from it.
"""
