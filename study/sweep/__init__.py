"""The whole comparison for many pairs of classes, in one storage: ``python -m study.sweep``.

``pairs`` names them, ``loop`` searches them, ``table`` reads what was found from the storage
alone, ``page`` shows it as one matrix, ``overview`` keeps both up to date, and ``progress`` is
what a terminal or a log sees of it.
"""
