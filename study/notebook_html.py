"""How objects show themselves in a notebook: tables and curves, legible on light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from study import formats

_WIDE, _HIGH = 250, 80  # pixels of the curves in a picture
_LEFT, _TOP = 58, 22  # pixels beside them, for words
_FLOOR = _TOP + _HIGH
_COLOUR = "#3f8fd2"  # stands 3 : 1 against white and against black


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column names the rows."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(_row(row) for row in rows)
    rows_html = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f"<div>{escape(caption)}</div><table>{rows_html}</table>"


def _row(row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
    return f"<tr><th>{escape(first)}</th>{cells}</tr>"


def training(
    caption: str,
    steps: np.ndarray,
    best: int,
    lines: Sequence[tuple[np.ndarray, np.ndarray, int]],
) -> str:
    """The curves of a training below a caption: the loss, and the error, 0 as half an image.

    Args:
        caption: In one sentence.
        steps: (V,), the horizontal axis.
        best: The place of the best validation.
        lines: (V,) losses, (V,) counts of errors, and of how many; those of the validation last.
    """
    losses = [loss for loss, _, _ in lines]
    errors = [counts.clip(min=0.5) / n for _, counts, n in lines]
    return (
        f"<div>{escape(caption)}</div>"
        + curves("loss", steps, losses, best, lambda value: f"{value:.3g}")
        + curves("error", steps, errors, best, formats.percent)
    )


def curves(
    title: str,
    steps: np.ndarray,
    lines: Sequence[np.ndarray],
    best: int,
    words: Callable[[float], str],
) -> str:
    """Curves over the training steps as a small SVG; values that no logarithm has are left out.

    Args:
        title: What is drawn.
        steps: (V,), the horizontal axis.
        lines: (V,) values each; the last is in colour, the others are pale.
        best: The place of the validation that gets a circle.
        words: A value as the axis says it.
    """
    seen = np.concatenate(lines)
    seen = seen[_is_drawn(seen)]
    ends = (seen.min(), seen.max()) if len(seen) else (1.0, 1.0)
    places = [_places(steps, line, *ends) for line in lines]
    *pale, bold = (" ".join(f"{x:.1f},{y:.1f}" for x, y in found) for found in places)
    low, high = map(words, ends)
    marks = places[-1][np.flatnonzero(steps[_is_drawn(lines[-1])] == steps[best])]
    parts = [
        _text(0, 11, title, "start"),
        _text(_LEFT - 6, _TOP + 4, high),
        _text(_LEFT - 6, _FLOOR, low),
        _text(_LEFT, _FLOOR + 14, f"step {steps[0]:,.0f}", "start"),
        _text(_LEFT + _WIDE, _FLOOR + 14, f"{steps[-1]:,.0f}"),
        *(f'<polyline points="{p}" stroke="currentColor" stroke-opacity="0.4"/>' for p in pale),
        f'<polyline points="{bold}" stroke="{_COLOUR}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" stroke="{_COLOUR}"/>' for x, y in marks),
    ]
    return (
        f'<svg width="{_LEFT + _WIDE + 12}" height="{_FLOOR + 18}" role="img" fill="none"'
        f' aria-label="{escape(title)}" font-size="11" font-family="sans-serif">'
        f"{''.join(parts)}</svg>"
    )


def _is_drawn(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(values) & (values > 0))


def _places(steps: np.ndarray, line: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where a line's values stand in the picture, (v, 2); the axis of values is a log one."""
    drawn = _is_drawn(line)
    x = _LEFT + _WIDE * steps[drawn] / max(steps[-1], 1)
    y = _FLOOR - _HIGH * np.log(line[drawn] / low) / (math.log(high / low) or 1.0)
    return np.stack([x, y], axis=1)


def _text(x: float, y: float, words: str, end: str = "end") -> str:
    """Words that end there, or start."""
    return f'<text x="{x}" y="{y}" text-anchor="{end}" fill="currentColor">{escape(words)}</text>'
