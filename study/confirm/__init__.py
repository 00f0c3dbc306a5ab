"""Retrain the winners on fresh seeds and splits, and compare: ``python -m study.confirm``.

``plan`` says what is retrained, ``replicates`` trains it, ``loop`` records it. ``evidence``
reads it back. A ``side`` is one study's numbers, ``comparison`` computes the ``verdict`` of each
pair and of all, and ``summary`` prints them.
"""
