"""The whole comparison for many pairs of classes, in one storage: ``python -m study.sweep``.

``pairs`` names them, ``loop`` searches them, ``table`` reads what was found from the storage
alone, and ``page`` shows it as one matrix.
"""
