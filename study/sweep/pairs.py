"""Pairs of classes, and what their studies are called."""

from __future__ import annotations

import argparse
from itertools import combinations

Pair = tuple[int, int]
ALL: tuple[Pair, ...] = tuple(combinations(range(10), 2))


def pairs(text: str) -> tuple[Pair, ...]:
    """An argparse type: ``all``, or one pair such as ``4-9``, the smaller class first."""
    if text == "all":
        return ALL
    first, dash, second = text.partition("-")
    if not dash or not {first, second} <= set("0123456789") or first == second:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'all' nor a pair such as 4-9")
    smaller, larger = sorted((int(first), int(second)))
    return ((smaller, larger),)


def folder(pair: Pair) -> str:
    """Where a pair's report lies, below the sweep's: ``4-9``."""
    return f"{pair[0]}-{pair[1]}"


def study_names(dataset: str, pair: Pair) -> tuple[str, str]:
    """What a pair's two studies are called: ``mnist-4-9/linear`` and ``mnist-4-9/mlp``."""
    whole = f"{dataset}-{folder(pair)}"
    return f"{whole}/linear", f"{whole}/mlp"
