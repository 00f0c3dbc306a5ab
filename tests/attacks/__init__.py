"""Hostile inputs, committed, and what each must get."""
