"""Repeat the searches with images held out, and compare: ``python -m study.confirm``.

``division`` says what is held out, ``plan`` and ``repetitions`` what is trained, ``training``
trains it, and ``loop`` records it. ``evidence`` reads it back. A ``side`` is one study's numbers,
``comparison`` computes the ``verdict`` of each pair and of all, and ``summary`` prints them.
"""
